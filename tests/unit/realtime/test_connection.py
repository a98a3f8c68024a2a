from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis.testing import caller_for
from services.realtime.domain.ports import Request
from services.realtime.use_cases.hall import Hall
from services.realtime.use_cases.performances import NewPerformance
from services.realtime.ws.connection import Connection
from services.realtime.ws.frames import HEADER, Coding, Kind
from tests.unit.realtime.world import World

PIECE = "artists/nova/assets/piece"


class FakeSocket:
    """A client that says what it is given and keeps what it hears; it leaves when it has nothing more to say."""

    def __init__(self, *said: Any) -> None:
        self.texts: list[dict[str, Any]] = []
        self.frames: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self._said = said

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        for message in self._said:
            yield message if isinstance(message, str | bytes) else json.dumps(message)
            for _ in range(5):
                await asyncio.sleep(0)

    async def send(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self.frames.append(data)
        else:
            self.texts.append(json.loads(data))

    async def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


async def talk(world: World, *said: Any, epoch: int | None = None, hall: Hall | None = None) -> FakeSocket:
    wanted = NewPerformance(asset=PIECE, skip_stem_extraction=True)
    made, _ = world.use_cases.create(caller_for("nova"), wanted, Request("ada", "CreatePerformance", "", b""))
    hall = hall or world.hall()
    live = await hall.open("nova", made.uid)

    async def run(fn: Any, *args: Any) -> Any:
        return fn(*args)

    socket = FakeSocket(*said)
    connection = Connection(socket, hall, world.use_cases, live, run=run, clock=world.clock)  # type: ignore[arg-type]
    hall.join(live, connection)
    await connection.run("twr_again", epoch)
    return socket


def kinds(socket: FakeSocket) -> list[str]:
    return [text["type"] for text in socket.texts]


async def test_the_first_messages_are_ready_and_the_whole_loop(world: World) -> None:
    socket = await talk(world, {"type": "ping", "seq": 1})

    headers = [HEADER.unpack_from(frame) for frame in socket.frames]
    ready = socket.texts[0]
    assert (ready["type"], ready["seq"], ready["resume_token"], ready["loop_follows"]) == (
        "ready",
        1,
        "twr_again",
        True,
    )
    assert ready["loop"] == {
        "epoch": 1,
        "frame_count": 96_000,
        "asset": PIECE,
        "source_mode": "full",
        "rate_hz": 48_000,
        "channels": 2,
    }
    assert ready["knobs"]["gain_db"] == {"minimum": -60.0, "maximum": 12.0, "initial": 0.0, "value": 0.0}
    assert [(header[1], header[2], header[7], header[8]) for header in headers] == [
        (Kind.LOOP, Coding.INT16_KEYFRAME, start, 24_000) for start in range(0, 96_000, 24_000)
    ]
    assert kinds(socket) == ["ready", "pong"]


async def test_all_frames_of_the_server_are_numbered_without_gaps(world: World) -> None:
    socket = await talk(world, {"type": "ping", "seq": 1})

    numbers = [text["seq"] for text in socket.texts] + [HEADER.unpack_from(frame)[5] for frame in socket.frames]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


async def test_a_client_that_holds_the_loop_is_not_sent_it_again(world: World) -> None:
    socket = await talk(world, {"type": "ping", "seq": 1}, epoch=1)

    assert (socket.texts[0]["loop_follows"], socket.frames) == (False, [])


async def test_knobs_are_acknowledged_with_all_values(world: World) -> None:
    socket = await talk(world, {"type": "knobs", "seq": 3, "values": {"gain_db": -6}})

    ack = socket.texts[-1]
    assert (ack["type"], ack["of"], ack["knobs"]["gain_db"], ack["knobs"]["blend"]) == ("ack", 3, -6.0, 0.0)


@pytest.mark.parametrize(
    ("message", "of", "reason"),
    [
        ("not json", 0, "MESSAGE_INVALID"),
        ({"type": "conjure", "seq": 1}, 0, "MESSAGE_INVALID"),
        ({"type": "ping"}, 0, "MESSAGE_INVALID"),
        ({"type": "ping", "seq": 0}, 0, "MESSAGE_INVALID"),
        ({"type": "knobs", "seq": 1, "values": {"gain_db": "loud"}}, 0, "MESSAGE_INVALID"),
        ({"type": "knobs", "seq": 1, "values": {"gain_db": 99}}, 1, "KNOB_OUT_OF_RANGE"),
        ({"type": "knobs", "seq": 1, "values": {"denoise": 1}}, 1, "KNOB_UNKNOWN"),
        ({"type": "knobs", "seq": 1, "overlay": "drums"}, 1, "OVERLAY_UNKNOWN"),
        ({"type": "swap", "seq": 1, "source_mode": "drums"}, 1, "SOURCE_MODE_UNKNOWN"),
    ],
)
async def test_a_refused_message_is_answered_and_the_performance_goes_on(
    world: World, message: Any, of: int, reason: str
) -> None:
    socket = await talk(world, message, {"type": "ping", "seq": 2})

    refusal, pong = socket.texts[1:]
    assert (refusal["type"], refusal["of"], refusal["reason"], pong["type"]) == ("error", of, reason, "pong")
    assert socket.closed is None


async def test_a_number_that_does_not_rise_is_refused(world: World) -> None:
    socket = await talk(world, {"type": "ping", "seq": 2}, {"type": "ping", "seq": 2})

    assert kinds(socket) == ["ready", "pong", "error"]


async def test_a_client_that_sends_nonsense_is_closed(world: World) -> None:
    socket = await talk(world, *["nonsense"] * 22)

    assert socket.closed is not None
    assert socket.closed[0] == 4400


async def test_a_binary_frame_closes(world: World) -> None:
    socket = await talk(world, b"\0\0")

    assert socket.closed == (1003, "clients send text frames only")


async def test_stop_ends_the_performance(world: World) -> None:
    socket = await talk(world, {"type": "stop", "seq": 1})

    assert kinds(socket) == ["ready", "stopped"]
    assert socket.closed == (1000, "the performance has ended")
    assert world.store.page("nova", None, 0, "").items[0].state == "STOPPED"


async def test_save_keeps_what_is_turned_now(world: World) -> None:
    knobs = {"type": "knobs", "seq": 1, "values": {"gain_db": -3}}

    socket = await talk(world, knobs, {"type": "save", "seq": 2, "display_name": "Tonight"})

    saved = socket.texts[-1]
    assert (saved["type"], saved["of"], saved["session"]) == ("saved", 2, "artists/nova/sessions/1")
    assert world.sessions.saved["artists/nova/sessions/1"]["graph"]["knobs"]["gain_db"] == -3.0


async def test_what_is_acknowledged_while_the_process_drains_reaches_the_next(world: World) -> None:
    hall = world.hall()
    hall.drain()

    socket = await talk(world, {"type": "knobs", "seq": 1, "values": {"gain_db": -3}}, hall=hall)

    assert kinds(socket)[:3] == ["ready", "reconnect", "ack"]
    assert socket.texts[1]["after_ms"] == 1_000
    assert socket.closed is None
    assert world.store.page("nova", None, 0, "").items[0].graph.knobs["gain_db"] == -3.0


async def test_a_client_that_leaves_stops_the_playhead(world: World) -> None:
    hall = world.hall()

    await talk(world, {"type": "start", "seq": 1, "at_frames": 480}, hall=hall)

    (live,) = hall._lives.values()
    world.clock.advance(1)
    assert live.listeners == set()
    assert live.painter.playhead.in_loop(world.clock.monotonic()) == 480
