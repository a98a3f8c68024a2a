"""The socket's own port: who may connect, and by what."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import websockets
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Origin, Subprotocol

from chassis.clock import Clock
from chassis.errors import AppError, DependencyUnavailable, FailedPrecondition, NotFound, Unauthenticated
from chassis.logs import get_logger
from chassis.metrics import gauge
from services.realtime.domain.tickets import TicketInvalid
from services.realtime.use_cases.hall import Hall, Run
from services.realtime.use_cases.performances import Performances
from services.realtime.ws.connection import Connection
from services.realtime.ws.messages import SUBPROTOCOL

log = get_logger(__name__)
PATH = "/v1/performances/socket"
MAX_MESSAGE_BYTES = 64 * 1024
NO_TICKET, NOT_FOUND, ENDED, NO_SUBPROTOCOL, BUSY, FAILED = 4401, 4404, 4410, 4406, 4429, 1011
_CONNECTIONS = gauge("tonewright_realtime_connections_open", "Clients connected to the socket")
_OPEN_S = 60.0
_FAREWELL_S = 0.3  # for `reconnect` and the close handshake


@dataclass(frozen=True, slots=True)
class SocketRules:
    """Where the socket listens and which pages may open it."""

    host: str
    port: int
    origins: Sequence[str]
    most_connections: int = 256


class SocketServer:
    """Accepts clients that bring a ticket; start it once, close it once."""

    def __init__(self, rules: SocketRules, hall: Hall, use_cases: Performances, *, run: Run, clock: Clock) -> None:
        self._rules = rules
        self._hall = hall
        self._use_cases = use_cases
        self._run = run
        self._clock = clock
        self._connections = 0
        self._server: Server | None = None
        self._fault = ""

    @property
    def port(self) -> int:
        """The port it listens at, once started."""
        assert self._server is not None
        return int(next(iter(self._server.sockets)).getsockname()[1])

    def check(self) -> None:
        """Nothing unless listening failed, then `DependencyUnavailable`."""
        if self._fault:
            raise DependencyUnavailable(
                "socket", f"cannot listen at {self._rules.host}:{self._rules.port}: {self._fault}"
            )

    async def serve(self, stopping: asyncio.Event) -> None:
        """Listen until told to stop, then let clients finish what they were told."""
        try:
            await self.start()
        except OSError as error:
            self._fault = str(error)
            raise
        self._fault = ""
        try:
            await stopping.wait()
            await asyncio.sleep(_FAREWELL_S)
        finally:
            await self.close()

    async def start(self) -> None:
        """Listen."""
        self._server = await serve(
            self._serve,
            self._rules.host,
            self._rules.port,
            # Programs send no Origin; pages must be on the list.
            origins=[None, *(Origin(origin) for origin in self._rules.origins)],
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            process_request=self._receive,
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            max_queue=16,
            open_timeout=5,
            close_timeout=2,
            ping_interval=20,
            ping_timeout=20,
            server_header=None,
        )

    async def close(self) -> None:
        """Take no more clients and let go of those that are left."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def _receive(self, _connection: ServerConnection, request: Request) -> Response | None:
        if urlsplit(request.path).path != PATH:
            return _answer(HTTPStatus.NOT_FOUND, f"The performance socket is at {PATH}.")
        if self._hall.is_draining:
            return _answer(
                HTTPStatus.SERVICE_UNAVAILABLE, "This server is going away; connect again.", **{"Retry-After": "1"}
            )
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        self._connections += 1
        _CONNECTIONS.set(self._connections)
        try:
            await self._admit(socket)
        except AppError as error:
            log.info("socket_refused", reason=error.reason)
            await socket.close(_code_of(error), error.message.encode()[:120].decode(errors="ignore"))
        except websockets.ConnectionClosed:
            return
        except Exception:
            log.exception("socket_failed")
            await socket.close(FAILED, "the server failed; connect again with resume")
        finally:
            self._connections -= 1
            _CONNECTIONS.set(self._connections)

    async def _admit(self, socket: ServerConnection) -> None:
        if socket.subprotocol != SUBPROTOCOL:
            await socket.close(NO_SUBPROTOCOL, f"ask for the subprotocol {SUBPROTOCOL}")
            return
        if self._connections > self._rules.most_connections:
            await socket.close(BUSY, "too many clients; connect again later")
            return
        assert socket.request is not None
        query = parse_qs(urlsplit(socket.request.path).query)
        secret = (query.get("ticket") or query.get("resume") or [_from_subprotocols(socket.request.headers)])[0]
        if not secret:
            raise TicketInvalid("there is no ticket; create one and connect with ?ticket=… within 60 s")
        ticket, resume_token = await self._run(self._use_cases.redeem, secret)
        async with asyncio.timeout(_OPEN_S):
            live = await self._hall.open(ticket.artist, ticket.performance)
        connection = Connection(socket, self._hall, self._use_cases, live, run=self._run, clock=self._clock)
        self._hall.join(live, connection)
        await connection.run(resume_token, _number(query.get("epoch", [""])[0]))


def _answer(status: HTTPStatus, text: str, **headers: str) -> Response:
    body = f"{text}\n".encode()
    told = Headers({"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body)), **headers})
    return Response(status.value, status.phrase, told, body)


def _from_subprotocols(headers: Headers) -> str:
    """A ticket among the offered subprotocols, for clients that keep secrets out of addresses: `ticket.{secret}`."""
    offered = ",".join(headers.get_all("Sec-WebSocket-Protocol")).split(",")
    return next((entry.strip().removeprefix("ticket.") for entry in offered if entry.strip().startswith("ticket.")), "")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _code_of(error: AppError) -> int:
    if isinstance(error, Unauthenticated):
        return NO_TICKET
    if isinstance(error, NotFound):
        return NOT_FOUND
    if isinstance(error, FailedPrecondition):
        return ENDED
    return BUSY if error.retry_after_s else FAILED
