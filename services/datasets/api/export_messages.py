"""Exports as messages and back."""

from __future__ import annotations

from typing import Any

from chassis.errors import require
from services.datasets.api.item_messages import selection, to_finding
from services.datasets.api.shared import enum_value, failure, last_of, stamp
from services.datasets.domain import formats, snapshots
from services.datasets.domain.exports import Export, ExportFile, ExportFormat, ExportOptions, LayoutPart
from services.datasets.domain.recipes import AudioMode
from services.datasets.use_cases.exports import ExportWish
from tonewright.datasets.v1 import datasets_pb2 as pb


def export_wish(message: pb.Export, artist: str) -> ExportWish:
    """What a caller wants exported."""
    word = enum_value(pb.Export.Format, message.format, "FORMAT_", "export.format")
    snapshot_uid = ""
    if message.snapshot:
        owner, snapshot_uid = last_of(snapshots.NAME, message.snapshot, field="export.snapshot")
        require(owner == artist, "export.snapshot", f"a snapshot of artists/{artist}")
    return ExportWish(
        display_name=message.display_name,
        selection=selection(message.selection, artist),
        snapshot_uid=snapshot_uid,
        export_format=ExportFormat(word) if word else ExportFormat.REPLICATE_MUSICGEN,
        options=export_options(message.options),
    )


def export_options(message: pb.Export.Options) -> ExportOptions:
    """Choices that change the bytes of the archive, with what absent ones mean."""
    mode = enum_value(pb.Export.AudioMode, message.audio_mode, "AUDIO_MODE_", "options.audio_mode")
    return ExportOptions(
        trigger=message.trigger,
        nested=message.nested,
        suffix=message.suffix,
        audio_mode=AudioMode(mode) if mode else AudioMode.AS_NEEDED,
        rate_hz=message.rate_hz or 44_100,
        channels=message.channels or 2,
        loudness_lufs=message.loudness_lufs if message.HasField("loudness_lufs") else None,
        cut=message.cut,
        remove_vocals=message.remove_vocals,
        stored=message.stored,
        validation_share=message.validation_share,
    )


def from_options(options: ExportOptions) -> pb.Export.Options:
    """The choices as a message."""
    return pb.Export.Options(
        trigger=options.trigger,
        nested=options.nested,
        suffix=options.suffix,
        audio_mode=pb.Export.AudioMode.Value(f"AUDIO_MODE_{options.audio_mode.value}"),
        rate_hz=options.rate_hz,
        channels=options.channels,
        loudness_lufs=options.loudness_lufs,
        cut=options.cut,
        remove_vocals=options.remove_vocals,
        stored=options.stored,
        validation_share=options.validation_share,
    )


def to_export(export: Export, *, listed: bool = False) -> pb.Export:
    """The export as a message; in a list without the findings of single items."""
    return pb.Export(
        name=export.name,
        display_name=export.display_name,
        snapshot=export.snapshot,
        format=pb.Export.Format.Value(f"FORMAT_{export.export_format.value}"),
        options=from_options(export.options),
        state=pb.Export.State.Value(f"STATE_{export.state.value}"),
        progress_percent=export.progress_percent,
        item_count=export.item_count,
        duration_s=export.duration_s,
        chunk_count=export.chunk_count,
        file_name=export.file_name,
        size_bytes=export.size_bytes,
        content_etag=export.content_etag,
        findings=[to_finding(one) for one in export.warnings if not (listed and one.training_item)],
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
        media_type=formats.archive_kind(part.export.export_format).media_type,
        segments=[_to_segment(segment) for segment in part.segments],
        next_offset_bytes=part.next_offset_bytes,
    )


def to_file(file: ExportFile) -> pb.ExportFile:
    """One file of an archive as a message."""
    return pb.ExportFile(
        path=file.path,
        size_bytes=file.size_bytes,
        crc32=file.crc32,
        training_item=file.training_item,
        conversion=file.conversion,
        start_s=file.start_s,
        duration_s=file.duration_s,
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
