"""Transactions over the rows of the prompt service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.context import Caller
from chassis.db import Database, Scope, artist_scope, system_scope
from chassis.paging import Pager
from chassis.requests import once
from services.prompt.domain import ports
from services.prompt.store.artists import ArtistRows
from services.prompt.store.captions import CaptionRows
from services.prompt.store.live_sets import LiveSetRows
from services.prompt.store.tables import RequestRow
from services.prompt.store.templates import TemplateRows


class Transaction(ArtistRows, LiveSetRows, CaptionRows, TemplateRows):
    """One transaction; every method but those of the platform names its artist."""

    def __init__(self, session: Session, pager: Pager, clock: Clock) -> None:
        self.session = session
        self.pager = pager
        self.clock = clock

    def once(self, caller: Caller, method: str, request_id: str, fingerprint: str, resource: str) -> str | None:
        """None for a new request, else the name that it made before."""
        return once(
            self.session,
            RequestRow,
            caller=caller,
            method=method,
            request_id=request_id,
            fingerprint=fingerprint,
            resource=resource,
            clock=self.clock,
        )

    def made_by(self, caller: Caller, method: str, request_id: str) -> str | None:
        """The name that a request made, whatever its body was; None for a new one."""
        key = {
            "artist": caller.artist,
            "principal": caller.principal,
            "method": method,
            "request_id": request_id,
        }
        row = self.session.get(RequestRow, key) if request_id else None
        return row.resource if row else None


class SqlStore:
    """The rows of the prompt service in a database."""

    def __init__(self, database: Database, pager: Pager, clock: Clock) -> None:
        self._database = database
        self._pager = pager
        self._clock = clock

    @contextmanager
    def of_artist(self, artist: str, *, write: bool = True) -> Iterator[ports.Transaction]:
        """A transaction over the rows of one artist."""
        with self._open(artist_scope(artist), write=write) as transaction:
            yield transaction

    @contextmanager
    def of_platform(self, job: str, *, write: bool = True) -> Iterator[ports.Transaction]:
        """A transaction over the rows of all artists, for the named job."""
        with self._open(system_scope(job), write=write) as transaction:
            yield transaction

    @contextmanager
    def _open(self, scope: Scope, *, write: bool) -> Iterator[Transaction]:
        with self._database.transaction(scope, write=write) as session:
            yield Transaction(session, self._pager, self._clock)
