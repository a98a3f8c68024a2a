"""Calls to a peer whose only process is replaced: nothing is lost, and a peer that was away is found again soon."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chassis.channels import Channels
from chassis.context import acting_as
from chassis.errors import AppError, DependencyUnavailable
from chassis.testing import caller_for
from tests.contract.chassis.test_process import GatewaySettings, Process, start  # noqa: F401
from tests.material.names import Names
from tonewright.stems.v1 import stems_pb2 as pb
from tonewright.stems.v1 import stems_pb2_grpc
from tools.backends import free_port

NAME = "stems.test"
PIECE = "artists/nova/separations/one"
OLD, NEW = "127.0.0.2", "127.0.0.3"


@pytest.fixture
def names() -> Iterator[Names]:
    made = Names()
    yield made
    made.close()


@pytest.fixture
def peer(start: Callable[..., Process], tmp_path: Path, names: Names) -> Callable[[str], Process]:  # noqa: F811
    """Starts a process of the peer at an address; all have the same port."""
    port = free_port()

    def begin(host: str) -> Process:
        process = start(TONEWRIGHT_GRPC_HOST=host, TONEWRIGHT_STEMS_GRPC_PORT=str(port), TONEWRIGHT_DRAIN_S="1.5")
        process.port("ops_listening")
        return process

    begin.target = f"dns://{names.authority}/{NAME}:{port}"  # type: ignore[attr-defined]
    return begin


def settings_of(peer: Any, tmp_path: Path) -> GatewaySettings:
    return GatewaySettings(home=tmp_path, stems_target=peer.target)


async def call(stub: Any, failures: list[AppError], done: asyncio.Event) -> None:
    """Read and delete again and again; a delete is never repeated once a peer may have seen it."""
    while not done.is_set():
        for method in (stub.GetSeparation(pb.GetSeparationRequest(name=PIECE), timeout=5),
                       stub.DeleteSeparation(pb.DeleteSeparationRequest(name=PIECE), timeout=5)):  # fmt: skip
            try:
                await method
            except AppError as error:
                failures.append(error)
        await asyncio.sleep(0.01)


async def follow(stub: Any, failures: list[AppError], done: asyncio.Event) -> None:
    """Open a stream again and again."""
    while not done.is_set():
        stream = stub.WatchSeparation(pb.WatchSeparationRequest(name=f"{PIECE}/once"), timeout=5)
        try:
            async for _ in stream:
                pass
        except AppError as error:
            failures.append(error)
        await asyncio.sleep(0.01)


def call_in_thread(stub: Any, failures: list[AppError], done: asyncio.Event) -> None:
    """Delete from a thread again and again."""
    while not done.is_set():
        with acting_as(caller_for("nova")):
            try:
                stub.DeleteSeparation(pb.DeleteSeparationRequest(name=PIECE), timeout=5)
            except AppError as error:
                failures.append(error)
        time.sleep(0.01)


async def test_a_rolling_update_of_the_only_process_loses_no_call(peer: Any, names: Names, tmp_path: Path) -> None:
    names.addresses[NAME] = [OLD]
    old = await asyncio.to_thread(peer, OLD)
    channels = Channels(settings_of(peer, tmp_path))
    failures: list[AppError] = []
    done = asyncio.Event()
    thread = threading.Thread(
        target=call_in_thread, args=(stems_pb2_grpc.StemsServiceStub(channels.sync("stems")), failures, done)
    )
    thread.start()
    with acting_as(caller_for("nova")):
        async with asyncio.TaskGroup() as tasks:
            stub = stems_pb2_grpc.StemsServiceStub(channels.aio("stems"))
            tasks.create_task(call(stub, failures, done))
            tasks.create_task(follow(stub, failures, done))
            new = await asyncio.to_thread(peer, NEW)
            old.popen.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.5)
            names.addresses[NAME] = [NEW]
            code = await asyncio.to_thread(old.wait)
            await asyncio.sleep(1)
            done.set()
    await asyncio.to_thread(thread.join)
    await channels.close()

    assert [error.__cause__ for error in failures] == []
    assert code == 0
    assert 'grpc_method="DeleteSeparation"' in new.ops("/metrics")[1]


async def test_a_peer_that_was_away_for_long_is_found_within_two_seconds(
    peer: Any, names: Names, tmp_path: Path
) -> None:
    channels = Channels(settings_of(peer, tmp_path))
    stub = stems_pb2_grpc.StemsServiceStub(channels.aio("stems"))
    with acting_as(caller_for("nova")):
        away_until = time.monotonic() + 9  # gRPC's own next look comes 6 s after the one before
        while time.monotonic() < away_until:
            with pytest.raises(DependencyUnavailable):
                await stub.GetSeparation(pb.GetSeparationRequest(name=PIECE), timeout=1)
        await asyncio.to_thread(peer, OLD)
        names.addresses[NAME] = [OLD]
        back = time.monotonic()
        while True:
            try:
                await stub.GetSeparation(pb.GetSeparationRequest(name=PIECE), timeout=1)
                break
            except DependencyUnavailable:
                await asyncio.sleep(0.05)
        took_s = time.monotonic() - back
    await channels.close()

    assert took_s < 2.5
