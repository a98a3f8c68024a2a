"""Live Sets from upload to removal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.context import in_request
from chassis.errors import EtagMismatch, FieldInvalid, InvalidArgument, RequestIdReused
from chassis.testing import FakeClock
from services.prompt.domain.artists import ArtistNotFound
from services.prompt.domain.live_sets import LiveSetNotDeleted, LiveSetNotFound, UploadNotFound
from services.prompt.use_cases.new_live_sets import NewLiveSet
from tests.material.live_set import live_set_bytes, small_plan
from tests.unit.prompt.house import House, ada, is_replayed


def test_an_upload_becomes_a_live_set(nova: House) -> None:
    key = nova.upload()

    live_set = nova.live_sets.create(ada(), "nova", NewLiveSet(key, file_name="C:\\Sets\\My Set.als", project_name="P"))

    assert (live_set.display_name, live_set.file_name) == ("My Set", "My Set.als")
    assert live_set.summary["als_stem"] == "My Set"
    assert live_set.summary["artist_name"] == "Nova Tide"
    assert nova.objects.read_bytes(live_set.blob_key, limit=1 << 20) == live_set_bytes()
    assert nova.objects.head(key) is None


def test_the_same_request_makes_one_live_set_from_a_new_upload_too(nova: House) -> None:
    with in_request():
        first = nova.add_live_set(request_id="r1")
        assert not is_replayed()
        assert nova.add_live_set(request_id="r1") == first
        assert is_replayed()
    assert len(nova.live_sets.list("nova", 0, "", show_deleted=False).items) == 1
    with pytest.raises(RequestIdReused):
        nova.add_live_set(live_set_bytes(small_plan(99)), request_id="r1")


def test_the_same_request_is_answered_after_its_upload_is_gone(nova: House) -> None:
    new = NewLiveSet(nova.upload(), request_id="r1")
    first = nova.live_sets.create(ada(), "nova", new)

    assert nova.live_sets.create(ada(), "nova", new) == first
    with pytest.raises(UploadNotFound):
        nova.live_sets.create(ada(), "nova", NewLiveSet(new.object_key, request_id="r2"))


@pytest.mark.parametrize("key", ["artists/other/uploads/1", "artists/nova/blobs/1", "artists/nova/uploads/../x", ""])
def test_only_uploads_of_the_artist_are_read(nova: House, key: str) -> None:
    with pytest.raises(FieldInvalid):
        nova.live_sets.create(ada(), "nova", NewLiveSet(key))


def test_a_bad_file_leaves_no_row_and_no_object(nova: House) -> None:
    with pytest.raises(InvalidArgument):
        nova.add_live_set(b"nothing")

    assert nova.live_sets.list("nova", 0, "", show_deleted=True).items == []
    assert nova.objects.objects == {}


def test_a_live_set_needs_its_artist(house: House) -> None:
    with pytest.raises(ArtistNotFound):
        house.add_live_set()


def test_names_change_under_the_etag(nova: House) -> None:
    live_set = nova.add_live_set()

    changed = nova.live_sets.update("nova", live_set.uid, live_set.etag, {"display_name": "", "project_name": "P"})

    assert (changed.display_name, changed.project_name) == ("My Set", "P")
    assert changed.summary["project_name"] == "P"
    with pytest.raises(EtagMismatch):
        nova.live_sets.update("nova", live_set.uid, live_set.etag, {"display_name": "x"})


def test_a_deleted_live_set_comes_back(nova: House) -> None:
    live_set = nova.add_live_set()

    nova.live_sets.delete("nova", live_set.uid, "")

    with pytest.raises(LiveSetNotFound):
        nova.live_sets.get("nova", live_set.uid)
    assert nova.live_sets.list("nova", 0, "", show_deleted=False).items == []
    assert len(nova.live_sets.list("nova", 0, "", show_deleted=True).items) == 1
    assert nova.live_sets.undelete("nova", live_set.uid).delete_time is None
    with pytest.raises(LiveSetNotDeleted):
        nova.live_sets.undelete("nova", live_set.uid)


@pytest.mark.parametrize(
    ("query", "found"),
    [("MY", 1), ("größe", 1), ("album_1", 1), ("albumx1", 0), ("%", 0), ("", 1)],
)
def test_live_sets_are_found_by_their_names(nova: House, query: str, found: int) -> None:
    live_set = nova.add_live_set()
    nova.live_sets.update("nova", live_set.uid, "", {"project_name": "GRÖßE Album_1"})

    assert len(nova.live_sets.list("nova", 0, "", show_deleted=False, query=query).items) == found


def test_a_query_too_long_is_refused(nova: House) -> None:
    with pytest.raises(FieldInvalid, match="query"):
        nova.live_sets.list("nova", 0, "", show_deleted=False, query="x" * 101)


def test_a_file_goes_with_the_last_live_set_that_has_it(nova: House, clock: FakeClock) -> None:
    first, second = nova.add_live_set(), nova.add_live_set()
    assert first.blob_key == second.blob_key
    nova.live_sets.delete("nova", first.uid, "")
    clock.advance(timedelta(days=31).total_seconds())

    assert nova.purge() == 1
    assert nova.objects.head(first.blob_key) is not None

    nova.live_sets.delete("nova", second.uid, "")
    clock.advance(timedelta(days=31).total_seconds())
    assert nova.purge() == 1
    assert nova.objects.head(first.blob_key) is None


def test_a_young_file_is_kept_from_the_purge(nova: House, clock: FakeClock) -> None:
    live_set = nova.add_live_set()
    nova.live_sets.delete("nova", live_set.uid, "")
    clock.advance(timedelta(days=31).total_seconds())
    nova.objects.put(live_set.blob_key, live_set_bytes())  # somebody uploads the same file right now

    nova.purge()

    assert nova.objects.head(live_set.blob_key) is not None
