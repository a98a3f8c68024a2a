"""Starts the stand-in for a training provider: the protocol is real, the training is not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from chassis.logs import get_logger
from chassis.runtime import App, Runtime, run_service
from services.standin.app import make_app
from services.standin.provider import Pace, StandIn
from services.standin.settings import StandinSettings

log = get_logger(__name__)
_HOST = "127.0.0.1"


def main() -> None:
    """Be the stand-in."""
    run_service(StandinSettings, build)


def build(runtime: Runtime) -> App:
    """The stand-in as a process: one HTTP server on loopback, nothing else."""
    settings: StandinSettings = runtime.settings
    pace = Pace(train_s=settings.train_s, predict_s=settings.predict_s, max_archive_bytes=settings.max_archive_bytes)
    standin = StandIn(settings.home / "standin", runtime.clock, pace)
    app = make_app(standin)

    async def serve(stopping: asyncio.Event) -> None:
        await _serve(app, settings.port, stopping)

    async def stop() -> None:
        await asyncio.to_thread(standin.close)

    standin.resume()
    return App(loops=[serve], on_stop=[stop], has_ops=False)


async def _serve(app: ASGIApp, port: int, stopping: asyncio.Event) -> None:
    config = uvicorn.Config(
        app, host=_HOST, port=port, log_config=None, access_log=False, lifespan="off", ws="none", server_header=False
    )
    config.timeout_graceful_shutdown = 1
    server = _Server(config)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(server.serve())
        log.info("standin_serving", host=_HOST, port=port)
        told = tasks.create_task(stopping.wait())
        await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        server.should_exit = True


class _Server(uvicorn.Server):
    """A server that leaves the signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
