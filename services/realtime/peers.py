"""Assets, separations and saved sessions, as the other services keep them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.longrunning.operations_pb2 import Operation
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import MessageToDict

from chassis.channels import Channels
from chassis.context import mark_replayed
from chassis.errors import AlreadyExists, RequestIdReused
from services.realtime.domain.performance import TRACK, Performance, SessionIncomplete
from services.realtime.domain.ports import AssetFacts, SavedSession, Saving, SeparationView
from tonewright.assets.v1 import assets_pb2
from tonewright.assets.v1.assets_pb2_grpc import AssetsServiceStub
from tonewright.operations.v1 import operations_pb2
from tonewright.sessions.v1 import sessions_pb2
from tonewright.sessions.v1.sessions_pb2_grpc import SessionsServiceStub
from tonewright.stems.v1 import stems_pb2
from tonewright.stems.v1.stems_pb2_grpc import StemsServiceStub

_ENDED = (operations_pb2.STATE_SUCCEEDED, operations_pb2.STATE_FAILED, operations_pb2.STATE_CANCELLED)


@dataclass(frozen=True, slots=True)
class AssetsPeer:
    """The artist's recordings, for the current caller."""

    channels: Channels

    def get(self, name: str) -> AssetFacts:
        """The facts of an asset."""
        asset = self._stub().GetAsset(assets_pb2.GetAssetRequest(name=name))
        return AssetFacts(asset.name, asset.blob_key, asset.frames, asset.rate_hz)

    def hold(self, asset: str, holder: str) -> None:
        """Keep the asset from being deleted."""
        self._stub().HoldAsset(assets_pb2.HoldAssetRequest(asset=asset, holder=holder))

    def release(self, asset: str, holder: str) -> None:
        """Let go of it."""
        self._stub().ReleaseAsset(assets_pb2.ReleaseAssetRequest(asset=asset, holder=holder))

    def _stub(self) -> AssetsServiceStub:
        return AssetsServiceStub(self.channels.sync("sessions"))


@dataclass(frozen=True, slots=True)
class SeparationsPeer:
    """Separations into vocals and everything else, for the current caller."""

    channels: Channels

    def start(self, artist: str, asset: str, request_id: str) -> SeparationView:
        """The separation of the asset, ahead of batch work: somebody waits."""
        wanted = stems_pb2.Separation(
            asset=asset,
            stem_set=stems_pb2.STEM_SET_TWO_STEMS,
            target_stem="vocals",
            priority=stems_pb2.PRIORITY_INTERACTIVE,
        )
        request = stems_pb2.CreateSeparationRequest(
            parent=f"artists/{artist}", separation=wanted, request_id=request_id
        )
        operation: Operation = self._stub().CreateSeparation(request)
        found = stems_pb2.Separation()
        if operation.done and operation.response.Unpack(found):
            return _view(found)
        metadata = operations_pb2.OperationMetadata()
        operation.metadata.Unpack(metadata)
        return self.get(metadata.target)

    def get(self, name: str) -> SeparationView:
        """The separation as it is now."""
        return _view(self._stub().GetSeparation(stems_pb2.GetSeparationRequest(name=name)))

    def _stub(self) -> StemsServiceStub:
        return StemsServiceStub(self.channels.sync("stems"))


@dataclass(frozen=True, slots=True)
class SessionsPeer:
    """Saved sessions, for the current caller."""

    channels: Channels

    def open(self, name: str) -> Mapping[str, Any]:
        """The snapshot; raises SessionIncomplete when audio is missing. Stems that are still made do not count."""
        opened = self._stub().OpenSession(sessions_pb2.OpenSessionRequest(name=name))
        state = opened.completeness.state
        if state in (
            sessions_pb2.Completeness.STATE_MISSING_AUDIO_ASSET,
            sessions_pb2.Completeness.STATE_UNSUPPORTED_VERSION,
        ):
            raise SessionIncomplete(f"{name} cannot be opened: {opened.completeness.message}")
        return MessageToDict(opened.session.snapshot)

    def save(self, performance: Performance, snapshot: Mapping[str, Any], saving: Saving) -> SavedSession:
        """Write the snapshot with its audio references, into a session or as a new one."""
        session = sessions_pb2.Session(
            name=saving.session, display_name=saving.display_name, audio=_references(performance)
        )
        session.snapshot.update(dict(snapshot))
        if saving.session:
            mask = FieldMask(paths=["display_name", "snapshot", "audio"])
            update = sessions_pb2.UpdateSessionRequest(session=session, update_mask=mask, etag=saving.session_etag)
            saved = self._stub().UpdateSession(update)
        else:
            saved = self._created(performance, session, saving.request_id)
        return SavedSession(saved.name, saved.etag)

    def _created(
        self, performance: Performance, session: sessions_pb2.Session, request_id: str
    ) -> sessions_pb2.Session:
        digest = hashlib.sha256(request_id.encode()).hexdigest()[:32]
        create = sessions_pb2.CreateSessionRequest(
            parent=f"artists/{performance.artist}",
            session=session,
            request_id=f"performance-{performance.uid}-{digest}" if request_id else "",
        )
        try:
            return self._stub().CreateSession(create)
        except AlreadyExists as error:
            # The playhead has moved since the first call, so its repeat has another snapshot; it means the same save.
            earlier = error.metadata.get("resource", "")
            if error.reason != RequestIdReused.REASON or not earlier:
                raise
            found = self._stub().GetSession(sessions_pb2.GetSessionRequest(name=earlier))
            if found.display_name != session.display_name:
                raise
            mark_replayed()
            return found

    def _stub(self) -> SessionsServiceStub:
        return SessionsServiceStub(self.channels.sync("sessions"))


def _references(performance: Performance) -> list[sessions_pb2.AudioReference]:
    audio = {"full": performance.source.asset, **performance.stems.assets}
    made_by = performance.stems.separation
    if made_by and not performance.stems.assets:
        pending = {"vocals": "", "instruments": ""} if performance.stems.state == "PENDING" else {}
        audio |= pending
    return [
        sessions_pb2.AudioReference(track=TRACK, role=role, asset=asset, separation="" if role == "full" else made_by)
        for role, asset in audio.items()
    ]


def _view(found: stems_pb2.Separation) -> SeparationView:
    return SeparationView(
        name=found.name,
        has_ended=found.state in _ENDED,
        stems={stem.stem: stem.asset for stem in found.stems},
        error_reason=found.error_reason,
        error_message=found.error_message,
    )
