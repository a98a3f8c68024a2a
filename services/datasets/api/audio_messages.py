"""The audio side's messages to domain values and back."""

from __future__ import annotations

from typing import Any

from chassis.errors import NotImplementedYet, require
from services.datasets.api.shared import enum_value, failure, last_of, moment_of, plain_struct, stamp, struct_of
from services.datasets.domain import items
from services.datasets.domain.exports import Export, ExportFormat, ExportOptions, LayoutPart
from services.datasets.domain.items import Audio, CaptionRevision, Consent, ItemState, TrainingItem
from services.datasets.use_cases.exports import ExportWish
from services.datasets.use_cases.items import ItemFacts
from tonewright.datasets.v1 import datasets_pb2 as pb


def to_item(item: TrainingItem) -> pb.TrainingItem:
    """The item as a message."""
    return pb.TrainingItem(
        name=item.name,
        display_name=item.display_name,
        asset=item.audio.asset if item.audio else "",
        caption=item.caption,
        live_set=item.live_set,
        provenance=struct_of(item.provenance) if item.provenance else None,
        licence=item.licence,
        consent=_to_consent(item.consent) if item.consent != Consent() else None,
        state=pb.TrainingItem.State.Value(f"STATE_{item.state.value}"),
        failure=item.failure,
        caption_revision=item.caption_revision,
        audio=_to_audio(item.audio) if item.audio else None,
        last_export=item.last_export,
        create_time=stamp(item.create_time),
        update_time=stamp(item.update_time),
        etag=item.etag,
    )


def _to_audio(audio: Audio) -> pb.AudioFacts:
    return pb.AudioFacts(
        sha256=audio.sha256,
        size_bytes=audio.size_bytes,
        media_type=audio.media_type,
        duration_s=audio.duration_s,
        rate_hz=audio.rate_hz,
        channels=audio.channels,
    )


def _to_consent(consent: Consent) -> pb.Consent:
    return pb.Consent(
        training_allowed=consent.training_allowed,
        given_by=consent.given_by,
        give_time=stamp(consent.give_time),
        evidence=consent.evidence,
    )


def item_facts(message: pb.TrainingItem) -> ItemFacts:
    """What a caller says of an item."""
    consent = message.consent
    return ItemFacts(
        display_name=message.display_name,
        asset=message.asset,
        caption=message.caption,
        live_set=message.live_set,
        provenance=plain_struct(message, "provenance"),
        licence=message.licence,
        consent=Consent(consent.training_allowed, consent.given_by, moment_of(consent, "give_time"), consent.evidence),
    )


def item_state(number: int, field: str = "state") -> ItemState | None:
    """The state that a filter names; None for all."""
    word = enum_value(pb.TrainingItem.State, number, "STATE_", field)
    return ItemState(word) if word else None


def to_revision(revision: CaptionRevision) -> pb.CaptionRevision:
    """The caption as a message."""
    return pb.CaptionRevision(
        name=revision.name,
        revision=revision.revision,
        caption=revision.caption,
        provenance=struct_of(revision.provenance) if revision.provenance else None,
        principal=revision.principal,
        create_time=stamp(revision.create_time),
    )


def export_wish(message: pb.Export, artist: str) -> ExportWish:
    """What a caller wants exported."""
    if message.snapshot:
        raise NotImplementedYet("exports of snapshots are not implemented in this release; name the training items")
    word = enum_value(pb.Export.Format, message.format, "FORMAT_", "export.format") or "REPLICATE_MUSICGEN"
    known = [known.value for known in ExportFormat]
    if word not in known:
        raise NotImplementedYet(f"format {word} is not implemented in this release; use {', '.join(known)}")
    names = message.selection.training_items
    uids = []
    for index, name in enumerate(names):
        owner, uid = last_of(items.NAME, name, field=f"export.selection.training_items[{index}]")
        require(owner == artist, f"export.selection.training_items[{index}]", f"an item of artists/{artist}")
        uids.append(uid)
    states = [item_state(number, "export.selection.states") for number in message.selection.states]
    return ExportWish(
        display_name=message.display_name,
        item_uids=tuple(uids),
        states=tuple(state for state in states if state is not None),
        export_format=ExportFormat(word),
        options=ExportOptions(message.options.trigger, message.options.nested),
    )


def to_export(export: Export) -> pb.Export:
    """The export as a message."""
    return pb.Export(
        name=export.name,
        display_name=export.display_name,
        format=pb.Export.Format.Value(f"FORMAT_{export.export_format.value}"),
        options=pb.Export.Options(trigger=export.options.trigger, nested=export.options.nested),
        state=pb.Export.State.Value(f"STATE_{export.state.value}"),
        progress_percent=export.progress_percent,
        item_count=export.item_count,
        duration_s=export.duration_s,
        chunk_count=export.chunk_count,
        file_name=export.file_name,
        size_bytes=export.size_bytes,
        content_etag=export.content_etag,
        warnings=[
            pb.Export.Warning(reason=warning.reason, message=warning.message, training_item=warning.training_item)
            for warning in export.warnings
        ],
        error=failure(export.error_reason, export.error_message),
        create_time=stamp(export.create_time),
        update_time=stamp(export.update_time),
        end_time=stamp(export.end_time),
        etag=export.etag,
    )


def to_layout(part: LayoutPart) -> pb.ExportLayout:
    """The part of an archive as a message."""
    return pb.ExportLayout(
        export=part.export.name,
        size_bytes=part.export.size_bytes,
        content_etag=part.export.content_etag,
        file_name=part.export.file_name,
        media_type="application/zip",
        segments=[_to_segment(segment) for segment in part.segments],
        next_offset_bytes=part.next_offset_bytes,
    )


def _to_segment(segment: Any) -> pb.ExportLayout.Segment:
    if not segment.object_key:
        return pb.ExportLayout.Segment(offset_bytes=segment.offset_bytes, inline=segment.inline)
    blob = pb.ExportLayout.BlobRange(
        object_key=segment.object_key,
        offset_bytes=segment.object_offset_bytes,
        length_bytes=segment.length_bytes,
    )
    return pb.ExportLayout.Segment(offset_bytes=segment.offset_bytes, blob=blob)
