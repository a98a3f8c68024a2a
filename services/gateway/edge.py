"""The outermost layer: ids, one log line, metrics, security headers, and every error as a problem document."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import tracing
from chassis.clock import Clock
from chassis.context import ResponseFlags, in_request, request_id
from chassis.errors import AppError
from chassis.health import Health
from chassis.logs import get_logger, unbind_all
from chassis.metrics import counter, gauge, histogram
from services.gateway.headers import sane_request_id
from services.gateway.problems import BodyRefused, Problems, is_fault

_log = get_logger("services.gateway.access")
REQUESTS = histogram("tonewright_gateway_request_seconds", "Time to answer a request", ("method", "route", "status"))
SENT = counter("tonewright_gateway_sent_bytes_total", "Bytes of response bodies", ("route",))
RECEIVED = counter("tonewright_gateway_received_bytes_total", "Bytes of request bodies", ("route",))
OPEN = gauge("tonewright_gateway_open_requests", "Requests that are being answered")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})
_CLIENT_LEFT = 499
_LINGER_S = 2.0
_SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "cross-origin",
}
_CSP = "default-src 'none'; frame-ancestors 'none'; sandbox"


@dataclass(slots=True)
class _Exchange:
    """What is known of one request and its response."""

    flags: ResponseFlags
    status: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0


class Edge:
    """Wraps the application: request id, trace, metrics, log line, security headers.

    Args:
        app: The application.
        clock: Source of time.
        health: Says whether the process drains; its answers then end their connections, so that clients which keep
            them go over to another process.
    """

    def __init__(self, app: ASGIApp, clock: Clock, health: Health) -> None:
        self._app = app
        self._clock = clock
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        began = self._clock.monotonic()
        with (
            in_request(sane_request_id(headers.get("x-request-id"))) as flags,
            tracing.span(f"HTTP {scope['method']}", headers.get("traceparent")),
            OPEN.track_inprogress(),
        ):
            exchange = _Exchange(flags)
            try:
                await self._app(scope, _counted(receive, exchange), _dressed(send, exchange, self._health))
            except asyncio.CancelledError:
                # The server stops; the client sees by the length that the response ended early.
                _log.info("response_stopped", route=route_of(scope))
            finally:
                self._account(scope, exchange, self._clock.monotonic() - began)
                unbind_all()

    def _account(self, scope: Scope, exchange: _Exchange, wall_s: float) -> None:
        route = route_of(scope)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        status = exchange.status or _CLIENT_LEFT
        REQUESTS.labels(method, route, str(status)).observe(wall_s)
        SENT.labels(route).inc(exchange.sent_bytes)
        RECEIVED.labels(route).inc(exchange.received_bytes)
        if scope["path"] in _QUIET and status < HTTPStatus.BAD_REQUEST:
            return
        identity = scope.get("state", {}).get("identity")
        _log.info(
            "request_answered",
            method=method,
            route=route,
            status=status,
            wall_s=round(wall_s, 4),
            sent_bytes=exchange.sent_bytes,
            received_bytes=exchange.received_bytes,
            artist=scope.get("path_params", {}).get("artist", ""),
            key_id=getattr(identity, "key_id", ""),
        )


class Faults:
    """Turns what is raised inside into problem responses; nothing reaches a caller as anything else.

    Args:
        app: The application.
        problems: Makes problem responses.
    """

    def __init__(self, app: ASGIApp, problems: Problems) -> None:
        self._app = app
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = _Body(receive, send, is_read=not _has_body(scope))
        try:
            await self._app(scope, body.receive, body.send)
        except ClientDisconnect:
            return
        except Exception as error:
            typed = error.error if isinstance(error, BodyRefused) else error
            if body.has_started:
                # A response that has begun cannot become a problem: it ends early, which its length tells the client.
                # A complete one was made of this very error further in.
                if not body.is_complete:
                    _log.error("response_cut_off", exc_info=error)
                return
            if isinstance(typed, AppError):
                await self._refuse(typed, scope, receive, send, body)
            else:
                await self._problems.unexpected(error)(scope, receive, send)

    async def _refuse(self, error: AppError, scope: Scope, receive: Receive, send: Send, body: _Body) -> None:
        if is_fault(error):
            _log.error("request_failed", error_id=error.metadata.get("error_id", ""), reason=error.reason)
        await refuse_early(self._problems.response(error), scope, receive, send, unread=not body.is_read)


class _Body:
    """Whether the request was read and the response begun."""

    def __init__(self, receive: Receive, send: Send, *, is_read: bool) -> None:
        self._receive = receive
        self._send = send
        self.is_read = is_read
        self.has_started = False
        self.is_complete = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            self.is_read = True
        return message

    async def send(self, message: Message) -> None:
        self.has_started = True
        self.is_complete = message["type"] == "http.response.body" and not message.get("more_body")
        await self._send(message)


async def refuse_early(
    response: Callable[[Scope, Receive, Send], Awaitable[None]],
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    unread: bool,
) -> None:
    """Send a refusal; where the body was not read, wait a little for the client to hear it.

    Closing while the client still sends would reset the connection and lose the answer, so what comes is read and
    dropped for a moment first.
    """
    if not unread:
        await response(scope, receive, send)
        return

    async def send_and_linger(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["connection"] = "close"
            await send(message)
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            await send({**message, "more_body": True})
            await _drop_body(receive)
            await send({"type": "http.response.body", "body": b""})
        else:
            await send(message)

    await response(scope, receive, send_and_linger)


async def _drop_body(receive: Receive) -> None:
    try:
        async with asyncio.timeout(_LINGER_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return
    except (TimeoutError, BodyRefused):
        return


def route_of(scope: Scope) -> str:
    """The template of the route, so that neither ids nor tokens nor file names get into logs and labels."""
    route = scope.get("route")
    return str(getattr(route, "path_format", None) or getattr(route, "path", None) or "none")


def _counted(receive: Receive, exchange: _Exchange) -> Receive:
    async def counted() -> Message:
        message = await receive()
        if message["type"] == "http.request":
            exchange.received_bytes += len(message.get("body", b""))
        return message

    return counted


def _dressed(send: Send, exchange: _Exchange, health: Health) -> Send:
    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = request_id()
            headers["traceparent"] = tracing.traceparent()
            for name, value in _SECURITY.items():
                headers.setdefault(name, value)
            if not headers.get("content-type", "").startswith("text/html"):
                headers.setdefault("content-security-policy", _CSP)
            if exchange.flags.replayed:
                headers["idempotent-replayed"] = "true"
            if health.is_draining:
                headers["connection"] = "close"
        elif message["type"] == "http.response.body":
            exchange.sent_bytes += len(message.get("body", b""))
        await send(message)

    return dressed


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
