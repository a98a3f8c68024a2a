"""The repository: one transaction per call, every change a compare-and-set."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.context import Caller, Role
from chassis.db import Database, artist_scope, system_scope
from chassis.errors import EtagMismatch
from chassis.ids import parse_name
from chassis.paging import Page, Pager
from chassis.requests import once
from services.realtime.domain.performance import (
    PATTERN,
    Checkpoint,
    Performance,
    PerformanceEnded,
    PerformanceNotFound,
    State,
)
from services.realtime.domain.ports import Request
from services.realtime.domain.tickets import Ticket, TicketInvalid
from services.realtime.store.tables import (
    PerformanceRow,
    RequestRow,
    TicketRow,
    graph_columns,
    source_columns,
    to_domain,
    to_row,
)

_ENDED = (State.STOPPED.value, State.FAILED.value)
_ORDER = (PerformanceRow.create_time, PerformanceRow.uid)


class PerformanceStore:
    """Performances and tickets on SQLite or Postgres."""

    def __init__(self, db: Database, pager: Pager, clock: Clock) -> None:
        self._db = db
        self._pager = pager
        self._clock = clock

    def create(self, performance: Performance, request: Request) -> tuple[Performance, bool]:
        """The performance and whether it is new; a repeat of the request gives the first one."""
        artist = performance.artist
        with self._db.transaction(artist_scope(artist)) as session:
            earlier = once(
                session,
                RequestRow,
                caller=Caller("realtime", request.principal, artist, Role.EDITOR),
                method=request.method,
                request_id=request.request_id,
                fingerprint=request.fingerprint,
                resource=performance.name,
                clock=self._clock,
            )
            if earlier is not None:
                uid = parse_name(PATTERN, earlier)["performance"]
                return to_domain(_found(session, artist, uid)), False
            row = to_row(performance)
            session.add(row)
            session.flush()
            return to_domain(row), True

    def get(self, artist: str, uid: str) -> Performance:
        """One performance; raises PerformanceNotFound."""
        with self._db.transaction(artist_scope(artist), write=False) as session:
            return to_domain(_found(session, artist, uid))

    def page(self, artist: str, state: State | None, size: int, token: str) -> Page[Performance]:
        """The artist's performances, newest first."""
        select = sa.select(PerformanceRow).where(PerformanceRow.artist == artist)
        with self._db.transaction(artist_scope(artist), write=False) as session:
            return self._page(session, select, f"{artist}|{state or ''}", state, size, token)

    def search(self, state: State | None, size: int, token: str) -> Page[Performance]:
        """Performances of all artists, newest first."""
        with self._db.transaction(system_scope("search"), write=False) as session:
            return self._page(session, sa.select(PerformanceRow), f"search|{state or ''}", state, size, token)

    def _page(
        self, session: Session, select: Any, bound: str, state: State | None, size: int, token: str
    ) -> Page[Performance]:
        if state is not None:
            select = select.where(PerformanceRow.state == state.value)
        rows, following = self._pager.page(session, select, order=_ORDER, size=size, token=token, filter=bound)
        return Page([to_domain(row) for row in rows], following)

    def revise(self, performance: Performance, etag: str) -> Performance:
        """Write what a caller may change; raises EtagMismatch, PerformanceEnded."""

        def change(row: PerformanceRow) -> None:
            _open(row)
            row.revision += 1
            row.display_name = performance.display_name
            row.graph = graph_columns(performance.graph)
            for name, value in source_columns(performance).items():
                setattr(row, name, value)

        return self._change(performance.artist, performance.uid, change, etag)

    def end(self, artist: str, uid: str, now: datetime) -> Performance:
        """The performance as STOPPED; one that has ended stays as it is."""

        def change(row: PerformanceRow) -> None:
            if row.state not in _ENDED:
                row.state, row.end_time = State.STOPPED.value, now
                row.lease_owner, row.lease_expires_at = "", None

        return self._change(artist, uid, change)

    def remove(self, artist: str, uid: str, etag: str) -> Performance:
        """The performance that was removed, with its tickets."""
        with self._db.transaction(artist_scope(artist)) as session:
            row = _found(session, artist, uid, lock=True)
            gone = _checked(row, etag)
            session.delete(row)
            session.execute(sa.delete(TicketRow).where(TicketRow.artist == artist, TicketRow.performance == uid))
            return gone

    def claim(self, artist: str, uid: str, owner: str, lease_s: float) -> Performance:
        """Take the performance over under a new fencing token; raises PerformanceEnded."""

        def change(row: PerformanceRow) -> None:
            _open(row)
            row.fence += 1
            row.lease_owner, row.lease_expires_at = owner, self._clock.now() + timedelta(seconds=lease_s)

        return self._change(artist, uid, change, touch=False)

    def settle(self, held: Performance) -> Performance | None:
        """Write the holder's own changes; None if fencing token or revision are no longer what the holder believes."""
        with self._db.transaction(artist_scope(held.artist)) as session:
            row = session.get(PerformanceRow, held.uid, with_for_update=True)
            if row is None or row.state in _ENDED or (row.fence, row.revision) != (held.fence, held.revision):
                return None
            row.state, row.error_reason, row.error_message = held.state.value, held.error_reason, held.error_message
            row.update_time = self._clock.now()
            if held.state.has_ended:
                row.end_time, row.lease_owner, row.lease_expires_at = row.update_time, "", None
            for name, value in source_columns(held).items():
                setattr(row, name, value)
            return to_domain(row)

    def checkpoint(self, points: Iterable[Checkpoint], owner: str, lease_s: float) -> dict[str, Performance | None]:
        """Keep the checkpoints; gives the rows that are not as the holder believes, None for those that are gone."""
        lease = {"lease_owner": owner, "lease_expires_at": self._clock.now() + timedelta(seconds=lease_s)}
        return self._keep(
            points, lambda point: {**lease, "state": (State.LIVE if point.is_live else State.READY).value}
        )

    def release(self, points: Iterable[Checkpoint]) -> None:
        """Keep the checkpoints and give the leases back."""
        self._keep(points, lambda _point: {"lease_owner": "", "lease_expires_at": None, "state": State.READY.value})

    def _keep(
        self, points: Iterable[Checkpoint], columns: Callable[[Checkpoint], dict[str, Any]]
    ) -> dict[str, Performance | None]:
        changed: dict[str, Performance | None] = {}
        with self._db.transaction(system_scope("checkpoint")) as session:
            for point in points:
                kept = session.execute(
                    sa.update(PerformanceRow)
                    .where(
                        PerformanceRow.uid == point.uid,
                        PerformanceRow.artist == point.artist,
                        PerformanceRow.fence == point.fence,
                        PerformanceRow.revision == point.revision,
                        PerformanceRow.state.not_in(_ENDED),
                    )
                    .values(
                        graph=graph_columns(point.graph),
                        playhead_frames=point.playhead_frames,
                        checkpoint_time=self._clock.now(),
                        **columns(point),
                    )
                )
                if kept.rowcount == 0:  # type: ignore[attr-defined]
                    row = session.get(PerformanceRow, point.uid)
                    changed[point.uid] = to_domain(row) if row is not None else None
        return changed

    def unheld(self) -> list[Performance]:
        """Performances that are starting or live and that nobody holds."""
        select = (
            sa.select(PerformanceRow)
            .where(
                PerformanceRow.state.in_((State.STARTING.value, State.LIVE.value)),
                sa.or_(PerformanceRow.lease_expires_at.is_(None), PerformanceRow.lease_expires_at < self._clock.now()),
                # A fresh one is being opened by the process that made it.
                PerformanceRow.create_time < self._clock.now() - timedelta(seconds=10),
            )
            .order_by(PerformanceRow.create_time)
            .limit(20)
        )
        with self._db.transaction(system_scope("take_up"), write=False) as session:
            return [to_domain(row) for row in session.scalars(select)]

    def add_ticket(self, ticket: Ticket) -> None:
        """Remember a ticket; those of the artist that are too old are forgotten."""
        with self._db.transaction(artist_scope(ticket.artist)) as session:
            stale = sa.delete(TicketRow).where(
                TicketRow.artist == ticket.artist, TicketRow.expire_time < self._clock.now() - timedelta(hours=1)
            )
            session.execute(stale)
            session.add(
                TicketRow(
                    digest=ticket.digest,
                    artist=ticket.artist,
                    performance=ticket.performance,
                    principal=ticket.principal,
                    expire_time=ticket.expire_time,
                )
            )

    def redeem(self, digest: str, now: datetime, *, repeat_for: timedelta) -> Ticket:
        """The ticket, which is used up `repeat_for` after its first use; raises TicketInvalid."""
        # The secret itself says whose it is: the artist is not known before.
        with self._db.transaction(system_scope("redeem_ticket")) as session:
            used = session.execute(
                sa.update(TicketRow)
                .where(
                    TicketRow.digest == digest,
                    sa.or_(TicketRow.use_time.is_(None), TicketRow.use_time > now - repeat_for),
                    TicketRow.expire_time > now,
                )
                .values(use_time=sa.func.coalesce(TicketRow.use_time, now))
            )
            row = session.get(TicketRow, digest)
            if used.rowcount == 0 or row is None:  # type: ignore[attr-defined]
                fault = "is not known" if row is None else "was used before" if row.use_time else "has expired"
                raise TicketInvalid(f"the ticket {fault}; ask for a new one and connect within 60 s")
            return Ticket(row.digest, row.artist, row.performance, row.principal, row.expire_time)

    def _change(
        self,
        artist: str,
        uid: str,
        change: Callable[[PerformanceRow], None],
        etag: str = "",
        *,
        touch: bool = True,
    ) -> Performance:
        with self._db.transaction(artist_scope(artist)) as session:
            row = _found(session, artist, uid, lock=True)
            _checked(row, etag)
            change(row)
            if touch and session.is_modified(row):
                row.update_time = self._clock.now()
            session.flush()
            return to_domain(row)


def _found(session: Session, artist: str, uid: str, *, lock: bool = False) -> PerformanceRow:
    select = sa.select(PerformanceRow).where(PerformanceRow.uid == uid, PerformanceRow.artist == artist)
    row: PerformanceRow | None = session.scalar(select.with_for_update() if lock else select)
    if row is None:
        raise PerformanceNotFound(f"artists/{artist}/performances/{uid} does not exist")
    return row


def _checked(row: PerformanceRow, etag: str) -> Performance:
    found = to_domain(row)
    if etag and etag != found.etag:
        raise EtagMismatch(f"{found.name} changed since it was read; read it again and repeat")
    return found


def _open(row: PerformanceRow) -> None:
    if row.state in _ENDED:
        raise PerformanceEnded(
            f"artists/{row.artist}/performances/{row.uid} has ended ({row.state}); start another one"
        )
