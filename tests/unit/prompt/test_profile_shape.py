"""What a master schema may look like."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.errors import FieldInvalid
from services.prompt.domain.profile_shape import MasterSchemaTooLarge, canonical_json, check_master_schema, digest

FULL: dict[str, Any] = {
    "schema_version": "1.2",
    "artist": {
        "name": "Nova Tide",
        "origin": {"city": "Lisbon", "country": "PT"},
        "members": ["Ada"],
        "brand_narrative": {"tone": ["warm"], "description": "d"},
        "core_identities": {"tempo_center": "120", "primary_genre_space": ["house"]},
    },
    "catalog": [{"title": "One", "tempo_bpm": 120.5, "remixer": None, "core_tags": ["a"]}],
    "semantic_views": {"by_mood": {"calm": {"description": "d", "typical_elements": ["pads"]}}},
    "creative_policy": {"no_go_zones": ["screaming"]},
    "daw_fingerprint_aggregates": {"core_bpm_range": {"min": 118, "max": 124, "cluster_centers": [120]}},
    "our own key": {"anything": [1, None, True]},
}


def test_the_whole_shape_and_keys_of_ones_own_are_accepted() -> None:
    check_master_schema(FULL)
    check_master_schema({})


def test_every_wrong_type_is_named_with_its_path() -> None:
    with pytest.raises(FieldInvalid) as error:
        check_master_schema({"artist": {"members": "Ada", "name": 7}, "catalog": [{"title": True}]})

    fields = [violation.field for violation in error.value.violations]
    prefix = "profile.master_schema"
    assert fields == [f"{prefix}.artist.members", f"{prefix}.artist.name", f"{prefix}.catalog[0].title"]


def _nested(depth: int) -> dict[str, Any]:
    return {"a": _nested(depth - 1)} if depth else {}


@pytest.mark.parametrize(
    "document",
    [_nested(13), {"a": list(range(6000))}, {"a": "x" * 300_000}, {"a": float("inf")}, {"a": float("nan")}],
    ids=["deep", "full", "large", "infinite", "nan"],
)
def test_a_document_over_the_limits_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(MasterSchemaTooLarge):
        check_master_schema(document)


def test_the_hash_knows_no_order_and_no_kind_of_number() -> None:
    assert digest({"b": 1.0, "a": [2]}) == digest({"a": [2.0], "b": 1})
    assert canonical_json({"b": 1.0, "a": "ü"}) == '{"a":"ü","b":1}'
