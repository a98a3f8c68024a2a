from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session as SqlSession
from sqlalchemy.orm import undefer

from chassis.clock import Clock
from chassis.db import etag_of
from chassis.paging import Pager
from services.sessions.domain.sessions import AudioReference, Revision, Session, SessionState
from services.sessions.store.tables import RevisionRow, SessionRow


class SessionRecords:
    """One artist's sessions and revisions in one transaction."""

    def __init__(self, session: SqlSession, artist: str, pager: Pager, clock: Clock, *, locking: bool) -> None:
        self._session, self._artist, self._pager, self._clock = session, artist, pager, clock
        self._locking = locking

    def session(self, uid: str, *, with_snapshot: bool = True) -> Session | None:
        """The session in any state, locked against other writers."""
        wanted = sa.select(SessionRow).where(SessionRow.artist == self._artist, SessionRow.uid == uid)
        row = self._session.scalar(wanted.with_for_update() if self._locking else wanted)
        if row is None:
            return None
        newest = self._revision(uid, row.revision, with_snapshot=with_snapshot)
        assert newest is not None, "a session always has the revision that it names"
        return _to_session(row, newest)

    def add(self, session: Session, canonical: bytes) -> Session:
        """Record a session with its first revision; gives it with its etag."""
        self._session.add(
            SessionRow(
                uid=session.uid,
                artist=self._artist,
                display_name=session.display_name,
                state=session.state.value,
                revision=session.newest.number,
                copied_from=session.copied_from,
                version=1,
                create_time=session.create_time,
                update_time=session.update_time,
            )
        )
        self._session.flush()
        self._add_revision(session.newest, canonical)
        return self._again(session.uid)

    def save(self, session: Session, canonical: bytes | None = None) -> Session:
        """Record a session's new state, and its newest revision if `canonical` is given; gives it with its etag."""
        if canonical is not None:
            self._add_revision(session.newest, canonical)
        self._session.execute(
            sa.update(SessionRow)
            .where(SessionRow.artist == self._artist, SessionRow.uid == session.uid)
            .values(
                display_name=session.display_name,
                state=session.state.value,
                revision=session.newest.number,
                delete_time=session.delete_time,
                update_time=self._clock.now(),
                version=SessionRow.version + 1,
            )
        )
        return self._again(session.uid)

    def remove(self, uid: str) -> None:
        """Forget a session and its history."""
        for table, key in ((RevisionRow, RevisionRow.session_uid), (SessionRow, SessionRow.uid)):
            self._session.execute(sa.delete(table).where(table.artist == self._artist, key == uid))

    def page(self, *, show_deleted: bool, size: int, token: str) -> tuple[list[Session], str]:
        """A page of sessions without snapshots and the next token."""
        states = [SessionState.SAVED.value] + [SessionState.DELETED.value] * show_deleted
        rows, following = self._pager.page(
            self._session,
            sa.select(SessionRow).where(SessionRow.artist == self._artist, SessionRow.state.in_(states)),
            order=(SessionRow.create_time, SessionRow.uid),
            size=size,
            token=token,
            filter=f"sessions\0{self._artist}\0{show_deleted}",
        )
        keys = [(row.uid, row.revision) for row in rows]
        newest = self._session.scalars(
            sa.select(RevisionRow).where(
                RevisionRow.artist == self._artist, sa.tuple_(RevisionRow.session_uid, RevisionRow.number).in_(keys)
            )
        )
        revisions = {row.session_uid: _to_revision(row, with_snapshot=False) for row in newest}
        return [_to_session(row, revisions[row.uid]) for row in rows], following

    def revision(self, uid: str, number: int) -> Revision | None:
        """A revision with its snapshot."""
        return self._revision(uid, number, with_snapshot=True)

    def audio_of_history(self, uid: str) -> set[str]:
        """Names of all assets that any revision refers to."""
        wanted = sa.select(RevisionRow.audio).where(RevisionRow.artist == self._artist, RevisionRow.session_uid == uid)
        return {one["asset"] for audio in self._session.scalars(wanted) for one in audio if one.get("asset")}

    def page_revisions(self, uid: str, *, size: int, token: str) -> tuple[list[Revision], str]:
        """A page of revisions without snapshots and the next token."""
        rows, following = self._pager.page(
            self._session,
            sa.select(RevisionRow).where(RevisionRow.artist == self._artist, RevisionRow.session_uid == uid),
            order=(RevisionRow.number,),
            size=size,
            token=token,
            filter=f"revisions\0{self._artist}\0{uid}",
        )
        return [_to_revision(row, with_snapshot=False) for row in rows], following

    def _again(self, uid: str) -> Session:
        self._session.expire_all()
        found = self.session(uid)
        assert found is not None, "the caller holds the row's lock"
        return found

    def _revision(self, uid: str, number: int, *, with_snapshot: bool) -> Revision | None:
        wanted = sa.select(RevisionRow).where(
            RevisionRow.artist == self._artist, RevisionRow.session_uid == uid, RevisionRow.number == number
        )
        row = self._session.scalar(wanted.options(undefer(RevisionRow.snapshot)) if with_snapshot else wanted)
        return _to_revision(row, with_snapshot=with_snapshot) if row else None

    def _add_revision(self, revision: Revision, canonical: bytes) -> None:
        self._session.add(
            RevisionRow(
                session_uid=revision.session_uid,
                number=revision.number,
                artist=self._artist,
                snapshot=canonical.decode(),
                snapshot_version=revision.snapshot_version,
                snapshot_bytes=len(canonical),
                audio=[reference.as_members() for reference in revision.audio],
                signature=revision.signature,
                principal=revision.principal,
                restored_from=revision.restored_from,
                create_time=revision.create_time,
            )
        )
        self._session.flush()


def _to_revision(row: RevisionRow, *, with_snapshot: bool) -> Revision:
    return Revision(
        artist=row.artist,
        session_uid=row.session_uid,
        number=row.number,
        snapshot=_parse(row.snapshot) if with_snapshot else None,
        snapshot_version=row.snapshot_version,
        snapshot_bytes=row.snapshot_bytes,
        audio=_to_audio(row.audio),
        signature=row.signature,
        principal=row.principal,
        restored_from=row.restored_from,
        create_time=row.create_time,
    )


def _parse(canonical: str) -> Any:
    # Canonical JSON writes 1e20 as an integer; all numbers of a snapshot are doubles.
    return json.loads(canonical, parse_int=float)


def _to_audio(members: Sequence[Mapping[str, Any]]) -> tuple[AudioReference, ...]:
    return tuple(AudioReference(**one) for one in members)


def _to_session(row: SessionRow, newest: Revision) -> Session:
    return Session(
        artist=row.artist,
        uid=row.uid,
        display_name=row.display_name,
        state=SessionState(row.state),
        newest=newest,
        create_time=row.create_time,
        update_time=row.update_time,
        delete_time=row.delete_time,
        copied_from=row.copied_from,
        etag=etag_of("session", row.uid, row.version),
    )


def purgeable(session: SqlSession, before: datetime, limit: int) -> list[tuple[str, str]]:
    """Artist and uid of the sessions deleted before the time."""
    wanted = sa.select(SessionRow.artist, SessionRow.uid).where(
        SessionRow.state == SessionState.DELETED.value, SessionRow.delete_time < before
    )
    return [(artist, uid) for artist, uid in session.execute(wanted.limit(limit))]
