"""A service small enough to be started, called, stopped and killed in tests."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from google.protobuf import empty_pb2

from chassis.errors import NotFound
from chassis.logs import get_logger
from chassis.runtime import App, Runtime, run_service
from chassis.settings import Settings
from tonewright.stems.v1 import stems_pb2 as pb
from tonewright.stems.v1 import stems_pb2_grpc


class SmallSettings(Settings):
    SERVICE: ClassVar[str] = "stems"

    broken: bool = False
    tables: str = ""


class Stems(stems_pb2_grpc.StemsServiceServicer):
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def GetSeparation(self, request: Any, context: Any) -> Any:
        if request.name.endswith("/slow"):
            await self._runtime.pool.run(time.sleep, 1.0)
        if request.name.endswith("/endless"):
            await self._runtime.pool.run(time.sleep, 60.0)
        return pb.Separation(name=request.name)

    async def DeleteSeparation(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    async def WatchSeparation(self, request: Any, context: Any) -> AsyncIterator[Any]:
        yield pb.WatchSeparationResponse()
        if request.name.endswith("/once"):
            return
        await asyncio.sleep(60)


def build(runtime: Runtime) -> App:
    def fail() -> None:
        raise NotFound("nobody there")

    if runtime.settings.broken:
        runtime.health.add("engine", fail)
    else:
        runtime.health.add("engine", lambda: None)
    failed_once = False

    async def loop(stop: asyncio.Event) -> None:
        nonlocal failed_once
        get_logger(__name__).info("work_begun")
        if not failed_once:
            failed_once = True
            raise RuntimeError("first round")
        await stop.wait()

    servicer = Stems(runtime)  # type: ignore[abstract]
    return App(servicers=[(stems_pb2_grpc.add_StemsServiceServicer_to_server, servicer)], loops=[loop])


class Runner:
    def __init__(self) -> None:
        self._stop = threading.Event()

    def start(self) -> None:
        get_logger(__name__).info("work_begun")
        threading.Thread(target=self._stop.wait, daemon=True).start()

    def stop(self, grace_s: float) -> None:
        self._stop.set()

    def run_until_idle(self, timeout_s: float) -> bool:
        return True


if __name__ == "__main__":
    tables = os.environ.get("TONEWRIGHT_STEMS_TABLES")
    run_service(SmallSettings, build, migrations=tables, worker=lambda runtime: Runner())
