"""The worker's side of exports: turns a queued export into an archive that reads back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from chassis.errors import AppError, require
from chassis.objects import ObjectNotFound, ObjectRange, ObjectStore
from services.datasets.domain import formats
from services.datasets.domain.exports import (
    ArchiveInvalid,
    ArchiveTooLarge,
    AudioMissing,
    Entry,
    Export,
    ExportFile,
    Layout,
    Segment,
    archive_name,
)
from services.datasets.domain.ports import ExportStore, Report, SnapshotStore
from services.datasets.domain.preparing import Renderer
from services.datasets.domain.recipes import Piece
from services.datasets.domain.snapshots import SnapshotMember

_HEADS_AT_ONCE = 8
_TEXT_MAX = 4096  # characters of a text that is kept beside the name of its file
# Shares of the whole, in percent, at which the stages begin.
_PREPARING, _PACKING, _UPLOADING, _VERIFYING, _DONE = 5.0, 70.0, 75.0, 95.0, 100.0


class Archives(Protocol):
    """Lays archives out and reads them back."""

    def lay_out(self, entries: Sequence[Entry], *, suffix: str, report: Callable[[int], None]) -> Layout:
        """The archive as byte ranges."""
        ...

    def read_back(self, entries: Sequence[Entry], layout: Layout, *, suffix: str) -> None:
        """Nothing if the layout holds exactly these files, else ArchiveInvalid."""
        ...

    def read_stored(
        self, entries: Sequence[Entry], layout: Layout, read: Callable[[int, int], bytes], *, suffix: str
    ) -> None:
        """Nothing if the stored archive is the one that was laid out, else ArchiveInvalid."""
        ...


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of one export."""

    export: Export
    members: list[SnapshotMember]
    report: Report

    def tell(self, begin: float, end: float, share: float, words: str) -> None:
        """Say how far a stage is that fills the percents between `begin` and `end`."""
        self.report(begin + (end - begin) * share, words)


class ExportBench:
    """Makes archives.

    Args:
        store: Exports.
        snapshots: What they are made of.
        renderer: Makes audio ready.
        archives: Lays files out.
        objects: Where bytes are.
        max_bytes: Size of the largest archive.
    """

    def __init__(
        self,
        store: ExportStore,
        snapshots: SnapshotStore,
        renderer: Renderer,
        archives: Archives,
        objects: ObjectStore,
        *,
        max_bytes: int = 1 << 40,
    ) -> None:
        require(max_bytes > 0, "max_bytes", "1 or more")
        self._store, self._snapshots, self._renderer = store, snapshots, renderer
        self._archives, self._objects, self._max_bytes = archives, objects, max_bytes

    def run(self, artist: str, uid: str, fence: int, report: Report) -> None:
        """Validate, prepare, pack, upload, verify and commit; safe to run again after any end."""
        report(0.0, "validating")
        export = self._store.get(artist, uid)
        run = _Run(export, self._snapshots.members(artist, export.snapshot_uid, provenance=False), report)
        self._validate(run)
        entries = self._pack(run, self._prepare(run))
        kind = formats.archive_kind(export.export_format)
        layout = self._lay_out(run, entries, kind.suffix)
        if not export.options.stored:
            self._verify(run, entries, layout, kind.suffix)
            self._finish(run, fence, entries, layout, layout)
            return
        key = archive_key(export)
        try:
            stored = self._upload(run, layout, key, kind.media_type)
            self._verify(run, entries, layout, kind.suffix)
            self._verify_stored(entries, layout, key, kind.suffix)
        except AppError as error:
            # A lease that is lost may have gone to another worker, which writes the same bytes under the same key.
            if error.reason != "LEASE_LOST":
                self._objects.delete(key)
            raise
        self._finish(run, fence, entries, layout, stored)

    def _validate(self, run: _Run) -> None:
        count = len(run.members)
        with ThreadPoolExecutor(_HEADS_AT_ONCE) as threads:
            heads = threads.map(lambda member: self._objects.head(member.audio.object_key), run.members)
            for done, (member, there) in enumerate(zip(run.members, heads, strict=True)):
                run.tell(0.0, _PREPARING, done / count, f"validating {done} of {count:,}")
                if there is None or there.size_bytes != member.audio.size_bytes:
                    raise _missing(member)

    def _prepare(self, run: _Run) -> list[Piece]:
        how = formats.recipe(run.export.export_format, run.export.options)
        count, pieces = len(run.members), list[Piece]()
        for done, member in enumerate(run.members):
            words = f"preparing {done + 1:,} of {count:,}"
            run.tell(_PREPARING, _PACKING, done / count, words)

            def told(share: float, _text: str, done: int = done, words: str = words) -> None:
                run.tell(_PREPARING, _PACKING, (done + share) / count, words)

            pieces += self._renderer.prepare(run.export.artist, member, how, told)
        return pieces

    def _pack(self, run: _Run, pieces: Sequence[Piece]) -> list[Entry]:
        export = run.export
        run.tell(_PACKING, _UPLOADING, 0.0, "packing")
        name = archive_name(export.display_name, "")
        entries = formats.layout(export.export_format, pieces, export.options, name=name)
        missing = {member.item_name for member in run.members} - {entry.training_item for entry in entries}
        if missing:
            raise ArchiveInvalid(f"{len(missing)} items are in no file, the first is {min(missing)}; export again")
        return entries

    def _lay_out(self, run: _Run, entries: Sequence[Entry], suffix: str) -> Layout:
        count = len(entries)

        def told(done: int) -> None:
            run.tell(_PACKING, _UPLOADING, done / count, f"packing {done:,} of {count:,}")

        layout = self._archives.lay_out(entries, suffix=suffix, report=told)
        if layout.size_bytes > self._max_bytes:
            raise ArchiveTooLarge(
                f"E9: the archive has {layout.size_bytes} bytes and may have {self._max_bytes}; export fewer items",
                metadata={"size_bytes": str(layout.size_bytes), "max_bytes": str(self._max_bytes)},
            )
        return layout

    def _upload(self, run: _Run, layout: Layout, key: str, media_type: str) -> Layout:
        parts = [
            ObjectRange(segment.object_key, segment.object_offset_bytes, segment.length_bytes)
            if segment.object_key
            else segment.inline
            for segment in layout.segments
        ]

        def told(done: int) -> None:
            words = f"uploading {done >> 20:,} of {layout.size_bytes >> 20:,} MiB"
            run.tell(_UPLOADING, _VERIFYING, done / layout.size_bytes, words)

        told(0)
        made = self._objects.compose(key, parts, media_type=media_type, tell=told)
        if made.size_bytes != layout.size_bytes:
            raise ArchiveInvalid(f"{made.size_bytes} of {layout.size_bytes} bytes were stored; export again")
        whole = Segment(0, layout.size_bytes, object_key=key)
        return Layout((whole,), layout.size_bytes, layout.content_etag)

    def _verify(self, run: _Run, entries: Sequence[Entry], layout: Layout, suffix: str) -> None:
        run.tell(_VERIFYING, _DONE, 0.0, "verifying")
        self._archives.read_back(entries, layout, suffix=suffix)
        sizes = {entry.object_key: entry.size_bytes for entry in entries if entry.object_key}
        with ThreadPoolExecutor(_HEADS_AT_ONCE) as threads:
            heads = threads.map(self._objects.head, sizes)
            for done, (key, there) in enumerate(zip(sizes, heads, strict=True)):
                run.tell(_VERIFYING, _DONE, done / len(sizes), f"verifying {done:,} of {len(sizes):,}")
                if there is None or there.size_bytes != sizes[key]:
                    raise ArchiveInvalid(f"object {key} is gone or has another size; export again")

    def _verify_stored(self, entries: Sequence[Entry], layout: Layout, key: str, suffix: str) -> None:
        def read(offset: int, length: int) -> bytes:
            return b"".join(self._objects.read(key, offset=offset, length=length))

        try:
            self._archives.read_stored(entries, layout, read, suffix=suffix)
        except ObjectNotFound as error:
            raise ArchiveInvalid(f"the stored archive {key} is gone; export again") from error

    def _finish(self, run: _Run, fence: int, entries: Sequence[Entry], layout: Layout, kept: Layout) -> None:
        export = run.export
        files = [_file(place, entry) for place, entry in enumerate(entries, start=1)]
        name = archive_name(export.display_name, formats.archive_kind(export.export_format).suffix)
        self._store.finish(export, fence, kept, files, name)


def archive_key(export: Export) -> str:
    """Where a stored archive lies."""
    suffix = formats.archive_kind(export.export_format).suffix
    return f"artists/{export.artist}/datasets/exports/{export.uid}{suffix}"


def _file(position: int, entry: Entry) -> ExportFile:
    text = entry.inline.decode(errors="replace") if entry.training_item and not entry.object_key else ""
    return ExportFile(
        position=position,
        path=entry.name,
        size_bytes=entry.size_bytes,
        crc32=entry.crc32,
        training_item=entry.training_item,
        conversion=entry.conversion,
        start_s=entry.start_s,
        duration_s=entry.duration_s,
        rate_hz=entry.rate_hz,
        channels=entry.channels,
        text=text[:_TEXT_MAX],
    )


def _missing(member: SnapshotMember) -> AudioMissing:
    return AudioMissing(
        f"the audio of {member.item_name} is gone; upload it again, attach it to the item, and export again",
        metadata={"training_item": member.item_name, "asset": member.audio.asset},
    )
