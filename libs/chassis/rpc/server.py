"""The gRPC server of a service: servicers, health, reflection, limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis.channels import METADATA_BYTES
from chassis.clock import Clock
from chassis.errors import NotFound
from chassis.health import Health, Report
from chassis.rpc.interceptors import ServerInterceptor
from chassis.rpc.rules import MethodRule
from chassis.tokens import Verifier

Servicer = tuple[Callable[[Any, grpc.aio.Server], None], Any]
_WATCH_S = 1.0


class HealthServicer(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """gRPC health that mirrors readiness: the process as ``, its services by name, `dependency/<name>`."""

    def __init__(self, health: Health, services: Sequence[str]) -> None:
        self._health = health
        self._services = ("", *services)

    async def Check(self, request: Any, context: Any) -> Any:
        """How one of them is."""
        known = self._statuses(await self._health.check())
        if request.service not in known:
            raise NotFound(f"no service {request.service[:200]!r} is served here")
        return known[request.service]

    async def List(self, request: Any, context: Any) -> Any:
        """How all of them are."""
        return health_pb2.HealthListResponse(statuses=self._statuses(await self._health.check()))

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """How one of them is, and each change of it."""
        last = None
        unknown = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)
        while not self._health.is_draining:
            now = self._statuses(await self._health.check()).get(request.service, unknown)
            if now != last:
                yield now
            last = now
            await asyncio.sleep(_WATCH_S)
        yield _status(serving=False)

    def _statuses(self, report: Report) -> dict[str, Any]:
        answers = {f"dependency/{name}": _status(serving=works) for name, works in report.dependencies.items()}
        return answers | {name: _status(serving=report.ready) for name in self._services}


def _status(*, serving: bool) -> Any:
    kind = health_pb2.HealthCheckResponse
    return kind(status=kind.SERVING if serving else kind.NOT_SERVING)


def make_server(
    service: str,
    servicers: Sequence[Servicer],
    *,
    verifier: Verifier,
    health: Health,
    clock: Clock,
    rules: Mapping[str, MethodRule],
    message_bytes: int,
) -> grpc.aio.Server:
    """A server that is not started and has no port yet."""
    server = grpc.aio.server(
        interceptors=[ServerInterceptor(service, verifier, rules, clock, health)],
        options=[
            ("grpc.so_reuseport", 0),  # two processes on one port is a mistake and must fail
            ("grpc.max_send_message_length", message_bytes),
            ("grpc.max_receive_message_length", message_bytes),
            ("grpc.max_metadata_size", METADATA_BYTES),
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
            # Connections age out, with gRPC's own jitter, so that new pods get their share; streams may end in peace.
            ("grpc.max_connection_age_ms", 60_000),
            ("grpc.max_connection_age_grace_ms", 600_000),
        ],
    )
    names = _Names(server)
    for add, servicer in servicers:
        add(servicer, names)  # type: ignore[arg-type]
    health_pb2_grpc.add_HealthServicer_to_server(HealthServicer(health, names.found), server)
    shown = (*names.found, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(shown, server)
    return server


class _Names:
    """A server that notes which services are added to it."""

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server
        self.found: list[str] = []

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        self.found += [handler.service_name() for handler in handlers]
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(self, service: str, handlers: Any) -> None:
        self._server.add_registered_method_handlers(service, handlers)
