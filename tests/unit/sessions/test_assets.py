from __future__ import annotations

import pytest

from chassis.errors import EtagMismatch, FieldInvalid, NameInvalid, PageTokenInvalid
from services.sessions.domain.assets import AssetState
from services.sessions.domain.errors import AssetHeld, AssetNotFound
from tests.unit.sessions.conftest import OTHER_WAV, Room

SEPARATION = "artists/nova/separations/01"
SNAPSHOT = "artists/nova/snapshots/01"


def test_a_foreign_asset_is_unknown(room: Room) -> None:
    asset = room.upload()

    with pytest.raises(AssetNotFound):
        room.assets.get("vega", asset.uid)


def test_assets_are_listed_newest_first_page_by_page(room: Room) -> None:
    older = room.upload()
    room.clock.advance(1)
    newer = room.upload(OTHER_WAV)

    first = room.assets.list("nova", sha256="", show_deleted=False, size=1, token="")
    second = room.assets.list("nova", sha256="", show_deleted=False, size=1, token=first.next_page_token)

    assert [first.items, second.items, second.next_page_token] == [[newer], [older], ""]
    with pytest.raises(PageTokenInvalid):
        room.assets.list("nova", sha256="0" * 64, show_deleted=False, size=1, token=first.next_page_token)


def test_assets_are_found_by_hash(room: Room) -> None:
    room.upload()
    wanted = room.upload(OTHER_WAV)

    found = room.assets.list("nova", sha256=wanted.content.sha256, show_deleted=False, size=0, token="")

    assert found.items == [wanted]


def test_many_assets_come_in_the_order_asked_for_with_the_missing_named(room: Room) -> None:
    one, two = room.upload(), room.upload(OTHER_WAV)

    found, missing = room.assets.get_many("nova", [two.uid, "nothing", one.uid])

    assert (found, missing) == ([two, one], ["nothing"])


def test_renaming_needs_the_current_etag_and_changes_it(room: Room) -> None:
    asset = room.upload()

    renamed = room.assets.rename("nova", asset.uid, "Bass take", etag=asset.etag)

    assert renamed.display_name == "Bass take"
    with pytest.raises(EtagMismatch):
        room.assets.rename("nova", asset.uid, "Other", etag=asset.etag)


def test_a_held_asset_cannot_be_deleted_until_it_is_released(room: Room) -> None:
    asset = room.upload()
    first, second = (room.assets.hold("nova", asset.uid, SEPARATION) for _ in range(2))
    assert first == second

    with pytest.raises(AssetHeld, match="separations/01"):
        room.assets.delete("nova", asset.uid, etag="")
    for _ in range(2):
        room.assets.release("nova", asset.uid, SEPARATION)

    assert room.assets.delete("nova", asset.uid, etag="").state is AssetState.DELETED


def test_holds_are_listed_and_counted(room: Room) -> None:
    asset = room.upload()
    room.assets.hold("nova", asset.uid, SEPARATION)

    assert [hold.holder for hold in room.assets.holds("nova", asset.uid, size=0, token="").items] == [SEPARATION]
    assert room.assets.get("nova", asset.uid).hold_count == 1


def test_many_assets_are_held_and_given_as_they_are_in_the_order_asked_for(room: Room) -> None:
    one, two = room.upload(), room.upload(OTHER_WAV)

    for _ in range(2):
        held = room.assets.hold_many("nova", [two.uid, one.uid, two.uid], SNAPSHOT)

    assert [(asset.uid, asset.hold_count) for asset in held] == [(two.uid, 1), (one.uid, 1), (two.uid, 1)]


def test_one_missing_asset_and_none_of_many_is_held(room: Room) -> None:
    kept, deleted = room.upload(), room.upload(OTHER_WAV)
    room.assets.delete("nova", deleted.uid, etag="")

    for missing in (deleted.uid, "nothing"):
        with pytest.raises(AssetNotFound, match=missing):
            room.assets.hold_many("nova", [kept.uid, missing], SNAPSHOT)

    assert room.assets.get("nova", kept.uid).hold_count == 0


def test_a_holder_releases_all_that_it_holds_and_nothing_else(room: Room) -> None:
    one, two = room.upload(), room.upload(OTHER_WAV)
    room.assets.hold_many("nova", [one.uid, two.uid], SNAPSHOT)
    room.assets.hold("nova", two.uid, SEPARATION)

    for _ in range(2):
        room.assets.release_holder("nova", SNAPSHOT)

    counts = [room.assets.get("nova", uid).hold_count for uid in (one.uid, two.uid)]
    assert counts == [0, 1]


@pytest.mark.parametrize("count", [0, 1001])
def test_one_to_a_thousand_assets_are_held_at_once(room: Room, count: int) -> None:
    with pytest.raises(FieldInvalid, match="1 to 1000"):
        room.assets.hold_many("nova", ["any"] * count, SNAPSHOT)


@pytest.mark.parametrize("holder", ["", "artists/nova", "performances/1", "artists/nova/exports/../x"])
def test_a_holder_is_a_resource(room: Room, holder: str) -> None:
    asset = room.upload()

    with pytest.raises((NameInvalid, FieldInvalid)):
        room.assets.hold("nova", asset.uid, holder)


def test_a_holder_is_of_the_same_artist(room: Room) -> None:
    asset = room.upload()

    with pytest.raises(FieldInvalid):
        room.assets.hold("nova", asset.uid, "artists/vega/exports/1")


def test_a_deleted_asset_can_be_seen_and_undeleted_but_not_held(room: Room) -> None:
    asset = room.upload()
    deleted = room.assets.delete("nova", asset.uid, etag=asset.etag)

    assert room.assets.get("nova", asset.uid).purge_time == deleted.purge_time
    with pytest.raises(AssetNotFound):
        room.assets.hold("nova", asset.uid, SEPARATION)
    assert room.assets.undelete("nova", asset.uid).state is AssetState.READY


def test_uploading_deleted_bytes_again_brings_the_asset_back(room: Room) -> None:
    asset = room.upload()
    room.assets.delete("nova", asset.uid, etag="")

    again = room.upload()

    assert (again.name, again.state) == (asset.name, AssetState.READY)


def test_a_window_of_peaks_is_the_same_part_of_all_peaks(room: Room) -> None:
    asset = room.upload()

    whole = room.assets.peaks("nova", asset.uid, level=0, first_bucket=0, buckets=0)
    window = room.assets.peaks("nova", asset.uid, level=0, first_bucket=10, buckets=5)
    coarse = room.assets.peaks("nova", asset.uid, level=1, first_bucket=0, buckets=0)

    assert (whole.total_buckets, len(whole.pairs)) == (47, 94)
    assert window.pairs == whole.pairs[20:30]
    assert (coarse.total_buckets, len(coarse.pairs)) == (3, 6)


@pytest.mark.parametrize(("level", "first", "count"), [(2, 0, 0), (-1, 0, 0), (0, 48, 0), (0, -1, 0), (0, 0, -1)])
def test_peaks_outside_the_recording_are_refused(room: Room, level: int, first: int, count: int) -> None:
    asset = room.upload()

    with pytest.raises(FieldInvalid):
        room.assets.peaks("nova", asset.uid, level=level, first_bucket=first, buckets=count)
