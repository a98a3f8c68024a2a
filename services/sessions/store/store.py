from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session as SqlSession

from chassis.clock import Clock
from chassis.context import caller
from chassis.db import Database, artist_scope, system_scope
from chassis.paging import Pager
from chassis.requests import once
from services.sessions.domain.assets import Asset, Upload
from services.sessions.store import assets as asset_rows
from services.sessions.store import sessions as session_rows
from services.sessions.store.assets import AssetRecords
from services.sessions.store.sessions import SessionRecords
from services.sessions.store.tables import RequestRow, UploadRow


@dataclass(frozen=True, slots=True)
class SqlRecords:
    """Everything of one artist in one transaction."""

    assets: AssetRecords
    sessions: SessionRecords
    _session: SqlSession
    _clock: Clock

    def once(self, *, method: str, request_id: str, fingerprint: str, resource: str) -> str | None:
        """None if the request is new, else the resource that it made before."""
        return once(
            self._session,
            RequestRow,
            caller=caller(),
            method=method,
            request_id=request_id,
            fingerprint=fingerprint,
            resource=resource,
            clock=self._clock,
        )


@dataclass(frozen=True, slots=True)
class SqlStore:
    """The service's rows on SQLite or Postgres."""

    db: Database
    pager: Pager
    clock: Clock

    @contextmanager
    def read(self, artist: str) -> Iterator[SqlRecords]:
        """A transaction that only reads."""
        with self.db.transaction(artist_scope(artist), write=False) as session:
            yield self._records(session, artist, locking=False)

    @contextmanager
    def write(self, artist: str) -> Iterator[SqlRecords]:
        """A transaction that commits at the end of the block."""
        with self.db.transaction(artist_scope(artist)) as session:
            yield self._records(session, artist, locking=True)

    def overdue_uploads(self, now: datetime, limit: int) -> list[Upload]:
        """Open uploads of all artists past their expiry."""
        with self.db.transaction(system_scope("collect"), write=False) as session:
            return asset_rows.overdue(session, now, limit)

    def finished_uploads(self, before: datetime, limit: int) -> list[Upload]:
        """Uploads of all artists that ended and expired before the time."""
        with self.db.transaction(system_scope("collect"), write=False) as session:
            return asset_rows.finished(session, before, limit)

    def forget_upload(self, upload: Upload) -> None:
        """Remove an upload's row."""
        with self.db.transaction(artist_scope(upload.artist)) as session:
            session.execute(sa.delete(UploadRow).where(UploadRow.artist == upload.artist, UploadRow.uid == upload.uid))

    def purgeable_assets(self, before: datetime, limit: int) -> list[Asset]:
        """Assets of all artists deleted before the time that nothing holds, and those whose purge was interrupted."""
        with self.db.transaction(system_scope("collect"), write=False) as session:
            return asset_rows.purgeable(session, before, limit)

    def purgeable_sessions(self, before: datetime, limit: int) -> list[tuple[str, str]]:
        """Artist and uid of the sessions of all artists deleted before the time."""
        with self.db.transaction(system_scope("collect"), write=False) as session:
            return session_rows.purgeable(session, before, limit)

    def _records(self, session: SqlSession, artist: str, *, locking: bool) -> SqlRecords:
        return SqlRecords(
            AssetRecords(session, artist, self.pager, self.clock, locking=locking),
            SessionRecords(session, artist, self.pager, self.clock, locking=locking),
            session,
            self.clock,
        )
