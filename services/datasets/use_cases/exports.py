"""What a person, and a worker, does with exports."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from chassis.clock import Clock
from chassis.errors import EtagMismatch, NotFound, require
from chassis.ids import new_uid
from chassis.objects import ObjectStore
from chassis.paging import Page
from services.datasets.domain.exports import (
    MAX_ITEMS,
    AudioMissing,
    Export,
    ExportFormat,
    ExportMember,
    ExportNotFinished,
    ExportOptions,
    ExportStillRunning,
    JobState,
    LayoutPart,
    OffsetOutOfRange,
    Segment,
    archive_name,
    chunk_count,
    entries,
    freeze,
    warnings_of,
)
from services.datasets.domain.items import ItemState
from services.datasets.domain.ports import Assets, ExportStore, ItemStore, LayOut, Report, RequestKey
from services.datasets.use_cases.items import chosen

MAX_SEGMENTS, DEFAULT_SEGMENTS = 2000, 1000
_INLINE_BUDGET = 1 << 20  # bytes of headers in one answer, well below the largest message
_EVERYTHING_READY = (ItemState.READY, ItemState.EXPORTED)


@dataclass(frozen=True, slots=True)
class ExportWish:
    """What a caller wants exported."""

    display_name: str = ""
    item_uids: tuple[str, ...] = ()
    states: tuple[ItemState, ...] = ()
    export_format: ExportFormat = ExportFormat.REPLICATE_MUSICGEN
    options: ExportOptions = field(default_factory=ExportOptions)


class ExportDesk:
    """Exports as people ask for them and read them."""

    def __init__(self, store: ExportStore, item_store: ItemStore, clock: Clock) -> None:
        self._store, self._items, self._clock = store, item_store, clock

    def create(self, artist: str, principal: str, wish: ExportWish, key: RequestKey) -> Export:
        """A queued export of items frozen now."""
        require(len(wish.display_name) <= 255, "export.display_name", "0 to 255 characters")
        printable = not wish.display_name or wish.display_name.isprintable()
        require(printable, "export.display_name", "one line without control characters")
        require(len(wish.item_uids) <= MAX_ITEMS, "selection.training_items", f"up to {MAX_ITEMS} items")
        if (made := self._store.replayed(artist, key)) is not None:
            return made
        selected = (
            chosen(self._items, artist, wish.item_uids)
            if wish.item_uids
            else self._items.in_states(artist, _states(wish.states), limit=MAX_ITEMS + 1)
        )
        members, now = freeze(selected, wish.export_format), self._clock.now()
        export = Export(
            artist=artist,
            uid=new_uid(),
            principal=principal,
            create_time=now,
            update_time=now,
            display_name=wish.display_name or f"dataset-{now:%Y-%m-%d}",
            export_format=wish.export_format,
            options=wish.options,
            item_count=len(members),
            duration_s=sum(member.audio.duration_s for member in members),
            chunk_count=_chunks(members, wish.options),
            warnings=warnings_of(members, wish.options),
        )
        return self._store.add(export, members, key)

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

    def layout(self, artist: str, uid: str, *, offset_bytes: int, max_segments: int) -> LayoutPart:
        """The archive's byte ranges from the one that holds the offset."""
        require(0 <= max_segments <= MAX_SEGMENTS, "max_segments", f"0 to {MAX_SEGMENTS}")
        require(offset_bytes >= 0, "offset_bytes", "0 or more")
        export = self._store.get(artist, uid)
        if export.state is not JobState.SUCCEEDED:
            raise ExportNotFinished(
                f"{export.name} is {export.state.value}; its archive can be read once it has SUCCEEDED",
                metadata={"state": export.state.value},
            )
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


class ExportBench:
    """The worker's side: turns a queued export into an archive."""

    def __init__(self, store: ExportStore, assets: Assets, objects: ObjectStore, lay_out: LayOut) -> None:
        self._store, self._assets, self._objects, self._lay_out = store, assets, objects, lay_out

    def run(self, artist: str, uid: str, fence: int, report: Report) -> None:
        """Hold the audio, check that it is there, lay the archive out and commit it; safe to run again."""
        export, members = self._store.get(artist, uid), self._store.members(artist, uid)
        held: set[str] = set()
        for done, member in enumerate(members):
            report(80.0 * done / len(members), "holding audio")
            if member.audio.asset not in held:
                self._take(export, member)
                held.add(member.audio.asset)
        files = entries(members, export.options)
        layout = self._lay_out(files, report=lambda done: report(80.0 + 19.0 * done / len(files), "laying out"))
        self._store.finish(export, fence, layout, archive_name(export.display_name))

    def _take(self, export: Export, member: ExportMember) -> None:
        try:
            self._assets.hold(member.audio.asset, export.name)
        except NotFound as error:
            raise _missing(member) from error
        there = self._objects.head(member.audio.object_key)
        if there is None or there.size_bytes != member.audio.size_bytes:
            raise _missing(member)


def _missing(member: ExportMember) -> AudioMissing:
    return AudioMissing(
        f"the audio of {member.item_name} is gone; upload it again, attach it to the item, and export again",
        metadata={"training_item": member.item_name, "asset": member.audio.asset},
    )


def _states(wanted: Collection[ItemState]) -> Collection[ItemState]:
    return wanted or _EVERYTHING_READY


def _chunks(members: Sequence[ExportMember], options: ExportOptions) -> int:
    # Inside a folder the trainer cuts nothing.
    return sum(1 if options.nested else chunk_count(member.audio.duration_s) for member in members)


def _within_budget(found: Sequence[Segment]) -> list[Segment]:
    part: list[Segment] = []
    inline = 0
    for segment in found:
        inline += len(segment.inline)
        if part and inline > _INLINE_BUDGET:
            break
        part.append(segment)
    return part
