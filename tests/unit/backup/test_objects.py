from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from chassis.objects import open_store
from chassis.testing.data import MemoryStore
from services.backup.__main__ import main
from services.backup.objects import copy, verify

SONG = b"la la la" * 1000


def _blob_key(content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    return f"artists/ada/blobs/sha256/{sha256[:2]}/{sha256}"


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    made.put(_blob_key(SONG), SONG, media_type="audio/wav")
    made.put("artists/ada/datasets/training-files/f1/v1.json", b"{}", media_type="application/json")
    return made


def test_a_copy_has_every_object_with_its_media_type(store: MemoryStore) -> None:
    target = MemoryStore()

    tally = copy(store, target)

    assert (tally.done, tally.size_bytes, tally.kept) == (2, len(SONG) + 2, 0)
    assert target.read_bytes(_blob_key(SONG), limit=1 << 20) == SONG
    found = target.head(_blob_key(SONG))
    assert found is not None
    assert found.media_type == "audio/wav"


def test_a_second_copy_moves_nothing(store: MemoryStore) -> None:
    target = MemoryStore()
    copy(store, target)

    again = copy(store, target)

    assert (again.done, again.kept) == (0, 2)


def test_what_changed_is_copied_again_and_what_was_removed_stays(store: MemoryStore) -> None:
    target = MemoryStore()
    copy(store, target)
    store.put("artists/ada/datasets/training-files/f1/v1.json", b"{1}", media_type="application/json")
    store.delete(_blob_key(SONG))

    again = copy(store, target)

    assert (again.done, again.kept) == (1, 0)
    assert target.read_bytes("artists/ada/datasets/training-files/f1/v1.json", limit=9) == b"{1}"
    assert target.head(_blob_key(SONG)) is not None


def test_damaged_content_is_named_and_not_copied(store: MemoryStore) -> None:
    key = _blob_key(b"something else")
    store.put(key, SONG)
    target = MemoryStore()

    tally = copy(store, target)

    assert (tally.done, tally.damaged) == (2, [key])
    assert target.head(key) is None
    assert verify(store).damaged == [key]
    assert verify(target).damaged == []


def test_the_command_copies_and_verifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there, here = f"file://{tmp_path}/there", f"file://{tmp_path}/here"
    open_store(there).put(_blob_key(SONG), SONG)

    assert main(["copy", there, here]) == 0
    assert main(["verify", here]) == 0

    told = capsys.readouterr().out.splitlines()
    assert told == [
        f"copied 1 objects, {len(SONG)} bytes; 0 were there, 0 vanished, 0 damaged",
        f"verified 1 objects, {len(SONG)} bytes; 0 were there, 0 vanished, 0 damaged",
    ]


def test_the_command_ends_with_1_over_damage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"file://{tmp_path}/there"
    open_store(url).put(_blob_key(b"another"), SONG)

    assert main(["verify", url]) == 1

    assert capsys.readouterr().err == f"damaged: {_blob_key(b'another')}\n"


@pytest.mark.parametrize("arguments", [[], ["copy", "one"], ["verify", "ftp://here"]])
def test_the_command_refuses_what_it_does_not_know(arguments: list[str]) -> None:
    assert main(arguments) in (1, 2)
