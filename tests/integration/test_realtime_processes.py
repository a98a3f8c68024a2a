"""A performance through real processes: asset, stems, knobs, slices, save, reopen, restart."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from chassis.channels import Channels
from chassis.settings import Settings
from tests.integration.stems_house import PARENT, StemsHouse
from tonewright.realtime.v1 import realtime_pb2 as pb
from tonewright.realtime.v1.realtime_pb2_grpc import RealtimeServiceStub
from tonewright_client.performance import LivePerformance, PerformanceError, connect
from tonewright_client.socket_messages import StemsReady
from tools.backends import free_port

pytestmark = [pytest.mark.usefixtures("as_ada"), pytest.mark.target("embedded", "backends")]
RATE_HZ = 44_100


class RealtimeHouse(StemsHouse):
    """Sessions, stems, a worker and realtime."""

    realtime: RealtimeServiceStub

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        grpc, ops, sockets = (str(free_port()) for _ in range(3))
        own = {
            "TONEWRIGHT_REALTIME_GRPC_PORT": grpc,
            "TONEWRIGHT_REALTIME_OPS_PORT": ops,
            "TONEWRIGHT_REALTIME_SOCKET_PORT": sockets,
            "TONEWRIGHT_REALTIME_TARGET": f"127.0.0.1:{grpc}",
        }
        super().__init__(home, {**environment, **own})

    @contextmanager
    def performing(self) -> Iterator[RealtimeHouse]:
        """All four processes."""
        with self.running():
            self.start_worker()
            self.start_realtime()
            settings = type("GatewaySettings", (Settings,), {"SERVICE": "gateway", "target_of": self._target})
            channels = Channels(settings(home=self.home))
            self.realtime = RealtimeServiceStub(channels.sync("realtime"))
            try:
                self.wait_for_realtime()
                yield self
            finally:
                asyncio.run(channels.close())

    def start_realtime(self) -> subprocess.Popen[bytes]:
        """The realtime process; it ends with the house."""
        self.process = self._start("realtime")
        return self.process

    def wait_for_realtime(self) -> None:
        """Until it answers."""
        self._wait(lambda: self.realtime.ListPerformances(pb.ListPerformancesRequest(parent=PARENT)))

    def replace_realtime(self, by: signal.Signals) -> float:
        """End the process by the signal and start another; gives the seconds it took to end."""
        began = time.monotonic()
        self.process.send_signal(by)
        assert self.process.wait(timeout=10) == (0 if by == signal.SIGTERM else -by), self.logs()
        self._processes.remove(self.process)
        took = time.monotonic() - began
        self.start_realtime()
        self.wait_for_realtime()
        return took

    def create(self, **wanted: object) -> pb.Performance:
        """A new performance."""
        performance = pb.Performance(**wanted)  # type: ignore[arg-type]
        request = pb.CreatePerformanceRequest(parent=PARENT, performance=performance)
        return self.realtime.CreatePerformance(request)

    def get(self, name: str) -> pb.Performance:
        """The performance as it is."""
        return self.realtime.GetPerformance(pb.GetPerformanceRequest(name=name))

    def url(self, name: str) -> str:
        """Where a fresh ticket leads."""
        return str(self.realtime.CreateTicket(pb.CreateTicketRequest(name=name)).socket_url)


@pytest.fixture(scope="session")
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealtimeHouse]:
    environment = {} if request.param == "embedded" else _own_database(request)
    with RealtimeHouse(tmp_path_factory.mktemp("realtime"), environment).performing() as running:
        yield running


def _own_database(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """Real servers, but rows and messages that no other house's worker sees: this house lives on beside others."""
    database = request.getfixturevalue("postgres").create_database()
    real: dict[str, str] = request.getfixturevalue("real_backends")
    own = {
        "TONEWRIGHT_DATABASE_URL": database.app_url,
        "TONEWRIGHT_MIGRATION_DATABASE_URL": database.owner_url,
    }
    return {name: value for name, value in real.items() if name != "TONEWRIGHT_BROKER_URL"} | own


def noise(duration_s: float, seed: int = 1) -> npt.NDArray[np.float32]:
    made = np.random.default_rng(seed).uniform(-0.5, 0.5, (int(duration_s * RATE_HZ), 2))
    return made.astype(np.float32)


async def until(ask: object, holds: object) -> None:
    async with asyncio.timeout(30):
        while not holds(ask()):  # type: ignore[operator]
            await asyncio.sleep(0.05)


async def started(house: RealtimeHouse, name: str) -> LivePerformance:
    performance = await connect(house.url(name))
    await performance.start()
    return performance


async def test_a_knob_halves_what_is_heard_and_a_saved_session_opens_without_separating(house: RealtimeHouse) -> None:
    asset = house.upload(noise(4.1))
    created = house.create(asset=asset, display_name="Tonight")

    async with await started(house, created.name) as performance:
        loop = performance.loop
        before = [loop.rms(at, 4_800) for at in range(0, loop.facts.frame_count, 4_800)]
        ack = await performance.turn(gain_db=-6.0206)
        heard = await performance.slice_of(ack.of)
        place = heard.start_frames // 4_800 + 1
        halved = loop.rms(place * 4_800, 4_800) / before[place]
        await performance.wait_for(StemsReady)
        saved = await performance.save("Tonight, saved", request_id="once")
        repeated = await performance.save("Tonight, saved", request_id="once")
        with pytest.raises(PerformanceError, match="REQUEST_ID_REUSED"):
            await performance.save("Another", request_id="once")
        refused = await _refusal(performance)

    separations = len(house.separations())
    again = house.create(session=saved.session)
    async with await started(house, again.name) as reopened:
        knobs = reopened.ready.knobs
        stems = reopened.ready.stems
        await reopened.stop()

    assert loop.facts.frame_count == int(4.1 * 48_000) // 9_600 * 9_600
    assert halved == pytest.approx(0.5, rel=0.01)
    assert repeated.session == saved.session
    assert refused == "KNOB_OUT_OF_RANGE"
    assert len(house.separations()) == separations
    assert knobs["gain_db"].value == pytest.approx(-6.0206)
    assert stems == "ready"
    assert [stem.stem for stem in again.stems] == ["vocals", "instruments"]
    assert house.get(again.name).state == pb.Performance.STATE_STOPPED


async def _refusal(performance: LivePerformance) -> str:
    with pytest.raises(PerformanceError) as refused:
        await performance.turn(gain_db=100)
    return refused.value.reason


async def test_a_ticket_opens_once(house: RealtimeHouse) -> None:
    created = house.create(asset=house.upload(noise(1.0)), skip_stem_extraction=True)
    url = house.url(created.name)

    async with await connect(url):
        with pytest.raises(PerformanceError, match="used before") as refused:
            await connect(url)

    assert refused.value.reason == "CLOSED_4401"


async def test_a_page_that_is_not_on_the_list_is_refused(house: RealtimeHouse) -> None:
    import websockets

    created = house.create(asset=house.upload(noise(1.0)), skip_stem_extraction=True)

    with pytest.raises(websockets.InvalidStatus, match="403"):
        await websockets.connect(
            house.url(created.name), origin=websockets.Origin("https://evil.example"), subprotocols=None
        )


async def test_a_swap_and_a_blend_are_heard(house: RealtimeHouse) -> None:
    first, second = house.upload(noise(2.0, 1)), house.upload(noise(3.0, 2) * np.float32(0.25))
    created = house.create(asset=first)

    async with await started(house, created.name) as performance:
        await performance.wait_for(StemsReady)
        swapped = await performance.swap(second, skip_stem_extraction=True)
        await performance.start()
        level = performance.loop.rms(0, 48_000)
        own = await performance.swap(first, source_mode="vocals")

    assert (swapped.loop.frame_count, swapped.loop.epoch, swapped.loop.asset) == (144_000, 2, second)
    assert level == pytest.approx(0.25 * 0.5 / 3**0.5, rel=0.05)
    assert own.loop.source_mode == "vocals"


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
async def test_a_performance_goes_on_after_its_process_ended(house: RealtimeHouse, by: signal.Signals) -> None:
    created = house.create(asset=house.upload(noise(2.0)), skip_stem_extraction=True)

    async with await started(house, created.name) as performance:
        await performance.turn(low_db=-9)
        await until(lambda: house.get(created.name).graph.knobs["low_db"], lambda low_db: low_db == -9.0)
        frames = performance.loop.known_frames
        took_s = await asyncio.to_thread(house.replace_realtime, by)
        await until(lambda: performance.connections, lambda count: count >= 2)
        ack = await performance.turn(gain_db=-12)
        await performance.slice_of(ack.of)
        knobs = ack.knobs

    assert took_s < 4
    assert (knobs["low_db"], knobs["gain_db"]) == (-9.0, -12.0)
    assert performance.loop.known_frames == frames  # the loop was not sent again
    await until(lambda: house.get(created.name).graph.knobs["gain_db"], lambda gain_db: gain_db == -12.0)
