"""A realtime process is replaced while a performer plays: two processes, one address."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.integration.test_realtime_processes import RealtimeHouse, noise
from tonewright_client.performance import LivePerformance, connect
from tonewright_client.socket_messages import Reconnect
from tools.backends import free_port

pytestmark = pytest.mark.usefixtures("as_ada")
DRAIN_S = 6


class RollingHouse(RealtimeHouse):
    """Realtime processes side by side behind one socket address."""

    def __init__(self, home: Path) -> None:
        self.front_port = free_port()
        url = f"ws://127.0.0.1:{self.front_port}"
        super().__init__(
            home, {"TONEWRIGHT_REALTIME_SOCKET_PUBLIC_URL": url, "TONEWRIGHT_REALTIME_DRAIN_S": str(DRAIN_S)}
        )

    @property
    def socket_port(self) -> int:
        """Of the process that was started last."""
        return int(self.environment["TONEWRIGHT_REALTIME_SOCKET_PORT"])

    def start_beside(self) -> subprocess.Popen[bytes]:
        """Another realtime process at ports of its own."""
        for port in ("GRPC_PORT", "OPS_PORT", "SOCKET_PORT"):
            self.environment[f"TONEWRIGHT_REALTIME_{port}"] = str(free_port())
        self.environment["TONEWRIGHT_REALTIME_DRAIN_S"] = "0"
        return self._start("realtime")

    @asynccontextmanager
    async def front(self, *ports: int) -> AsyncIterator[None]:
        """The one address: connections go to the ports in turn."""
        count = 0

        async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
            writer.close()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal count
            port, count = ports[count % len(ports)], count + 1
            try:
                there, back = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                writer.close()
                return
            await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

        server = await asyncio.start_server(serve, "127.0.0.1", self.front_port)
        try:
            yield
        finally:
            server.close()


@pytest.fixture
def rolling(tmp_path: Path) -> Iterator[RollingHouse]:
    with RollingHouse(tmp_path).performing() as running:
        assert isinstance(running, RollingHouse)
        yield running


async def play(performance: LivePerformance, until: asyncio.Event) -> int:
    """Turn a knob on and on; every turn is acknowledged."""
    turns = 0
    while not until.is_set():
        turns += 1
        ack = await performance.turn(gain_db=-(turns % 50) / 10)
        assert ack.knobs["gain_db"] == pytest.approx(-(turns % 50) / 10)
        await asyncio.sleep(0.02)
    return turns


async def test_a_performer_moves_to_the_next_process_and_loses_nothing(rolling: RollingHouse) -> None:
    asset = rolling.upload(noise(2.0))
    created = rolling.create(asset=asset, skip_stem_extraction=True)
    old, old_port = rolling.process, rolling.socket_port
    rolling.start_beside()
    told: list[float] = []

    def note(event: object) -> None:
        if isinstance(event, Reconnect):
            told.append(time.monotonic())

    async with rolling.front(old_port, old_port, rolling.socket_port):  # first, and again at first, the old one
        performance = await connect(rolling.url(created.name), on_event=note)
        await performance.start()
        done = asyncio.Event()
        playing = asyncio.create_task(play(performance, done))
        await asyncio.sleep(3)  # the second process is up
        frames = performance.loop.known_frames

        old.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        meanwhile = rolling.create(asset=asset, skip_stem_extraction=True)
        code = await asyncio.to_thread(old.wait, DRAIN_S + 6)
        ended = time.monotonic()
        rolling._processes.remove(old)
        await asyncio.sleep(0.5)
        done.set()
        turns = await playing
        last = (await performance.turn(low_db=-3)).knobs
        await performance.close()

    assert code == 0, rolling.logs()
    assert len(told) == 1
    assert ended - told[0] > 5
    assert performance.connections == 2
    assert turns > 100
    assert last["low_db"] == -3
    assert last["gain_db"] == pytest.approx(-(turns % 50) / 10)
    assert performance.loop.known_frames == frames  # the loop was not sent again
    assert meanwhile.name
