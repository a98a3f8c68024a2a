from __future__ import annotations

import hashlib
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sessions.domain.errors import SnapshotInvalid, SnapshotTooLarge, SnapshotVersionUnsupported
from services.sessions.domain.snapshots import MISSING, check, differences, signature

SAVED = {"version": 1.0, "capturedAt": 1.0, "controls": {"gain": 0.5, "band": [1.0, 2.0]}}
AUDIO = [{"track": "a", "role": "full", "asset": "artists/nova/assets/1"}, {"track": "a", "role": "vocals"}]


def sign(members: dict[str, Any], audio: list[dict[str, str]] | None = None) -> str:
    return signature(members, AUDIO if audio is None else audio, rfc8785.dumps)


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _level in range(levels - 2):
        value = {"in": value}
    return {"version": 1.0, "in": value}


def test_the_order_of_members_and_references_does_not_change_the_signature() -> None:
    assert sign(dict(reversed(SAVED.items())), list(reversed(AUDIO))) == sign(SAVED)


@pytest.mark.parametrize("volatile", ["capturedAt", "captured_at"])
def test_the_time_of_capture_does_not_change_the_signature(volatile: str) -> None:
    assert sign({**SAVED, volatile: 99.0}) == sign(SAVED)


@pytest.mark.parametrize(
    "members",
    [
        {**SAVED, "controls": {"gain": 0.50001, "band": [1.0, 2.0]}},
        {**SAVED, "controls": {"gain": 0.5, "band": [2.0, 1.0]}},
        {**SAVED, "more": None},
        {**SAVED, "controls": {"capturedAt": 1.0, "gain": 0.5, "band": [1.0, 2.0]}},
    ],
)
def test_any_other_change_changes_the_signature(members: dict[str, Any]) -> None:
    assert sign(members) != sign(SAVED)


def test_other_audio_changes_the_signature() -> None:
    assert sign(SAVED, AUDIO[:1]) != sign(SAVED)


def test_the_signature_is_the_hash_of_canonical_json() -> None:
    canonical = '{"audio":[],"snapshot":{"fixture":"é","gain":0.5,"version":1}}'

    found = sign({"version": 1.0, "gain": 0.5, "fixture": "é", "capturedAt": 7.0}, [])

    assert found == hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize("version", [2.0, 0.0, -1.0])
def test_another_version_is_unsupported(version: float) -> None:
    with pytest.raises(SnapshotVersionUnsupported):
        check({"version": version}, rfc8785.dumps)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"version": "1"},
        {"version": True},
        {"version": 1.5},
        {"version": float("nan")},
        {"version": float("inf")},
        {"version": 1.0, "config": []},
        {"version": 1.0, "customTracks": {}},
        {"version": 1.0, "controls": {"gain": float("nan")}},
    ],
)
def test_a_malformed_snapshot_names_the_member(members: dict[str, Any]) -> None:
    with pytest.raises(SnapshotInvalid) as caught:
        check(members, rfc8785.dumps)

    assert caught.value.violations[0].field.startswith("snapshot.")


def test_32_levels_are_taken_and_33_are_not() -> None:
    assert check(nested(32), rfc8785.dumps).version == 1
    with pytest.raises(SnapshotTooLarge, match="32 levels"):
        check(nested(33), rfc8785.dumps)


def test_a_snapshot_over_a_mebibyte_is_too_large() -> None:
    with pytest.raises(SnapshotTooLarge, match="audio in assets"):
        check({"version": 1.0, "text": "x" * (1 << 20)}, rfc8785.dumps)


def test_differences_are_named_by_json_pointer() -> None:
    before = {"a/b": 1.0, "list": [1.0, 2.0, 3.0], "gone": None, "same": {"x": 1.0}}
    after = {"a/b": 2.0, "list": [1.0, 5.0], "new": {}, "same": {"x": 1.0}}

    found = {change.path: (change.before, change.after) for change in differences(before, after)}

    assert found == {
        "/a~1b": (1.0, 2.0),
        "/gone": (None, MISSING),
        "/list/1": (2.0, 5.0),
        "/list/2": (3.0, MISSING),
        "/new": (MISSING, {}),
    }


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(VALUES)
def test_a_state_never_differs_from_itself_and_signs_the_same(value: Any) -> None:
    members = {"version": 1.0, "any": value}

    assert not list(differences(members, members))
    assert sign(members) == sign(dict(reversed(members.items())))
