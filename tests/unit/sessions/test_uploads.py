from __future__ import annotations

import hashlib
import zlib

import pytest

from chassis.context import response_flags
from chassis.errors import FieldInvalid, RequestIdReused
from services.sessions.domain.assets import AssetState, UploadState
from services.sessions.domain.errors import (
    AudioTruncated,
    UnsupportedMedia,
    UploadAborted,
    UploadExpired,
    UploadFinished,
    UploadHashMismatch,
    UploadNotFound,
    UploadNotReceived,
    UploadSizeMismatch,
    UploadTooLarge,
)
from services.sessions.use_cases.uploads import UploadSpec
from tests.unit.sessions.conftest import WAV, Room

SHA256 = hashlib.sha256(WAV).hexdigest()


def test_an_upload_becomes_an_asset_with_everything_measured(room: Room) -> None:
    asset = room.upload(name="  Take\t1.wav ")

    assert (asset.display_name, asset.content.sha256, asset.content.crc32) == ("Take 1.wav", SHA256, zlib.crc32(WAV))
    assert (asset.recording.frames, asset.duration_s, asset.state) == (24_000, 0.5, AssetState.READY)
    assert room.blobs.read_bytes(asset.blob_key, limit=1 << 20) == WAV


def test_the_received_object_is_gone_once_the_asset_is_there(room: Room) -> None:
    room.upload()

    assert not list(room.blobs.list("artists/nova/uploads/"))


def test_the_same_bytes_are_one_asset_and_one_blob(room: Room) -> None:
    first = room.upload()
    opened = room.uploads.create("nova", UploadSpec())
    room.blobs.put(opened.upload.object_key, WAV)
    second = room.uploads.complete("nova", opened.upload.uid)

    assert first == second
    assert len(list(room.blobs.list("artists/nova/blobs/"))) == 1
    assert room.prober.measured == 1


def test_bytes_that_are_there_need_no_upload(room: Room) -> None:
    asset = room.upload()

    opened = room.uploads.create("nova", UploadSpec(SHA256.upper(), len(WAV)))

    assert (opened.upload.state, opened.upload.asset) == (UploadState.COMPLETED, asset.name)


def test_another_artist_does_not_learn_that_bytes_are_there(room: Room) -> None:
    room.upload()

    assert room.uploads.create("vega", UploadSpec(SHA256)).upload.state is UploadState.OPEN


def test_a_lost_blob_is_healed_by_the_next_upload(room: Room) -> None:
    asset = room.upload()
    room.blobs.delete(asset.blob_key)

    again = room.upload()

    assert again.name == asset.name
    assert room.blobs.head(asset.blob_key) is not None


def test_completing_twice_gives_the_same_asset(room: Room) -> None:
    opened = room.uploads.create("nova", UploadSpec(SHA256))
    room.blobs.put(opened.upload.object_key, WAV)

    first, second = (room.uploads.complete("nova", opened.upload.uid) for _ in range(2))

    assert first == second


def test_a_wrong_hash_names_both_hashes_and_leaves_nothing(room: Room) -> None:
    announced = "0" * 64
    opened = room.uploads.create("nova", UploadSpec(announced))
    room.blobs.put(opened.upload.object_key, WAV)

    with pytest.raises(UploadHashMismatch) as caught:
        room.uploads.complete("nova", opened.upload.uid)

    assert caught.value.metadata == {"expected": announced, "found": SHA256}
    assert not list(room.blobs.list("artists/nova/blobs/"))


def test_after_a_wrong_hash_the_right_bytes_can_still_come(room: Room) -> None:
    opened = room.uploads.create("nova", UploadSpec(SHA256))
    room.blobs.put(opened.upload.object_key, b"something else")
    with pytest.raises(UploadHashMismatch):
        room.uploads.complete("nova", opened.upload.uid)

    room.blobs.put(opened.upload.object_key, WAV)

    assert room.uploads.complete("nova", opened.upload.uid).content.sha256 == SHA256


def test_a_wrong_size_is_refused_before_reading(room: Room) -> None:
    opened = room.uploads.create("nova", UploadSpec(size_bytes=len(WAV) + 1))
    room.blobs.put(opened.upload.object_key, WAV)

    with pytest.raises(UploadSizeMismatch):
        room.uploads.complete("nova", opened.upload.uid)


def test_a_file_over_the_limit_is_refused_when_announced_and_when_it_comes(room: Room) -> None:
    with pytest.raises(UploadTooLarge):
        room.uploads.create("nova", UploadSpec(size_bytes=1_000_001))
    opened = room.uploads.create("nova", UploadSpec())
    room.blobs.put(opened.upload.object_key, bytes(1_000_001))
    with pytest.raises(UploadTooLarge):
        room.uploads.complete("nova", opened.upload.uid)


@pytest.mark.parametrize(
    ("data", "error"), [(b"just text\n" * 9, UnsupportedMedia), (WAV[: len(WAV) // 2], AudioTruncated)]
)
def test_bytes_that_make_no_recording_make_no_asset(room: Room, data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        room.upload(data)

    assert not room.assets.list("nova", sha256="", show_deleted=True, size=0, token="").items


def test_completing_before_the_bytes_are_there_says_so(room: Room) -> None:
    opened = room.uploads.create("nova", UploadSpec())

    with pytest.raises(UploadNotReceived):
        room.uploads.complete("nova", opened.upload.uid)


def test_an_upload_of_a_day_ago_is_expired(room: Room) -> None:
    opened = room.uploads.create("nova", UploadSpec())
    room.clock.advance(24 * 3600)

    with pytest.raises(UploadExpired):
        room.uploads.complete("nova", opened.upload.uid)


def test_an_aborted_upload_stays_aborted(room: Room) -> None:
    opened = room.uploads.create("nova", UploadSpec())
    room.blobs.put(opened.upload.object_key, WAV)

    states = [room.uploads.abort("nova", opened.upload.uid).upload.state for _ in range(2)]

    assert states == [UploadState.ABORTED] * 2
    assert not list(room.blobs.list("artists/nova/uploads/"))
    with pytest.raises(UploadAborted):
        room.uploads.complete("nova", opened.upload.uid)


def test_a_finished_upload_cannot_be_aborted(room: Room) -> None:
    room.upload()
    opened = room.uploads.create("nova", UploadSpec(SHA256))

    with pytest.raises(UploadFinished):
        room.uploads.abort("nova", opened.upload.uid)


def test_a_foreign_upload_is_unknown(room: Room) -> None:
    opened = room.uploads.create("nova", UploadSpec())

    with pytest.raises(UploadNotFound):
        room.uploads.get("vega", opened.upload.uid)


def test_the_same_request_id_opens_one_upload(room: Room) -> None:
    first, second = (room.uploads.create("nova", UploadSpec(SHA256, request_id="r")) for _ in range(2))

    assert first == second
    assert response_flags().replayed
    with pytest.raises(RequestIdReused):
        room.uploads.create("nova", UploadSpec("1" * 64, request_id="r"))


@pytest.mark.parametrize("spec", [UploadSpec("xyz"), UploadSpec(size_bytes=-1), UploadSpec(display_name="n" * 201)])
def test_a_bad_announcement_is_refused(room: Room, spec: UploadSpec) -> None:
    with pytest.raises(FieldInvalid):
        room.uploads.create("nova", spec)
