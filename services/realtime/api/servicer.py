"""gRPC methods: message in, use case, message out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf import empty_pb2

from chassis.context import caller
from chassis.errors import require
from chassis.ids import parse_name
from chassis.paging import page_size
from chassis.runtime import MethodRule, WorkPool
from services.realtime.api import messages
from services.realtime.domain.graph import KNOBS
from services.realtime.domain.performance import PATTERN, SESSION_PATTERN
from services.realtime.domain.ports import Request, Saving
from services.realtime.use_cases.hall import Hall
from services.realtime.use_cases.performances import Performances
from tonewright.realtime.v1 import realtime_pb2 as pb
from tonewright.realtime.v1.realtime_pb2_grpc import RealtimeServiceServicer

PARENT = "artists/{artist}"
METHOD_RULES = {"RealtimeService/SearchPerformances": MethodRule(scope="platform", operator=True)}


class RealtimeServicer(RealtimeServiceServicer):
    """Performances, tickets and engines."""

    def __init__(self, pool: WorkPool, performances: Performances, hall: Hall, socket_url: Callable[[], str]) -> None:
        self._pool, self._performances, self._hall, self._socket_url = pool, performances, hall, socket_url

    async def CreatePerformance(self, request: pb.CreatePerformanceRequest, context: Any) -> pb.Performance:
        """Start a performance."""
        parse_name(PARENT, request.parent, field="parent")
        self._hall.admit()
        asked = Request(
            caller().principal,
            "CreatePerformance",
            request.request_id,
            request.performance.SerializeToString(deterministic=True),
        )
        wanted = messages.new_performance(request.performance)
        made, is_new = await self._pool.run(self._performances.create, caller(), wanted, asked)
        if is_new:
            self._hall.open_soon(made)
        return messages.to_proto(made)

    async def GetPerformance(self, request: pb.GetPerformanceRequest, context: Any) -> pb.Performance:
        """One performance."""
        return messages.to_proto(await self._pool.run(self._performances.get, *_parts(request.name)))

    async def ListPerformances(self, request: pb.ListPerformancesRequest, context: Any) -> pb.ListPerformancesResponse:
        """The artist's performances."""
        artist = parse_name(PARENT, request.parent, field="parent")["artist"]
        state = messages.state_of(request.state)
        page = await self._pool.run(self._performances.page, artist, state, request.page_size, request.page_token)
        return pb.ListPerformancesResponse(
            performances=map(messages.to_proto, page.items), next_page_token=page.next_page_token
        )

    async def UpdatePerformance(self, request: pb.UpdatePerformanceRequest, context: Any) -> pb.Performance:
        """Change a performance while it plays."""
        artist, uid = _parts(request.performance.name, field="performance.name")
        change = messages.change_of(request)
        await self._hall.checkpoint_of(uid)
        changed = await self._pool.run(self._performances.update, artist, uid, change, request.etag)
        await self._hall.checkpoint_of(uid)
        return messages.to_proto(changed)

    async def StopPerformance(self, request: pb.StopPerformanceRequest, context: Any) -> pb.Performance:
        """End a performance."""
        artist, uid = _parts(request.name)
        ended = await self._pool.run(self._performances.stop, artist, uid)
        await self._hall.checkpoint_of(uid)
        return messages.to_proto(ended)

    async def DeletePerformance(self, request: pb.DeletePerformanceRequest, context: Any) -> empty_pb2.Empty:
        """Remove a performance."""
        artist, uid = _parts(request.name)
        await self._pool.run(self._performances.delete, artist, uid, request.etag)
        await self._hall.checkpoint_of(uid)
        return empty_pb2.Empty()

    async def CreateTicket(self, request: pb.CreateTicketRequest, context: Any) -> pb.Ticket:
        """What opens the socket once."""
        _, uid = _parts(request.name)
        secret, ticket = await self._pool.run(self._performances.ticket, caller(), uid)
        return messages.to_ticket(secret, ticket, self._socket_url())

    async def SavePerformance(self, request: pb.SavePerformanceRequest, context: Any) -> pb.SavePerformanceResponse:
        """Keep the performance as a saved session."""
        artist, uid = _parts(request.name)
        if request.session:
            parse_name(SESSION_PATTERN, request.session, field="session")
        saving = Saving(request.display_name, request.session, request.session_etag, request.request_id)
        await self._hall.checkpoint_of(uid)
        saved = await self._pool.run(self._performances.save, artist, uid, saving)
        return pb.SavePerformanceResponse(session=saved.name, session_etag=saved.etag)

    async def ListEngines(self, request: pb.ListEnginesRequest, context: Any) -> pb.ListEnginesResponse:
        """The engines and their knobs."""
        artist = parse_name(PARENT, request.parent, field="parent")["artist"]
        page_size(request.page_size)
        require(not request.page_token, "page_token", "empty: all engines fit on one page")
        return pb.ListEnginesResponse(engines=[messages.to_engine(artist, name, KNOBS[name]) for name in sorted(KNOBS)])

    async def SearchPerformances(
        self, request: pb.SearchPerformancesRequest, context: Any
    ) -> pb.SearchPerformancesResponse:
        """Performances of all artists."""
        state = messages.state_of(request.state)
        page = await self._pool.run(self._performances.search, state, request.page_size, request.page_token)
        return pb.SearchPerformancesResponse(
            performances=map(messages.to_status, page.items), next_page_token=page.next_page_token
        )


def _parts(name: str, *, field: str = "name") -> tuple[str, str]:
    parts = parse_name(PATTERN, name, field=field)
    return parts["artist"], parts["performance"]
