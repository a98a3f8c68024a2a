"""Snapshots as messages and back."""

from __future__ import annotations

from services.datasets.api.item_messages import selection, to_audio, to_consent, to_finding
from services.datasets.api.shared import stamp, struct_of
from services.datasets.domain.items import Consent
from services.datasets.domain.snapshots import Snapshot, SnapshotMember
from services.datasets.use_cases.snapshots import SnapshotWish
from tonewright.datasets.v1 import datasets_pb2 as pb


def snapshot_wish(message: pb.Snapshot, artist: str) -> SnapshotWish:
    """What a caller wants frozen."""
    return SnapshotWish(message.display_name, selection(message.selection, artist))


def to_snapshot(snapshot: Snapshot, *, listed: bool = False) -> pb.Snapshot:
    """The snapshot as a message; in a list without the findings of single items."""
    return pb.Snapshot(
        name=snapshot.name,
        display_name=snapshot.display_name,
        item_count=snapshot.item_count,
        duration_s=snapshot.duration_s,
        content_sha256=snapshot.content_sha256,
        findings=[to_finding(one) for one in snapshot.findings if not (listed and one.training_item)],
        create_time=stamp(snapshot.create_time),
        update_time=stamp(snapshot.update_time),
        etag=snapshot.etag,
    )


def to_member(member: SnapshotMember) -> pb.SnapshotMember:
    """The frozen item as a message."""
    source = member.caption_source or "UNSPECIFIED"
    return pb.SnapshotMember(
        position=member.position,
        training_item=member.item_name,
        asset=member.audio.asset,
        caption=member.caption,
        caption_revision=member.caption_revision,
        audio=to_audio(member.audio),
        display_name=member.display_name,
        caption_source=pb.CaptionSource.Value(f"CAPTION_SOURCE_{source}"),
        provenance=struct_of(member.provenance) if member.provenance else None,
        live_set=member.live_set,
        live_set_sha256=member.live_set_sha256,
        licence=member.licence,
        consent=to_consent(member.consent) if member.consent != Consent() else None,
        tempo_bpm=member.tempo_bpm,
        key=member.key,
        time_signature=member.time_signature,
    )
