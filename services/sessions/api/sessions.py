from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.longrunning.operations_pb2 import Operation

from chassis.errors import NotImplementedYet, require
from chassis.ids import parse_name
from chassis.runtime import WorkPool
from services.sessions.api import messages
from services.sessions.api.assets import check_mask
from services.sessions.domain.assets import PARENT
from services.sessions.domain.sessions import REVISION, SESSION
from services.sessions.use_cases.sessions import Changes, Sessions
from tonewright.sessions.v1 import sessions_pb2, sessions_pb2_grpc

_CHANGEABLE = {"display_name", "snapshot", "audio"}


class SessionsServicer(sessions_pb2_grpc.SessionsServiceServicer):
    """tonewright.sessions.v1.SessionsService."""

    def __init__(self, sessions: Sessions, pool: WorkPool) -> None:
        self._sessions, self._pool = sessions, pool

    async def GetSession(self, request: sessions_pb2.GetSessionRequest, context: Any) -> sessions_pb2.Session:
        """One session."""
        return messages.to_session(await self._on(request.name, self._sessions.get))

    async def ListSessions(
        self, request: sessions_pb2.ListSessionsRequest, context: Any
    ) -> sessions_pb2.ListSessionsResponse:
        """A page of sessions."""
        page = await self._pool.run(
            self._sessions.list,
            parse_name(PARENT, request.parent, field="parent")["artist"],
            show_deleted=request.show_deleted,
            size=request.page_size,
            token=request.page_token,
        )
        found = [messages.to_session(one, with_snapshot=False) for one in page.items]
        return sessions_pb2.ListSessionsResponse(sessions=found, next_page_token=page.next_page_token)

    async def CreateSession(self, request: sessions_pb2.CreateSessionRequest, context: Any) -> sessions_pb2.Session:
        """The new session."""
        artist = parse_name(PARENT, request.parent, field="parent")["artist"]
        require(request.session.HasField("snapshot"), "session.snapshot", "the state to save")
        made = await self._pool.run(
            self._sessions.create,
            artist,
            request.session.display_name,
            messages.from_snapshot(request.session.snapshot),
            messages.from_audio(request.session.audio),
            request_id=request.request_id,
        )
        return messages.to_session(made)

    async def UpdateSession(self, request: sessions_pb2.UpdateSessionRequest, context: Any) -> sessions_pb2.Session:
        """The session with what was changed."""
        check_mask(request.update_mask, _CHANGEABLE)
        changes = _changes(request.session, set(request.update_mask.paths))
        return messages.to_session(
            await self._on(
                request.session.name, self._sessions.update, changes, field="session.name", etag=request.etag
            )
        )

    async def DeleteSession(self, request: sessions_pb2.DeleteSessionRequest, context: Any) -> sessions_pb2.Session:
        """The session, deleted softly."""
        return messages.to_session(await self._on(request.name, self._sessions.delete, etag=request.etag))

    async def UndeleteSession(self, request: sessions_pb2.UndeleteSessionRequest, context: Any) -> sessions_pb2.Session:
        """The session, deleted no more."""
        return messages.to_session(await self._on(request.name, self._sessions.undelete))

    async def CopySession(self, request: sessions_pb2.CopySessionRequest, context: Any) -> sessions_pb2.Session:
        """The copy."""
        copied = await self._on(
            request.name,
            self._sessions.copy,
            display_name=request.display_name,
            revision=request.revision,
            request_id=request.request_id,
        )
        return messages.to_session(copied)

    async def OpenSession(
        self, request: sessions_pb2.OpenSessionRequest, context: Any
    ) -> sessions_pb2.OpenSessionResponse:
        """The session and a report on its audio."""
        session, report = await self._on(request.name, self._sessions.open)
        return sessions_pb2.OpenSessionResponse(
            session=messages.to_session(session), completeness=messages.to_completeness(report)
        )

    async def CheckDirty(
        self, request: sessions_pb2.CheckDirtyRequest, context: Any
    ) -> sessions_pb2.CheckDirtyResponse:
        """Whether a state differs from the saved one."""
        members = messages.from_snapshot(request.snapshot) if request.HasField("snapshot") else None
        found = await self._on(
            request.name, self._sessions.compare, members, messages.from_audio(request.audio), request.signature
        )
        return sessions_pb2.CheckDirtyResponse(
            dirty=found.dirty,
            signature=found.signature,
            saved_signature=found.session.newest.signature,
            revision=found.session.newest.number,
            etag=found.session.etag,
        )

    async def GetRevision(self, request: sessions_pb2.GetRevisionRequest, context: Any) -> sessions_pb2.SessionRevision:
        """One revision."""
        artist, uid, number = _revision(request.name)
        return messages.to_revision(await self._pool.run(self._sessions.revision, artist, uid, number))

    async def ListRevisions(
        self, request: sessions_pb2.ListRevisionsRequest, context: Any
    ) -> sessions_pb2.ListRevisionsResponse:
        """A page of revisions."""
        page = await self._on(
            request.parent, self._sessions.revisions, field="parent", size=request.page_size, token=request.page_token
        )
        found = [messages.to_revision(one) for one in page.items]
        return sessions_pb2.ListRevisionsResponse(revisions=found, next_page_token=page.next_page_token)

    async def RestoreRevision(self, request: sessions_pb2.RestoreRevisionRequest, context: Any) -> sessions_pb2.Session:
        """The session as it was at the revision."""
        artist, uid, number = _revision(request.name)
        return messages.to_session(await self._pool.run(self._sessions.restore, artist, uid, number, etag=request.etag))

    async def DiffRevisions(
        self, request: sessions_pb2.DiffRevisionsRequest, context: Any
    ) -> sessions_pb2.DiffRevisionsResponse:
        """What differs between two revisions."""
        found = await self._on(request.name, self._sessions.diff, request.from_revision, request.to_revision)
        return sessions_pb2.DiffRevisionsResponse(
            from_revision=found.from_revision,
            to_revision=found.to_revision,
            changes=[messages.to_change(one) for one in found.changes],
            truncated=found.truncated,
        )

    async def ImportLocalSessions(
        self, request: sessions_pb2.ImportLocalSessionsRequest, context: Any
    ) -> sessions_pb2.ImportLocalSessionsResponse:
        """Not in this release."""
        raise NotImplementedYet("ImportLocalSessions is not implemented in this release")

    async def ExportBundle(self, request: sessions_pb2.ExportBundleRequest, context: Any) -> Operation:
        """Not in this release."""
        raise NotImplementedYet("ExportBundle is not implemented in this release")

    async def GetBundle(self, request: sessions_pb2.GetBundleRequest, context: Any) -> sessions_pb2.SessionBundle:
        """Not in this release."""
        raise NotImplementedYet("GetBundle is not implemented in this release")

    async def _on(self, name: str, do: Callable[..., Any], *arguments: Any, field: str = "name", **named: Any) -> Any:
        """What the use case gives for the session of that name."""
        artist, uid = parse_name(SESSION, name, field=field).values()
        return await self._pool.run(do, artist, uid, *arguments, **named)


def _changes(session: sessions_pb2.Session, paths: set[str]) -> Changes:
    def wanted(field: str, *, is_set: bool) -> bool:
        return field in paths or (not paths and is_set)

    with_snapshot = wanted("snapshot", is_set=session.HasField("snapshot"))
    require(not with_snapshot or session.HasField("snapshot"), "session.snapshot", "the state to save")
    return Changes(
        display_name=session.display_name if wanted("display_name", is_set=bool(session.display_name)) else None,
        snapshot=messages.from_snapshot(session.snapshot) if with_snapshot else None,
        audio=messages.from_audio(session.audio) if wanted("audio", is_set=bool(session.audio)) else None,
    )


def _revision(name: str) -> tuple[str, str, int]:
    parts = parse_name(REVISION, name)
    number = parts["revision"]
    require(number.isascii() and number.isdigit() and len(number) < 18, "name", f"a revision's number, not {number!r}")
    return parts["artist"], parts["session"], int(number)
