"""Exports in SQL; their rows are jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.context import caller
from chassis.db import artist_scope
from chassis.ids import format_name
from chassis.jobs import Jobs
from chassis.paging import Page
from services.datasets.domain import items
from services.datasets.domain.exports import (
    Export,
    ExportFormat,
    ExportMember,
    ExportNotFound,
    ExportOptions,
    JobState,
    Layout,
    Segment,
)
from services.datasets.domain.findings import Finding, Severity
from services.datasets.domain.items import Audio, ItemState
from services.datasets.domain.ports import RequestKey
from services.datasets.store.shared import Ground, changed_meanwhile, earlier, give_back, recorded
from services.datasets.store.tables import ExportMembers, Exports, ExportSegments, TrainingItems

_PLAIN = (
    "uid",
    "artist",
    "principal",
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


class SqlExports:
    """Exports with their frozen items and layouts, in SQL."""

    def __init__(self, ground: Ground, jobs: Jobs[Exports]) -> None:
        self._ground, self._jobs = ground, jobs

    def add(self, export: Export, members: Sequence[ExportMember], key: RequestKey) -> Export:
        """The stored export, queued; a repeat gives what the first one made."""
        with self._ground.db.transaction(artist_scope(export.artist)) as session:
            if name := earlier(session, key, export.name, self._ground.clock):
                return to_export(_row(session, export.artist, name.rpartition("/")[2]))
            row = Exports(
                **{name: getattr(export, name) for name in _PLAIN},
                state=export.state.value,
                export_format=export.export_format.value,
                options=asdict(export.options),
                warnings=[asdict(warning) for warning in export.warnings],
            )
            self._jobs.enqueue(session, row)
            session.flush()
            session.execute(sa.insert(ExportMembers), [_member_columns(export, member) for member in members])
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

    def members(self, artist: str, uid: str) -> list[ExportMember]:
        """The frozen items, in order."""
        wanted = sa.select(ExportMembers).where(ExportMembers.artist == artist, ExportMembers.export_uid == uid)
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return [_to_member(row) for row in session.scalars(wanted.order_by(ExportMembers.position))]

    def finish(self, export: Export, fence: int, layout: Layout, file_name: str) -> None:
        """Commit the archive and mark its unchanged items as exported; LeaseLost if another worker has the job."""
        with self._ground.db.transaction(artist_scope(export.artist)) as session:
            self._jobs.finish(
                session,
                export.uid,
                fence,
                file_name=file_name,
                size_bytes=layout.size_bytes,
                content_etag=layout.content_etag,
            )
            rows = [_segment_columns(export, segment) for segment in layout.segments]
            for start in range(0, len(rows), 1000):
                session.execute(sa.insert(ExportSegments), rows[start : start + 1000])
            self._mark_exported(session, export)

    def _mark_exported(self, session: Session, export: Export) -> None:
        frozen = sa.select(ExportMembers.item_uid).where(
            ExportMembers.export_uid == export.uid,
            ExportMembers.item_uid == TrainingItems.uid,
            ExportMembers.content_revision == TrainingItems.content_revision,
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
        """Remove the export; its holds are given back."""
        with self._ground.db.transaction(artist_scope(export.artist)) as session:
            audios = session.scalars(sa.select(ExportMembers.audio).where(ExportMembers.export_uid == export.uid))
            assets = sorted({Audio(**audio).asset for audio in audios})
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
            for asset in assets:
                give_back(session, self._ground, export.artist, caller().principal, asset, export.name)

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
        options=ExportOptions(**row.options),
        warnings=tuple(_to_finding(warning) for warning in row.warnings),
        error_reason=row.error_reason or "",
        error_message=row.error_message or "",
    )


def _to_finding(kept: dict[str, str]) -> Finding:
    severity = Severity(kept.get("severity", Severity.WARNING.value))
    return Finding(kept["reason"], kept["message"], kept["training_item"], severity)


def _row(session: Session, artist: str, uid: str) -> Exports:
    row = session.scalars(sa.select(Exports).where(Exports.artist == artist, Exports.uid == uid)).one_or_none()
    if row is None:
        raise _not_found(uid)
    return row


def _not_found(uid: str) -> ExportNotFound:
    return ExportNotFound(f"export {uid!r} does not exist")


def _member_columns(export: Export, member: ExportMember) -> dict[str, object]:
    return {
        "export_uid": export.uid,
        "position": member.position,
        "artist": export.artist,
        "item_uid": member.item_uid,
        "caption": member.caption,
        "caption_revision": member.caption_revision,
        "content_revision": member.content_revision,
        "audio": asdict(member.audio),
    }


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


def _to_member(row: ExportMembers) -> ExportMember:
    name = format_name(items.NAME, artist=row.artist, training_item=row.item_uid)
    return ExportMember(
        row.position,
        row.item_uid,
        name,
        row.caption,
        row.caption_revision,
        row.content_revision,
        Audio(**row.audio),
    )
