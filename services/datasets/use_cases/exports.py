"""What a person does with exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chassis.clock import Clock
from chassis.errors import EtagMismatch, require
from chassis.ids import new_uid
from chassis.paging import Page
from services.datasets.domain import formats
from services.datasets.domain.export_rules import chunks, export_findings, member_fault, once, refuse
from services.datasets.domain.exports import (
    ArchiveTooLarge,
    Export,
    ExportFile,
    ExportFormat,
    ExportNotFinished,
    ExportOptions,
    ExportStillRunning,
    JobState,
    LayoutPart,
    OffsetOutOfRange,
    Segment,
)
from services.datasets.domain.items import Selection
from services.datasets.domain.ports import ExportStore, RequestKey, SnapshotStore
from services.datasets.domain.snapshots import Snapshot, SnapshotMember
from services.datasets.use_cases.snapshots import SnapshotDesk, check_title, dated

MAX_SEGMENTS, DEFAULT_SEGMENTS = 2000, 1000
MAX_BYTES = 1 << 40
_INLINE_BUDGET = 1 << 20  # bytes of headers in one answer, well below the largest message


@dataclass(frozen=True, slots=True)
class ExportWish:
    """What a caller wants exported; a snapshot, or a selection."""

    display_name: str = ""
    selection: Selection = field(default_factory=Selection)
    snapshot_uid: str = ""
    export_format: ExportFormat = ExportFormat.REPLICATE_MUSICGEN
    options: ExportOptions = field(default_factory=ExportOptions)


class ExportDesk:
    """Exports as people ask for them and read them.

    Args:
        store: Where they are kept.
        snapshots: Where snapshots are kept.
        desk: Makes the snapshot of an export of a selection.
        clock: Where times come from.
        max_bytes: Size of the largest archive.
    """

    def __init__(
        self,
        store: ExportStore,
        snapshots: SnapshotStore,
        desk: SnapshotDesk,
        clock: Clock,
        *,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._store, self._snapshots, self._desk, self._clock = store, snapshots, desk, clock
        self._max_bytes = max_bytes

    def create(self, artist: str, principal: str, wish: ExportWish, key: RequestKey) -> Export:
        """A queued export of a snapshot, or of items frozen now."""
        check_title(wish.display_name, "export.display_name")
        one_source = not wish.snapshot_uid or wish.selection == Selection()
        require(one_source, "export.selection", "empty when a snapshot is given: its members are the selection")
        formats.check_options(wish.export_format, wish.options)
        if (made := self._store.replayed(artist, key)) is not None:
            return made
        if wish.snapshot_uid:
            return self._of_snapshot(artist, principal, wish, key)
        return self._of_selection(artist, principal, wish, key)

    def _of_snapshot(self, artist: str, principal: str, wish: ExportWish, key: RequestKey) -> Export:
        snapshot = self._snapshots.get(artist, wish.snapshot_uid)
        members = self._snapshots.members(artist, snapshot.uid, provenance=False)
        faults = [(member.item_name, _fault(wish, member)) for member in members]
        refuse(faults, len(members), _what(wish))
        return self._store.add(self._export(principal, wish, snapshot, members), key, None, members)

    def _of_selection(self, artist: str, principal: str, wish: ExportWish, key: RequestKey) -> Export:
        frozen = self._desk.frozen(artist, wish.selection, _what(wish), lambda member: _fault(wish, member))
        title = dated(wish.display_name, self._clock.now())
        snapshot = self._desk.of(artist, principal, title, frozen, implicit=True)
        export = self._export(principal, wish, snapshot, frozen.members)

        def keep() -> tuple[Export, str]:
            kept = self._store.add(export, key, snapshot, frozen.members)
            return kept, kept.snapshot_uid

        return self._desk.holding(snapshot, frozen.members, keep)

    def _export(
        self, principal: str, wish: ExportWish, snapshot: Snapshot, members: Sequence[SnapshotMember]
    ) -> Export:
        size_bytes, now = sum(member.audio.size_bytes for member in members), self._clock.now()
        if size_bytes > self._max_bytes:
            raise ArchiveTooLarge(
                f"E9: the audio has {size_bytes} bytes and an archive at most {self._max_bytes}; export fewer items",
                metadata={"size_bytes": str(size_bytes), "max_bytes": str(self._max_bytes)},
            )
        found = [*snapshot.findings, *export_findings(members, wish.export_format, wish.options)]
        return Export(
            artist=snapshot.artist,
            uid=new_uid(),
            principal=principal,
            create_time=now,
            update_time=now,
            display_name=dated(wish.display_name, now),
            export_format=wish.export_format,
            options=wish.options,
            item_count=len(members),
            duration_s=snapshot.duration_s,
            chunk_count=chunks(members, wish.options),
            snapshot_uid=snapshot.uid,
            warnings=once(found),
        )

    def get(self, artist: str, uid: str) -> Export:
        """One export."""
        return self._store.get(artist, uid)

    def page(self, artist: str, *, size: int, token: str) -> Page[Export]:
        """Exports, newest first."""
        return self._store.page(artist, size=size, token=token)

    def cancel(self, artist: str, uid: str) -> Export:
        """The export after the wish to stop it."""
        return self._store.cancel(artist, uid)

    def delete(self, artist: str, uid: str, etag: str) -> None:
        """Remove an export that has ended."""
        found = self._store.get(artist, uid)
        if etag and etag != found.etag:
            raise EtagMismatch(f"{found.name} has changed since it was read; read it again and repeat")
        if not found.state.is_final:
            raise ExportStillRunning(
                f"{found.name} is {found.state.value}; cancel it or wait until it has ended",
                metadata={"state": found.state.value},
            )
        self._store.delete(found)

    def file_page(self, artist: str, uid: str, *, size: int, token: str) -> Page[ExportFile]:
        """Files of a finished export, in archive order."""
        return self._store.file_page(self._finished(artist, uid), size=size, token=token)

    def layout(self, artist: str, uid: str, *, offset_bytes: int, max_segments: int) -> LayoutPart:
        """The archive's byte ranges from the one that holds the offset."""
        require(0 <= max_segments <= MAX_SEGMENTS, "max_segments", f"0 to {MAX_SEGMENTS}")
        require(offset_bytes >= 0, "offset_bytes", "0 or more")
        export = self._finished(artist, uid)
        if offset_bytes > export.size_bytes:
            raise OffsetOutOfRange(
                f"offset {offset_bytes} lies beyond the archive's {export.size_bytes} bytes",
                metadata={"size_bytes": str(export.size_bytes)},
            )
        if offset_bytes == export.size_bytes:
            return LayoutPart(export, [], export.size_bytes)
        found = self._store.segments(export, offset_bytes=offset_bytes, limit=max_segments or DEFAULT_SEGMENTS)
        part = _within_budget(found)
        return LayoutPart(export, part, part[-1].offset_bytes + part[-1].length_bytes)

    def _finished(self, artist: str, uid: str) -> Export:
        export = self._store.get(artist, uid)
        if export.state is not JobState.SUCCEEDED:
            raise ExportNotFinished(
                f"{export.name} is {export.state.value}; its archive can be read once it has SUCCEEDED",
                metadata={"state": export.state.value},
            )
        return export


def _what(wish: ExportWish) -> str:
    return f"exported as {wish.export_format.value}"


def _fault(wish: ExportWish, member: SnapshotMember) -> str:
    if fault := member_fault(member, wish.export_format, wish.options):
        return fault
    refused = formats.refusals(wish.export_format, [member], wish.options)
    return refused[0].description if refused else ""


def _within_budget(found: Sequence[Segment]) -> list[Segment]:
    part: list[Segment] = []
    inline = 0
    for segment in found:
        inline += len(segment.inline)
        if part and inline > _INLINE_BUDGET:
            break
        part.append(segment)
    return part
