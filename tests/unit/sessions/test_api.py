from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Struct

from chassis.errors import FieldInvalid, NameInvalid, NotImplementedYet
from chassis.runtime import WorkPool
from services.sessions.api import AssetsServicer, SessionsServicer
from services.sessions.store.tables import AssetRow
from tests.material import audio
from tests.unit.sessions.conftest import WAV, Room
from tonewright.assets.v1 import assets_pb2
from tonewright.sessions.v1 import sessions_pb2

PARENT = "artists/nova"


@pytest.fixture
def assets(room: Room) -> AssetsServicer:
    return AssetsServicer(room.assets, room.uploads, WorkPool(2))


@pytest.fixture
def sessions(room: Room) -> SessionsServicer:
    return SessionsServicer(room.sessions, WorkPool(2))


def snapshot(**members: Any) -> Struct:
    found = Struct()
    found.update({"version": 1, **members})
    return found


async def new_session(sessions: SessionsServicer, **members: Any) -> sessions_pb2.Session:
    wanted = sessions_pb2.Session(display_name="Late night", snapshot=snapshot(**members))
    return await sessions.CreateSession(sessions_pb2.CreateSessionRequest(parent=PARENT, session=wanted), None)


async def test_from_upload_to_an_open_session(room: Room, assets: AssetsServicer, sessions: SessionsServicer) -> None:
    upload = await assets.CreateUpload(assets_pb2.CreateUploadRequest(parent=PARENT, display_name="take.wav"), None)
    room.blobs.put(upload.object_key, WAV)
    asset = await assets.CompleteUpload(assets_pb2.CompleteUploadRequest(name=upload.name), None)
    reference = sessions_pb2.AudioReference(track="deck-a", role="full", asset=asset.name)
    wanted = sessions_pb2.Session(display_name="Late night", snapshot=snapshot(), audio=[reference])
    saved = await sessions.CreateSession(sessions_pb2.CreateSessionRequest(parent=PARENT, session=wanted), None)

    opened = await sessions.OpenSession(sessions_pb2.OpenSessionRequest(name=saved.name), None)

    assert opened.session == saved
    assert opened.completeness.state == sessions_pb2.Completeness.STATE_COMPLETE
    assert opened.completeness.audio[0].asset.sha256 == asset.sha256
    holds = await assets.ListHolds(assets_pb2.ListHoldsRequest(asset=asset.name), None)
    assert [hold.holder for hold in holds.holds] == [saved.name]


async def test_an_asset_says_all_that_was_measured(room: Room, assets: AssetsServicer) -> None:
    made = room.upload()

    found = await assets.GetAsset(assets_pb2.GetAssetRequest(name=made.name), None)

    assert (found.kind, found.state) == (assets_pb2.Asset.KIND_AUDIO, assets_pb2.Asset.STATE_READY)
    assert (found.blob_key, found.crc32) == (made.blob_key, made.content.crc32)
    assert found.HasField("loudness_lufs")
    assert not found.HasField("delete_time")


async def test_an_update_without_a_mask_changes_what_is_set(sessions: SessionsServicer) -> None:
    saved = await new_session(sessions, gain=1)

    wanted = sessions_pb2.Session(name=saved.name, snapshot=snapshot(gain=2))
    updated = await sessions.UpdateSession(sessions_pb2.UpdateSessionRequest(session=wanted, etag=saved.etag), None)

    assert (updated.display_name, updated.revision, updated.snapshot["gain"]) == ("Late night", 2, 2)


async def test_a_mask_that_names_what_cannot_change_is_refused(sessions: SessionsServicer) -> None:
    saved = await new_session(sessions)
    mask = FieldMask(paths=["signature"])

    with pytest.raises(FieldInvalid, match="signature"):
        await sessions.UpdateSession(sessions_pb2.UpdateSessionRequest(session=saved, update_mask=mask), None)


async def test_a_snapshot_crosses_the_wire_unchanged(sessions: SessionsServicer) -> None:
    deep: dict[str, Any] = {"end": [None, True, "é\0", -1.5, {}, []]}
    for _level in range(27):
        deep = {"in": deep}
    sent = sessions_pb2.Session.FromString(sessions_pb2.Session(snapshot=snapshot(deep=deep)).SerializeToString())

    saved = await sessions.CreateSession(sessions_pb2.CreateSessionRequest(parent=PARENT, session=sent), None)

    assert saved.snapshot == sent.snapshot


async def test_revisions_are_listed_fetched_compared_and_restored(sessions: SessionsServicer) -> None:
    saved = await new_session(sessions, gain=1)
    wanted = sessions_pb2.Session(name=saved.name, snapshot=snapshot(tempo=2))
    await sessions.UpdateSession(sessions_pb2.UpdateSessionRequest(session=wanted), None)

    listed = await sessions.ListRevisions(sessions_pb2.ListRevisionsRequest(parent=saved.name), None)
    first = await sessions.GetRevision(sessions_pb2.GetRevisionRequest(name=f"{saved.name}/revisions/1"), None)
    diff = await sessions.DiffRevisions(sessions_pb2.DiffRevisionsRequest(name=saved.name), None)
    restored = await sessions.RestoreRevision(sessions_pb2.RestoreRevisionRequest(name=first.name), None)

    assert [one.revision for one in listed.revisions] == [2, 1]
    assert not listed.revisions[0].HasField("snapshot")
    kinds = sessions_pb2.SnapshotChange
    assert [(one.path, one.kind) for one in diff.changes] == [
        ("/snapshot/gain", kinds.KIND_REMOVED),
        ("/snapshot/tempo", kinds.KIND_ADDED),
    ]
    assert (restored.signature, restored.revision) == (first.signature, 3)


@pytest.mark.parametrize("number", ["x", "1e3", "-1", "٣"])
async def test_a_revision_has_a_number(sessions: SessionsServicer, number: str) -> None:
    saved = await new_session(sessions)

    with pytest.raises((FieldInvalid, NameInvalid)):
        await sessions.GetRevision(sessions_pb2.GetRevisionRequest(name=f"{saved.name}/revisions/{number}"), None)


async def test_a_session_needs_a_snapshot(sessions: SessionsServicer) -> None:
    with pytest.raises(FieldInvalid, match="snapshot"):
        await sessions.CreateSession(sessions_pb2.CreateSessionRequest(parent=PARENT), None)


async def test_what_is_not_built_yet_says_so(assets: AssetsServicer) -> None:
    with pytest.raises(NotImplementedYet):
        await assets.VerifyAssets(assets_pb2.VerifyAssetsRequest(parent=PARENT), None)


async def test_many_assets_are_held_and_released_by_their_holder(room: Room, assets: AssetsServicer) -> None:
    one = room.upload()
    wanted = assets_pb2.BatchHoldAssetsRequest(parent=PARENT, assets=[one.name], holder=f"{PARENT}/snapshots/1")

    held = await assets.BatchHoldAssets(wanted, None)
    await assets.ReleaseHolder(assets_pb2.ReleaseHolderRequest(parent=PARENT, holder=wanted.holder), None)
    after = await assets.GetAsset(assets_pb2.GetAssetRequest(name=one.name), None)

    assert [(asset.name, asset.hold_count) for asset in held.assets] == [(one.name, 1)]
    assert after.hold_count == 0


async def test_assets_of_another_artist_cannot_be_held(assets: AssetsServicer) -> None:
    wanted = assets_pb2.BatchHoldAssetsRequest(parent=PARENT, assets=["artists/vega/assets/1"], holder=f"{PARENT}/a/1")

    with pytest.raises(FieldInvalid):
        await assets.BatchHoldAssets(wanted, None)


async def test_what_is_heard_comes_with_an_asset_and_its_fingerprint_with_one_alone(
    room: Room, assets: AssetsServicer
) -> None:
    made = room.upload(audio.wav(12.0, rate_hz=16_000))

    one = await assets.GetAsset(assets_pb2.GetAssetRequest(name=made.name), None)
    several = await assets.BatchGetAssets(assets_pb2.BatchGetAssetsRequest(parent=PARENT, names=[made.name]), None)

    assert one.analysis.tempo_bpm == pytest.approx(audio.TEMPO_BPM, rel=0.02)
    assert (one.analysis.key, len(one.analysis.fingerprint) % 4) == ("A minor", 0)
    assert len(one.analysis.fingerprint) > 300
    assert several.assets[0].analysis.tempo_bpm == one.analysis.tempo_bpm
    assert several.assets[0].analysis.fingerprint == b""


async def test_an_asset_from_before_says_nothing_of_what_is_heard(room: Room, assets: AssetsServicer) -> None:
    made = room.upload()
    with room.store.db.engine.begin() as rows:
        rows.execute(sa.update(AssetRow).values(analysis=sa.null(), fingerprint=None))

    found = await assets.GetAsset(assets_pb2.GetAssetRequest(name=made.name), None)

    assert not found.HasField("analysis")
