"""Reads and changes of separations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.context import caller
from chassis.db import Database, artist_scope, system_scope
from chassis.errors import EtagMismatch
from chassis.ids import format_name, parse_name
from chassis.jobs import Jobs, LeaseLost
from chassis.outbox import Outbox
from chassis.paging import Page, Pager
from chassis.requests import once
from services.stems.domain import (
    CHUNKS_KEPT,
    NAME_PATTERN,
    Chunk,
    Result,
    Separation,
    SeparationNotEnded,
    SeparationNotFound,
    SeparationNotRetryable,
    State,
    end_event,
)
from services.stems.store.tables import (
    ChunkRow,
    OutboxRow,
    RequestRow,
    ResultRow,
    SeparationRow,
    plain_result,
    result_of,
    to_chunk,
    to_chunk_row,
    to_row,
    to_separation,
)

_OPERATOR = system_scope("operator")
_FINAL = tuple(state.value for state in State if state.is_final)
# Stages in which equal work is being done; before them it only looks whether it is.
_AT_WORK = ("decoding", "separating", "encoding", "storing")
_CHUNKS_AT_ONCE = 100
_EVENTS_AT_ONCE = 1000
# Longer than the repeats of a receiver that never answers well.
_EVENTS_KEPT = timedelta(days=7)
_NEWEST_FIRST = (SeparationRow.create_time, SeparationRow.uid)


@dataclass(frozen=True, slots=True)
class SeparationStore:
    """Separations and remembered results of one database."""

    db: Database
    jobs: Jobs[SeparationRow]
    pager: Pager
    clock: Clock
    outbox: Outbox[OutboxRow] | None = None  # of the API process, which alone tells ends

    def add(
        self, separation: Separation, request_id: str, fingerprint: bytes, *, method: str = "CreateSeparation"
    ) -> Separation:
        """The separation as kept: this one, or the one that the same request to the method made first."""
        with self.db.transaction(artist_scope(separation.artist)) as session:
            earlier = self._once(session, method, request_id, fingerprint, separation.name)
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

    def note_request(self, artist: str, method: str, request_id: str, fingerprint: bytes) -> None:
        """Keep that a request was made; raises RequestIdReused when its id came with another body before."""
        with self.db.transaction(artist_scope(artist)) as session:
            self._once(session, method, request_id, fingerprint, f"artists/{artist}")

    def _once(self, session: Session, method: str, request_id: str, fingerprint: bytes, resource: str) -> str | None:
        return once(
            session,
            RequestRow,
            caller=caller(),
            method=method,
            request_id=request_id,
            fingerprint=fingerprint,
            resource=resource,
            clock=self.clock,
        )

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
            row = _visible(session, artist, uid, lock=True)
            self._tell_end(session, row)
            if not self.jobs.retry(session, uid):
                raise SeparationNotRetryable(
                    f"separation {uid} is {row.state}; only a FAILED or CANCELLED one can be queued again"
                )
            session.refresh(row)
            # The next end is told again, and the next run has chunks again.
            row.end_event = row.chunks_gone_time = None
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
            self._tell_end(session, row)
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
        """Whether an equal separation is running that started earlier or is further."""
        began = sa.literal(separation.times.started, SeparationRow.start_time.type)
        is_earlier = sa.tuple_(SeparationRow.start_time, SeparationRow.uid) < sa.tuple_(began, separation.uid)
        twins = sa.select(SeparationRow.uid).where(
            *_equal(separation),
            SeparationRow.uid != separation.uid,
            SeparationRow.state == State.RUNNING.value,
            sa.or_(is_earlier, SeparationRow.stage.in_(_AT_WORK)),
        )
        with self.db.transaction(artist_scope(separation.artist), write=False) as session:
            return session.scalars(twins.limit(1)).first() is not None

    def wake_twins(self, separation: Separation) -> None:
        """Have equal work that waits begin at once."""
        with self.db.transaction(artist_scope(separation.artist)) as session:
            self._wake_twins(session, separation)

    def _wake_twins(self, session: Session, separation: Separation) -> None:
        waiting = sa.update(SeparationRow).where(
            *_equal(separation), SeparationRow.state == State.QUEUED.value, SeparationRow.not_before.is_not(None)
        )
        options = {"synchronize_session": False}
        if session.execute(
            waiting.values(not_before=None).returning(SeparationRow.uid), execution_options=options
        ).all():
            self.db.after_commit(session, self.jobs.announce)

    def add_chunk(self, separation: Separation, chunk: Chunk) -> None:
        """Tell a stretch that can be played; a repeat of its index replaces it.

        Raises:
            LeaseLost: The separation's fence is no longer the newest, or it is not running.
        """
        with self.db.transaction(artist_scope(separation.artist)) as session:
            held = sa.select(SeparationRow.uid).where(
                SeparationRow.artist == separation.artist,
                SeparationRow.uid == separation.uid,
                SeparationRow.fence == separation.attempt.fence,
                SeparationRow.state == State.RUNNING.value,
            )
            if session.scalars(held.with_for_update()).one_or_none() is None:
                raise LeaseLost(f"the lease on separation {separation.uid} is lost")
            session.merge(to_chunk_row(separation, chunk, self.clock.now()))

    def chunks(self, artist: str, uid: str, *, first: int) -> Sequence[Chunk]:
        """The stretches from this index on, in order, up to the first that is missing."""
        chosen = sa.select(ChunkRow).where(
            ChunkRow.artist == artist, ChunkRow.separation == uid, ChunkRow.position >= first
        )
        with self.db.transaction(artist_scope(artist), write=False) as session:
            rows = session.scalars(chosen.order_by(ChunkRow.position).limit(_CHUNKS_AT_ONCE)).all()
        return [to_chunk(row) for index, row in enumerate(rows, first) if row.position == index]

    def with_stale_chunks(self, *, limit: int) -> Sequence[Separation]:
        """Those of all artists whose chunks need not be kept any longer."""
        chosen = sa.select(SeparationRow).where(
            SeparationRow.publish_chunks,
            SeparationRow.chunks_gone_time.is_(None),
            SeparationRow.delete_time.is_(None),
            SeparationRow.state.in_(_FINAL),
            SeparationRow.end_time < self.clock.now() - CHUNKS_KEPT,
        )
        with self.db.transaction(system_scope("purge"), write=False) as session:
            return [to_separation(row) for row in session.scalars(chosen.limit(limit))]

    def forget_chunks(self, separation: Separation) -> None:
        """Drop the rows of its chunks."""
        artist, uid = separation.artist, separation.uid
        with self.db.transaction(artist_scope(artist)) as session:
            session.execute(sa.delete(ChunkRow).where(ChunkRow.artist == artist, ChunkRow.separation == uid))

    def mark_chunks_gone(self, separation: Separation) -> None:
        """Note that nothing is left of its chunks, unless it was queued again."""
        ended = sa.update(SeparationRow).where(
            SeparationRow.artist == separation.artist,
            SeparationRow.uid == separation.uid,
            SeparationRow.state.in_(_FINAL),
        )
        with self.db.transaction(artist_scope(separation.artist)) as session:
            session.execute(ended.values(chunks_gone_time=self.clock.now()))

    def tell_ends(self, *, limit: int) -> int:
        """Queue the events of ended separations that have none yet; gives how many."""
        untold = sa.select(SeparationRow).where(
            SeparationRow.webhook_url.is_not(None), SeparationRow.end_event.is_(None), SeparationRow.state.in_(_FINAL)
        )
        # Looked for first: on SQLite a transaction that may write keeps the others out.
        with self.db.transaction(system_scope("ends"), write=False) as session:
            if session.scalars(untold.with_only_columns(SeparationRow.uid).limit(1)).first() is None:
                return 0
        oldest = untold.order_by(SeparationRow.end_time).limit(limit).with_for_update(skip_locked=True)
        with self.db.transaction(system_scope("ends")) as session:
            rows = session.scalars(oldest).all()
            for row in rows:
                self._tell_end(session, row)
            return len(rows)

    def forget_events(self) -> int:
        """Drop settled events after a while; gives how many."""
        settled = (OutboxRow.state != "PENDING", OutboxRow.create_time < self.clock.now() - _EVENTS_KEPT)
        with self.db.transaction(system_scope("purge"), write=False) as session:
            uids = session.scalars(sa.select(OutboxRow.uid).where(*settled).limit(_EVENTS_AT_ONCE)).all()
        if uids:
            with self.db.transaction(system_scope("purge")) as session:
                session.execute(sa.delete(OutboxRow).where(OutboxRow.uid.in_(uids)))
        return len(uids)

    def _tell_end(self, session: Session, row: SeparationRow) -> None:
        """Queue the event of an end in the transaction that notes it, so that there is one for each end."""
        ended = to_separation(row)
        hook = ended.order.webhook
        if self.outbox is None or hook is None or row.end_event is not None or not ended.state.is_final:
            return
        told = end_event(ended)
        row.end_event = self.outbox.add(
            session, artist=row.artist, url=hook.url, secret=hook.secret, kind=told.kind, data=told.data
        )

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
            self._wake_twins(session, separation)
            return result_of(kept.result)


def _equal(separation: Separation) -> tuple[Any, ...]:
    return SeparationRow.artist == separation.artist, SeparationRow.content_key == separation.content_key


def _visible(session: Session, artist: str, uid: str, *, lock: bool = False) -> SeparationRow:
    chosen = sa.select(SeparationRow).where(
        SeparationRow.artist == artist, SeparationRow.uid == uid, SeparationRow.delete_time.is_(None)
    )
    row = session.scalars(chosen.with_for_update() if lock else chosen).one_or_none()
    if row is None:
        raise SeparationNotFound(format_name(NAME_PATTERN, artist=artist, separation=uid))
    return row
