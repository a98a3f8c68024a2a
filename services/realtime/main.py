"""Puts the realtime service together."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chassis.ids import new_uid
from chassis.runtime import App, Runtime, run_service
from services.realtime.api import METHOD_RULES, RealtimeServicer
from services.realtime.audio import LoopLoader
from services.realtime.blobs import ObjectBlobs
from services.realtime.domain.graph import Graph
from services.realtime.domain.painter import RATE_HZ, Slice
from services.realtime.domain.ports import Canvas, Patch
from services.realtime.peers import AssetsPeer, SeparationsPeer, SessionsPeer
from services.realtime.settings import RealtimeSettings
from services.realtime.spectral import SpectralEngine
from services.realtime.store import PerformanceStore
from services.realtime.use_cases.hall import Hall, HallRules
from services.realtime.use_cases.performances import Performances
from services.realtime.ws import SocketRules, SocketServer
from services.realtime.ws.server import PATH
from tonewright.realtime.v1.realtime_pb2_grpc import add_RealtimeServiceServicer_to_server


def main() -> None:
    """Be the process that the command line asks for."""
    run_service(RealtimeSettings, build, migrations="services.realtime:migrations")


def build(runtime: Runtime) -> App:
    """The service's servicer, its hall and its socket."""
    settings: RealtimeSettings = runtime.settings
    clock = runtime.clock
    performances = Performances(
        store=PerformanceStore(runtime.db, runtime.pager, clock),
        assets=AssetsPeer(runtime.channels),
        separations=SeparationsPeer(runtime.channels),
        sessions=SessionsPeer(runtime.channels),
        blobs=ObjectBlobs(runtime.objects),
        audio=LoopLoader(),
        clock=clock,
    )
    painters = ThreadPoolExecutor(settings.paint_threads, thread_name_prefix="paint")

    def paint(canvas: Canvas, region: Slice, graph: Graph) -> Awaitable[Patch]:
        return asyncio.get_running_loop().run_in_executor(painters, canvas.paint, region, graph)

    hall = Hall(
        performances,
        {"spectral": SpectralEngine()},
        run=_runner(runtime),
        paint=paint,
        clock=clock,
        rules=HallRules(
            owner=f"{socket.gethostname()}/{os.getpid()}/{new_uid()[-8:]}",
            most_performances=settings.max_performances,
            lead_frames=int(settings.lead_s * RATE_HZ),
            lease_s=settings.lease_s,
            checkpoint_s=settings.checkpoint_s,
            idle_unload_s=settings.idle_unload_s,
            slots=settings.paint_threads,
        ),
    )
    origins = [origin.strip() for origin in settings.socket_origins.split(",") if origin.strip()]
    rules = SocketRules(settings.socket_host, settings.socket_port, origins, settings.max_connections)
    sockets = SocketServer(rules, hall, performances, run=_runner(runtime), clock=clock)
    runtime.health.add("socket", sockets.check)

    def socket_url() -> str:
        own = f"ws://{settings.socket_host}:{sockets.port}"
        return (settings.socket_public_url or own).rstrip("/") + PATH

    async def close_painters() -> None:
        painters.shutdown(wait=False, cancel_futures=True)

    return App(
        servicers=[
            (
                add_RealtimeServiceServicer_to_server,
                RealtimeServicer(runtime.pool, performances, hall, socket_url),
            )
        ],
        method_rules=METHOD_RULES,
        loops=[sockets.serve, hall.serve],
        on_drain=[hall.drain],
        on_stop=[close_painters],
    )


def _runner(runtime: Runtime) -> Any:
    return runtime.pool.run
