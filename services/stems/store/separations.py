"""Reads and changes of separations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.context import caller
from chassis.db import Database, artist_scope, system_scope
from chassis.errors import EtagMismatch
from chassis.ids import format_name, parse_name
from chassis.jobs import Jobs
from chassis.paging import Page, Pager
from chassis.requests import once
from services.stems.domain import (
    NAME_PATTERN,
    Result,
    Separation,
    SeparationNotEnded,
    SeparationNotFound,
    SeparationNotRetryable,
    State,
)
from services.stems.store.tables import (
    RequestRow,
    ResultRow,
    SeparationRow,
    plain_result,
    result_of,
    to_row,
    to_separation,
)

_OPERATOR = system_scope("operator")
_NEWEST_FIRST = (SeparationRow.create_time, SeparationRow.uid)


@dataclass(frozen=True, slots=True)
class SeparationStore:
    """Separations and remembered results of one database."""

    db: Database
    jobs: Jobs[SeparationRow]
    pager: Pager
    clock: Clock

    def add(self, separation: Separation, request_id: str, fingerprint: bytes) -> Separation:
        """The separation as kept: this one, or the one that the same request made first."""
        with self.db.transaction(artist_scope(separation.artist)) as session:
            earlier = once(
                session,
                RequestRow,
                caller=caller(),
                method="CreateSeparation",
                request_id=request_id,
                fingerprint=fingerprint,
                resource=separation.name,
                clock=self.clock,
            )
            if earlier is not None:
                uid = parse_name(NAME_PATTERN, earlier)["separation"]
                return to_separation(_visible(session, separation.artist, uid))
            row = to_row(separation)
            if separation.state is State.QUEUED:
                self.jobs.enqueue(session, row)
            else:
                session.add(row)
            session.flush()
            return to_separation(row)

    def get(self, artist: str, uid: str) -> Separation:
        """One separation; raises `SeparationNotFound`."""
        with self.db.transaction(artist_scope(artist), write=False) as session:
            return to_separation(_visible(session, artist, uid))

    def page(
        self, artist: str, *, size: int, token: str, asset: str = "", state: State | None = None
    ) -> Page[Separation]:
        """The artist's separations, newest first."""
        chosen = sa.select(SeparationRow).where(SeparationRow.artist == artist)
        if asset:
            chosen = chosen.where(SeparationRow.asset == asset)
        with self.db.transaction(artist_scope(artist), write=False) as session:
            return self._page(session, chosen, size, token, state, f"{artist} {asset}")

    def page_of_all(self, *, size: int, token: str, state: State | None = None) -> Page[Separation]:
        """Separations of all artists, newest first."""
        with self.db.transaction(_OPERATOR, write=False) as session:
            return self._page(session, sa.select(SeparationRow), size, token, state, "*")

    def _page(
        self,
        session: Session,
        chosen: Any,
        size: int,
        token: str,
        state: State | None,
        scope: str,
    ) -> Page[Separation]:
        chosen = chosen.where(SeparationRow.delete_time.is_(None))
        if state is not None:
            chosen = chosen.where(SeparationRow.state == state.value)
        rows, next_token = self.pager.page(
            session, chosen, order=_NEWEST_FIRST, size=size, token=token, filter=f"{scope} {state}"
        )
        return Page([to_separation(row) for row in rows], next_token)

    def request_cancel(self, artist: str, uid: str) -> Separation:
        """Ask for the end of its work."""
        with self.db.transaction(artist_scope(artist)) as session:
            _visible(session, artist, uid)
            row = self.jobs.request_cancel(session, artist, uid)
            return to_separation(row or _visible(session, artist, uid))

    def requeue(self, artist: str, uid: str) -> Separation:
        """Queue it again with its counters at zero."""
        with self.db.transaction(_OPERATOR) as session:
            row = _visible(session, artist, uid)
            if not self.jobs.retry(session, uid):
                raise SeparationNotRetryable(
                    f"separation {uid} is {row.state}; only a FAILED or CANCELLED one can be queued again"
                )
            session.refresh(row)
            return to_separation(row)

    def mark_deleted(self, artist: str, uid: str, etag: str) -> Separation:
        """Hide it from then on."""
        with self.db.transaction(artist_scope(artist)) as session:
            row = _visible(session, artist, uid, lock=True)
            found = to_separation(row)
            if etag and etag != found.etag:
                raise EtagMismatch(f"{found.name} has changed; read it again and repeat with etag {found.etag}")
            if not found.state.is_final:
                raise SeparationNotEnded(f"{found.name} is {found.state}; cancel it first, then delete it")
            row.delete_time = self.clock.now()
            return found

    def deleted(self, *, limit: int) -> Sequence[Separation]:
        """Hidden ones of all artists whose holds are still to be released."""
        chosen = sa.select(SeparationRow).where(SeparationRow.delete_time.is_not(None)).limit(limit)
        with self.db.transaction(system_scope("purge"), write=False) as session:
            return [to_separation(row) for row in session.scalars(chosen)]

    def remove(self, separation: Separation) -> None:
        """Forget a hidden one, and its result when no other separation has it."""
        artist, key = separation.artist, separation.content_key
        mine = (SeparationRow.artist == artist, SeparationRow.uid == separation.uid)
        others = sa.exists().where(
            SeparationRow.artist == artist,
            SeparationRow.content_key == key,
            SeparationRow.state == State.SUCCEEDED.value,
            SeparationRow.delete_time.is_(None),
        )
        with self.db.transaction(artist_scope(artist)) as session:
            session.execute(sa.delete(SeparationRow).where(*mine, SeparationRow.delete_time.is_not(None)))
            session.execute(
                sa.delete(ResultRow).where(ResultRow.artist == artist, ResultRow.content_key == key, ~others)
            )

    def result(self, artist: str, content_key: str) -> Result | None:
        """What came out of equal work before."""
        with self.db.transaction(artist_scope(artist), write=False) as session:
            row = session.get(ResultRow, (artist, content_key))
            return result_of(row.result) if row else None

    def forget(self, artist: str, content_key: str, made_by: str) -> None:
        """Drop a remembered result whose stems are gone."""
        with self.db.transaction(artist_scope(artist)) as session:
            row = session.get(ResultRow, (artist, content_key), with_for_update=True)
            if row is not None and row.result["made_by"] == made_by:
                session.delete(row)

    def twin_at_work(self, separation: Separation) -> bool:
        """Whether an equal separation that started earlier is running."""
        twins = sa.select(SeparationRow.uid).where(
            SeparationRow.artist == separation.artist,
            SeparationRow.content_key == separation.content_key,
            SeparationRow.state == State.RUNNING.value,
            sa.tuple_(SeparationRow.start_time, SeparationRow.uid)
            < sa.tuple_(sa.literal(separation.times.started, SeparationRow.start_time.type), separation.uid),
        )
        with self.db.transaction(artist_scope(separation.artist), write=False) as session:
            return session.scalars(twins.limit(1)).first() is not None

    def finish(self, separation: Separation, result: Result) -> Result:
        """Commit the outcome under the separation's fence; gives what equal work committed first, if it did."""
        key = {"artist": separation.artist, "content_key": separation.content_key}
        with self.db.transaction(artist_scope(separation.artist)) as session:
            insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
            values: dict[str, Any] = {**key, "result": plain_result(result), "create_time": self.clock.now()}
            # On Postgres an equal job that commits at this moment is waited for, and its result is found below.
            session.execute(insert(ResultRow).values(values).on_conflict_do_nothing())
            kept = session.scalars(sa.select(ResultRow).filter_by(**key)).one()
            self.jobs.finish(session, separation.uid, separation.attempt.fence, stage="", result=kept.result)
            return result_of(kept.result)


def _visible(session: Session, artist: str, uid: str, *, lock: bool = False) -> SeparationRow:
    chosen = sa.select(SeparationRow).where(
        SeparationRow.artist == artist, SeparationRow.uid == uid, SeparationRow.delete_time.is_(None)
    )
    row = session.scalars(chosen.with_for_update() if lock else chosen).one_or_none()
    if row is None:
        raise SeparationNotFound(format_name(NAME_PATTERN, artist=artist, separation=uid))
    return row
