"""Exports as messages and back."""

from __future__ import annotations

from typing import Any

from chassis.errors import NotImplementedYet, require
from services.datasets.api.item_messages import item_state, to_finding
from services.datasets.api.shared import enum_value, failure, last_of, stamp
from services.datasets.domain import items
from services.datasets.domain.exports import Export, ExportFormat, ExportOptions, LayoutPart
from services.datasets.use_cases.exports import ExportWish
from tonewright.datasets.v1 import datasets_pb2 as pb


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
        warnings=[to_finding(warning) for warning in export.warnings],
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
