from __future__ import annotations

import pytest

from services.sessions.domain.assets import UploadState
from services.sessions.domain.errors import AssetBeingPurged, AssetNotFound, SessionNotFound
from services.sessions.use_cases.collect import Collected
from services.sessions.use_cases.uploads import UploadSpec
from tests.unit.sessions.conftest import WAV, Room

DAY_S = 24 * 3600


def test_an_overdue_upload_expires_and_its_bytes_go(room: Room) -> None:
    opened = room.uploads.create("nova", UploadSpec())
    room.blobs.put(opened.upload.object_key, WAV)
    room.clock.advance(DAY_S + 1)

    found = room.collector.collect()

    assert found == Collected(expired_uploads=1, purged_assets=0, purged_sessions=0)
    assert room.uploads.get("nova", opened.upload.uid).upload.state is UploadState.EXPIRED
    assert not room.blobs.objects


def test_nothing_that_lives_is_collected(room: Room) -> None:
    asset = room.upload()
    room.save(asset)
    room.clock.advance(400 * DAY_S)

    assert room.collector.collect() == Collected(0, 0, 0)
    assert room.blobs.read_bytes(asset.blob_key, limit=1 << 20) == WAV


def test_a_deleted_asset_goes_with_its_bytes_after_30_days(room: Room) -> None:
    asset = room.upload()
    room.assets.delete("nova", asset.uid, etag="")
    room.clock.advance(30 * DAY_S - 1)
    early = room.collector.collect()
    room.clock.advance(2)
    late = room.collector.collect()

    assert (early.purged_assets, late.purged_assets) == (0, 1)
    assert not room.blobs.objects
    with pytest.raises(AssetNotFound):
        room.assets.get("nova", asset.uid)


def test_a_deleted_asset_that_is_held_again_stays(room: Room) -> None:
    asset = room.upload()
    saved = room.save(asset)
    room.sessions.delete("nova", saved.uid, etag="")
    room.assets.delete("nova", asset.uid, etag="")
    room.sessions.undelete("nova", saved.uid)
    room.clock.advance(31 * DAY_S)

    assert room.collector.collect().purged_assets == 0
    assert room.assets.undelete("nova", asset.uid).hold_count == 1


def test_a_deleted_session_goes_with_its_history_after_30_days(room: Room) -> None:
    saved = room.save()
    room.sessions.delete("nova", saved.uid, etag="")
    room.clock.advance(30 * DAY_S + 1)

    assert room.collector.collect().purged_sessions == 1
    with pytest.raises(SessionNotFound):
        room.sessions.get("nova", saved.uid)


def test_an_interrupted_purge_hides_the_asset_and_is_finished_later(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = room.upload()
    room.assets.delete("nova", asset.uid, etag="")
    room.clock.advance(30 * DAY_S + 1)
    monkeypatch.setattr(room.blobs, "delete", _fail_on_blobs)
    with pytest.raises(ConnectionError):
        room.collector.collect()
    monkeypatch.undo()

    with pytest.raises(AssetNotFound):
        room.assets.get("nova", asset.uid)
    with pytest.raises(AssetBeingPurged):
        room.upload()

    assert room.collector.collect().purged_assets == 1
    assert room.upload().uid != asset.uid


def test_a_finished_upload_is_forgotten_a_week_after_its_end(room: Room) -> None:
    opened = room.uploads.create("nova", UploadSpec())
    room.uploads.abort("nova", opened.upload.uid)
    room.clock.advance(8 * DAY_S + 1)
    room.blobs.put(opened.upload.object_key, b"came late through a link")

    room.collector.collect()

    assert not room.blobs.objects


def _fail_on_blobs(key: str) -> None:
    if "/blobs/" in key:
        raise ConnectionError(key)
