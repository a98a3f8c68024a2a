"""Exports in SQL; their rows are jobs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.context import caller
from chassis.db import artist_scope
from chassis.ids import format_name
from chassis.jobs import Jobs
from chassis.paging import Page, page_size
from services.datasets.domain import items
from services.datasets.domain.exports import (
    Export,
    ExportFile,
    ExportFormat,
    ExportInUse,
    ExportNotFound,
    ExportOptions,
    JobState,
    Layout,
    Segment,
)
from services.datasets.domain.items import ItemState
from services.datasets.domain.ports import RequestKey
from services.datasets.domain.provider_runs import RunState
from services.datasets.domain.recipes import AudioMode
from services.datasets.domain.snapshots import Snapshot, SnapshotMember, SnapshotNotFound
from services.datasets.store.shared import Ground, changed_meanwhile, earlier, give_back, recorded
from services.datasets.store.snapshot_tables import ExportFiles, SnapshotMembers
from services.datasets.store.snapshots import (
    insert_snapshot,
    place_in,
    remove_snapshot,
    row_of,
    to_finding,
    to_snapshot,
    users_of,
)
from services.datasets.store.tables import Exports, ExportSegments, TrainingItems
from services.datasets.store.training_tables import Trainings

_PLAIN = (
    "uid",
    "artist",
    "principal",
    "snapshot_uid",
    "display_name",
    "item_count",
    "duration_s",
    "chunk_count",
    "progress_percent",
    "stage",
    "attempt",
    "eta_s",
    "file_name",
    "size_bytes",
    "content_etag",
    "create_time",
    "update_time",
    "end_time",
)
_FILE = (
    "position",
    "path",
    "size_bytes",
    "crc32",
    "conversion",
    "start_s",
    "duration_s",
    "rate_hz",
    "channels",
    "text",
)
_ROWS = 1000  # rows of one statement


class SqlExports:
    """Exports with their files and layouts, in SQL."""

    def __init__(self, ground: Ground, jobs: Jobs[Exports]) -> None:
        self._ground, self._jobs = ground, jobs

    def add(
        self, export: Export, key: RequestKey, snapshot: Snapshot | None, members: Sequence[SnapshotMember]
    ) -> Export:
        """The stored export, queued, with its own snapshot if one is given; a repeat gives what the first one made."""
        with self._ground.db.transaction(artist_scope(export.artist)) as session:
            if name := earlier(session, key, export.name, self._ground.clock):
                return to_export(_row(session, export.artist, name.rpartition("/")[2]))
            if snapshot is not None:
                insert_snapshot(session, snapshot, members)
            row = Exports(
                **{name: getattr(export, name) for name in _PLAIN},
                state=export.state.value,
                export_format=export.export_format.value,
                options=asdict(export.options),
                warnings=[asdict(warning) for warning in export.warnings],
            )
            self._jobs.enqueue(session, row)
            try:
                session.flush()
            except IntegrityError as error:  # the snapshot was deleted since it was read
                raise SnapshotNotFound(f"snapshot {export.snapshot_uid!r} does not exist") from error
            return to_export(row)

    def replayed(self, artist: str, key: RequestKey) -> Export | None:
        """What an earlier request of this key made."""
        with self._ground.db.transaction(artist_scope(artist)) as session:
            name = recorded(session, key, self._ground.clock)
            return to_export(_row(session, artist, name.rpartition("/")[2])) if name else None

    def get(self, artist: str, uid: str) -> Export:
        """The export, or ExportNotFound."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return to_export(_row(session, artist, uid))

    def page(self, artist: str, *, size: int, token: str) -> Page[Export]:
        """Exports, newest first."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            rows, following = self._ground.pager.page(
                session,
                sa.select(Exports).where(Exports.artist == artist),
                order=(Exports.create_time, Exports.uid),
                size=size,
                token=token,
                filter=f"exports/{artist}",
            )
            return Page([to_export(row) for row in rows], following)

    def finish(self, export: Export, fence: int, layout: Layout, files: Sequence[ExportFile], file_name: str) -> None:
        """Commit the archive and mark its unchanged items as exported; LeaseLost if another worker has the job."""
        with self._ground.db.transaction(artist_scope(export.artist)) as session:
            self._jobs.finish(
                session,
                export.uid,
                fence,
                stage="",
                file_name=file_name,
                size_bytes=layout.size_bytes,
                content_etag=layout.content_etag,
            )
            for start in range(0, len(layout.segments), _ROWS):
                part = layout.segments[start : start + _ROWS]
                session.execute(sa.insert(ExportSegments), [_segment_columns(export, segment) for segment in part])
            for start in range(0, len(files), _ROWS):
                part_of = files[start : start + _ROWS]
                session.execute(sa.insert(ExportFiles), [_file_columns(export, file) for file in part_of])
            self._mark_exported(session, export)

    def _mark_exported(self, session: Session, export: Export) -> None:
        frozen = sa.select(SnapshotMembers.item_uid).where(
            SnapshotMembers.snapshot_uid == export.snapshot_uid,
            SnapshotMembers.item_uid == TrainingItems.uid,
            SnapshotMembers.content_revision == TrainingItems.content_revision,
        )
        session.execute(
            sa.update(TrainingItems)
            .where(
                TrainingItems.artist == export.artist,
                TrainingItems.state.in_([ItemState.READY.value, ItemState.EXPORTED.value]),
                frozen.exists(),
            )
            .values(
                state=ItemState.EXPORTED.value,
                last_export=export.name,
                revision=TrainingItems.revision + 1,
                update_time=self._ground.clock.now(),
            )
            .execution_options(synchronize_session=False)
        )

    def cancel(self, artist: str, uid: str) -> Export:
        """The export after the wish to stop it."""
        with self._ground.db.transaction(artist_scope(artist)) as session:
            row = self._jobs.request_cancel(session, artist, uid)
            if row is None:
                raise _not_found(uid)
            return to_export(row)

    def delete(self, export: Export) -> None:
        """Remove the export, or ExportInUse; its own snapshot goes along unless something else uses that."""
        with self._ground.db.transaction(artist_scope(export.artist)) as session:
            _require_unread(session, export)
            gone = session.execute(
                sa.delete(Exports).where(
                    Exports.artist == export.artist, Exports.uid == export.uid, Exports.state == export.state.value
                )
            )
            if not gone.rowcount:  # type: ignore[attr-defined]
                _row(session, export.artist, export.uid)
                raise changed_meanwhile(export.name)
            # An item that was only ever exported here is no longer an exported one.
            session.execute(
                sa.update(TrainingItems)
                .where(TrainingItems.artist == export.artist, TrainingItems.last_export == export.name)
                .values(
                    last_export="",
                    state=sa.case(
                        (TrainingItems.state == ItemState.EXPORTED.value, ItemState.READY.value),
                        else_=TrainingItems.state,
                    ),
                    revision=TrainingItems.revision + 1,
                    update_time=self._ground.clock.now(),
                )
                .execution_options(synchronize_session=False)
            )
            # Exports made before there were snapshots hold their audio themselves.
            give_back(session, self._ground, export.artist, caller().principal, "", export.name)
            snapshot = row_of(session, export.artist, export.snapshot_uid)
            if snapshot.implicit and not any(users_of(session, export.artist, snapshot.uid).values()):
                remove_snapshot(session, self._ground, to_snapshot(snapshot))

    def file_page(self, export: Export, *, size: int, token: str) -> Page[ExportFile]:
        """The archive's files, in order."""
        filter = f"export-files/{export.name}"
        after, limit = place_in(self._ground, token, filter), page_size(size)
        with self._ground.db.transaction(artist_scope(export.artist), write=False) as session:
            found = list(_files(session, export, after=after, limit=limit + 1))
        if len(found) <= limit:
            return Page(found)
        return Page(found[:limit], self._ground.pager.seal([filter, found[limit - 1].position]))

    def files(self, export: Export) -> list[ExportFile]:
        """All files of the archive, in order."""
        with self._ground.db.transaction(artist_scope(export.artist), write=False) as session:
            return list(_files(session, export))

    def segments(self, export: Export, *, offset_bytes: int, limit: int) -> list[Segment]:
        """The segments from the one that holds the offset."""
        first = (
            sa.select(sa.func.max(ExportSegments.offset_bytes))
            .where(ExportSegments.export_uid == export.uid, ExportSegments.offset_bytes <= offset_bytes)
            .scalar_subquery()
        )
        wanted = sa.select(ExportSegments).where(
            ExportSegments.artist == export.artist,
            ExportSegments.export_uid == export.uid,
            ExportSegments.offset_bytes >= first,
        )
        with self._ground.db.transaction(artist_scope(export.artist), write=False) as session:
            rows = session.scalars(wanted.order_by(ExportSegments.offset_bytes).limit(limit))
            return [
                Segment(
                    row.offset_bytes,
                    row.length_bytes,
                    row.inline or b"",
                    row.object_key or "",
                    row.object_offset_bytes,
                )
                for row in rows
            ]


def to_export(row: Exports) -> Export:
    """The export that a row holds."""
    return Export(
        **{name: getattr(row, name) for name in _PLAIN},
        state=JobState(row.state),
        export_format=ExportFormat(row.export_format),
        options=_to_options(row.options),
        warnings=tuple(to_finding(warning) for warning in row.warnings),
        error_reason=row.error_reason or "",
        error_message=row.error_message or "",
    )


def _to_options(kept: dict[str, Any]) -> ExportOptions:
    mode = AudioMode(kept.get("audio_mode", AudioMode.AS_NEEDED.value))
    return ExportOptions(**{**kept, "audio_mode": mode})


def _row(session: Session, artist: str, uid: str) -> Exports:
    row = session.scalars(sa.select(Exports).where(Exports.artist == artist, Exports.uid == uid)).one_or_none()
    if row is None:
        raise _not_found(uid)
    return row


def _require_unread(session: Session, export: Export) -> None:
    active = [state.value for state in RunState if not state.is_final]
    reading = sa.select(Trainings.uid).where(
        Trainings.artist == export.artist, Trainings.export == export.name, Trainings.state.in_(active)
    )
    if uid := session.scalar(reading.limit(1)):
        training = f"artists/{export.artist}/trainings/{uid}"
        raise ExportInUse(
            f"{training} has not ended and reads {export.name}; cancel the training, or wait until it has ended",
            metadata={"training": training},
        )


def _not_found(uid: str) -> ExportNotFound:
    return ExportNotFound(f"export {uid!r} does not exist")


def _file_columns(export: Export, file: ExportFile) -> dict[str, object]:
    return {name: getattr(file, name) for name in _FILE} | {
        "export_uid": export.uid,
        "artist": export.artist,
        "item_uid": file.training_item.rpartition("/")[2],
    }


def _files(session: Session, export: Export, *, after: int = 0, limit: int | None = None) -> Iterator[ExportFile]:
    wanted = sa.select(ExportFiles).where(
        ExportFiles.artist == export.artist, ExportFiles.export_uid == export.uid, ExportFiles.position > after
    )
    rows = session.scalars(wanted.order_by(ExportFiles.position).limit(limit).execution_options(yield_per=_ROWS))
    return (_to_file(row) for row in rows)


def _to_file(row: ExportFiles) -> ExportFile:
    item = format_name(items.NAME, artist=row.artist, training_item=row.item_uid) if row.item_uid else ""
    return ExportFile(**{name: getattr(row, name) for name in _FILE}, training_item=item)


def _segment_columns(export: Export, segment: Segment) -> dict[str, object]:
    return {
        "export_uid": export.uid,
        "offset_bytes": segment.offset_bytes,
        "artist": export.artist,
        "length_bytes": segment.length_bytes,
        "inline": segment.inline or None,
        "object_key": segment.object_key or None,
        "object_offset_bytes": segment.object_offset_bytes,
    }
