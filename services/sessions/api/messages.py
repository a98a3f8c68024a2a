"""Domain to messages and back; pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from google.protobuf import struct_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from services.sessions.domain.assets import Analysis, Asset, Hold, Peaks
from services.sessions.domain.sessions import AudioReference, AudioStatus, Completeness, Revision, Session
from services.sessions.domain.snapshots import Change, Missing
from services.sessions.domain.waveform import PEAK_LEVELS
from services.sessions.use_cases.uploads import OpenedUpload
from tonewright.assets.v1 import assets_pb2
from tonewright.sessions.v1 import sessions_pb2


def to_timestamp(moment: datetime | None) -> Timestamp | None:
    """The message of a point in time; None stays None, which leaves the field unset."""
    if moment is None:
        return None
    found = Timestamp()
    found.FromDatetime(moment)
    return found


def to_asset(asset: Asset, *, with_fingerprint: bool = False) -> assets_pb2.Asset:
    """The message of an asset; a thousand fingerprints would not go into one message."""
    recording, content = asset.recording, asset.content
    return assets_pb2.Asset(
        name=asset.name,
        display_name=asset.display_name,
        kind=assets_pb2.Asset.KIND_AUDIO,
        state=assets_pb2.Asset.State.Value(f"STATE_{asset.state.value}"),
        sha256=content.sha256,
        blob_key=asset.blob_key,
        size_bytes=content.size_bytes,
        crc32=content.crc32,
        media_type=recording.media_type,
        frames=recording.frames,
        rate_hz=recording.rate_hz,
        channels=recording.channels,
        duration_s=asset.duration_s,
        pcm_sha256=recording.pcm_sha256,
        loudness_lufs=recording.loudness_lufs,
        peak=recording.peak,
        hold_count=asset.hold_count,
        create_time=to_timestamp(asset.create_time),
        update_time=to_timestamp(asset.update_time),
        delete_time=to_timestamp(asset.delete_time),
        purge_time=to_timestamp(asset.purge_time),
        etag=asset.etag,
        analysis=_to_analysis(recording.analysis, with_fingerprint=with_fingerprint),
    )


def _to_analysis(heard: Analysis | None, *, with_fingerprint: bool) -> assets_pb2.AudioAnalysis | None:
    if heard is None:
        return None
    return assets_pb2.AudioAnalysis(
        tempo_bpm=heard.tempo_bpm,
        tempo_confidence=heard.tempo_confidence,
        key=heard.key,
        key_confidence=heard.key_confidence,
        clipped_share=heard.clipped_share,
        silent_share=heard.silent_share,
        fingerprint=heard.fingerprint if with_fingerprint else b"",
    )


def to_upload(opened: OpenedUpload) -> assets_pb2.Upload:
    """The message of an upload."""
    upload = opened.upload
    return assets_pb2.Upload(
        name=upload.name,
        state=assets_pb2.Upload.State.Value(f"STATE_{upload.state.value}"),
        object_key="" if upload.asset else upload.object_key,
        put_url=opened.put_url,
        asset=upload.asset,
        sha256=upload.sha256,
        size_bytes=upload.size_bytes,
        media_type=upload.media_type,
        display_name=upload.display_name,
        create_time=to_timestamp(upload.create_time),
        expire_time=to_timestamp(upload.expire_time),
    )


def to_hold(hold: Hold) -> assets_pb2.AssetHold:
    """The message of a hold."""
    return assets_pb2.AssetHold(asset=hold.asset, holder=hold.holder, create_time=to_timestamp(hold.create_time))


def to_peaks(peaks: Peaks) -> assets_pb2.AssetPeaks:
    """The message of a waveform."""
    return assets_pb2.AssetPeaks(
        asset=peaks.asset.name,
        level=peaks.level,
        levels=len(PEAK_LEVELS),
        frames_per_bucket=peaks.frames_per_bucket,
        rate_hz=peaks.asset.recording.rate_hz,
        total_buckets=peaks.total_buckets,
        first_bucket=peaks.first_bucket,
        peaks=peaks.pairs,
    )


def to_session(session: Session, *, with_snapshot: bool = True) -> sessions_pb2.Session:
    """The message of a session."""
    newest = session.newest
    return sessions_pb2.Session(
        name=session.name,
        display_name=session.display_name,
        snapshot=_to_snapshot(newest.snapshot if with_snapshot else None),
        audio=_to_audio(newest.audio),
        snapshot_version=newest.snapshot_version,
        signature=newest.signature,
        revision=newest.number,
        copied_from=session.copied_from,
        state=sessions_pb2.Session.State.Value(f"STATE_{session.state.value}"),
        snapshot_bytes=newest.snapshot_bytes,
        create_time=to_timestamp(session.create_time),
        update_time=to_timestamp(session.update_time),
        delete_time=to_timestamp(session.delete_time),
        purge_time=to_timestamp(session.purge_time),
        etag=session.etag,
    )


def to_revision(revision: Revision) -> sessions_pb2.SessionRevision:
    """The message of a revision."""
    return sessions_pb2.SessionRevision(
        name=revision.name,
        revision=revision.number,
        snapshot=_to_snapshot(revision.snapshot),
        audio=_to_audio(revision.audio),
        snapshot_version=revision.snapshot_version,
        signature=revision.signature,
        principal=revision.principal,
        restored_from=revision.restored_from,
        create_time=to_timestamp(revision.create_time),
    )


def to_completeness(found: Completeness) -> sessions_pb2.Completeness:
    """The message of a report on a session's audio."""
    return sessions_pb2.Completeness(
        state=sessions_pb2.Completeness.State.Value(f"STATE_{found.readiness.value}"),
        message=found.message,
        audio=[_to_status(one) for one in found.audio],
    )


def to_change(change: Change) -> sessions_pb2.SnapshotChange:
    """The message of a difference."""
    kind = sessions_pb2.SnapshotChange.KIND_CHANGED
    if isinstance(change.before, Missing):
        kind = sessions_pb2.SnapshotChange.KIND_ADDED
    elif isinstance(change.after, Missing):
        kind = sessions_pb2.SnapshotChange.KIND_REMOVED
    return sessions_pb2.SnapshotChange(
        path=change.path, kind=kind, before=_to_value(change.before), after=_to_value(change.after)
    )


def from_snapshot(snapshot: struct_pb2.Struct) -> dict[str, Any]:
    """The members of a snapshot; every number is a double."""
    return {key: _from_value(value) for key, value in snapshot.fields.items()}


def from_audio(references: Iterable[sessions_pb2.AudioReference]) -> list[AudioReference]:
    """The audio references of a message."""
    return [AudioReference(one.track, one.role, one.asset, one.separation) for one in references]


def _to_audio(references: Sequence[AudioReference]) -> list[sessions_pb2.AudioReference]:
    return [
        sessions_pb2.AudioReference(track=one.track, role=one.role, asset=one.asset, separation=one.separation)
        for one in references
    ]


def _to_status(status: AudioStatus) -> sessions_pb2.AudioStatus:
    return sessions_pb2.AudioStatus(
        reference=_to_audio([status.reference])[0],
        state=sessions_pb2.AudioStatus.State.Value(f"STATE_{status.state.value}"),
        asset=to_asset(status.asset) if status.asset else None,
    )


def _to_snapshot(members: Mapping[str, Any] | None) -> struct_pb2.Struct | None:
    if members is None:
        return None
    found = struct_pb2.Struct()
    found.update(members)
    return found


def _to_value(value: Any) -> struct_pb2.Value | None:
    if isinstance(value, Missing):
        return None
    holder = struct_pb2.Struct()
    holder.update({"value": value})
    return holder.fields["value"]


def _from_value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return from_snapshot(value.struct_value)
    if kind == "list_value":
        return [_from_value(one) for one in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)
