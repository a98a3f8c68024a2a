"""A performance over its socket: the loop as it sounds now, knobs, stems, save, swap; connects again by itself.

async with await connect(ticket["socket_url"]) as performance:
await performance.start()
await performance.turn(gain_db=-6)
slice_ = await performance.slice_of(performance.last_seq)
print(performance.loop.peak(slice_.start_frames, slice_.frame_count))
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import random
import struct
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.typing import Subprotocol

from tonewright_client.socket_messages import (
    Ack,
    Event,
    LoopFacts,
    Message,
    Pong,
    Ready,
    Reconnect,
    Refused,
    Saved,
    Stopped,
    SwapFailed,
    Swapped,
)

SUBPROTOCOL = "tonewright.realtime.v1"
_HEADER = struct.Struct("<IBBBBQIIIQI")
_MAGIC = 0x31505754
_INT16_KEYFRAME, _FLOAT16_KEYFRAME, _FLOAT16_DELTA = 1, 2, 3
_SLICE = 2
_PATIENCE_S = 30.0  # for a server that goes on; what plays, plays on meanwhile
# The connection was lost or the server asks for another: the resume token opens the performance again.
_RESUMABLE = (1001, 1006, 1011, 1012, 4408, 4409)
_EVENTS_LIMIT = 1_000


_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_E = TypeVar("_E", bound=Message)


@dataclass(frozen=True, slots=True)
class Slice:
    """A region of the loop that sounds different now."""

    seq: int
    epoch: int
    start_frames: int
    frame_count: int
    knobs_seq: int  # the newest message of this client whose knobs can be heard in it; 0: none
    render_us: int


class PerformanceError(Exception):
    """The server refused a message or ended the connection; `reason` is stable."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason, self.message = reason, message


class Loop:
    """The audio that plays: interleaved 32-bit floats, full scale 1.0."""

    def __init__(self, facts: LoopFacts) -> None:
        self.facts = facts
        self.samples = array.array("f", bytes(4 * facts.frame_count * facts.channels))
        self.known_frames = 0

    def peak(self, start_frames: int, frame_count: int) -> float:
        """The largest absolute sample of a region."""
        channels = self.facts.channels
        return max(
            map(abs, self.samples[start_frames * channels : (start_frames + frame_count) * channels]), default=0.0
        )

    def rms(self, start_frames: int, frame_count: int) -> float:
        """Root mean square of a region."""
        part = self._part(start_frames, frame_count)
        return float((sum(value * value for value in part) / max(len(part), 1)) ** 0.5)

    def _part(self, start_frames: int, frame_count: int) -> array.array[float]:
        channels = self.facts.channels
        return self.samples[start_frames * channels : (start_frames + frame_count) * channels]

    def write(self, coding: int, start_frames: int, frame_count: int, payload: bytes) -> None:
        """Take over the samples of a frame."""
        count = frame_count * self.facts.channels
        first = start_frames * self.facts.channels
        if coding == _INT16_KEYFRAME:
            fresh = array.array("f", [value / 32_768 for value in struct.unpack(f"<{count}h", payload)])
        else:
            fresh = array.array("f", struct.unpack(f"<{count}e", payload))
        if coding == _FLOAT16_DELTA:
            held = self.samples[first : first + count]
            fresh = array.array("f", map(float.__add__, held, fresh))
        self.samples[first : first + count] = fresh


async def connect(socket_url: str, *, on_event: Callable[[Event | Slice], None] | None = None) -> LivePerformance:
    """A connected performance whose loop is on its way.

    Args:
        socket_url: As the ticket has it; good for one connection.
        on_event: Called for every message and every slice, in their order.
    """
    performance = LivePerformance(socket_url, on_event)
    await performance.open()
    return performance


class LivePerformance:
    """One performance; leave it as a context manager, or `close` it."""

    def __init__(self, socket_url: str, on_event: Callable[[Event | Slice], None] | None = None) -> None:
        self.last_seq = 0
        self.connections = 0
        self._url = socket_url
        self._on_event = on_event
        self._socket: ClientConnection | None = None
        self._is_open = False
        self._ready: Ready | None = None
        self._loop: Loop | None = None
        self._changed = asyncio.Condition()
        self._events: list[Event | Slice] = []  # the newest ones
        self._event_count = 0
        self._fault: PerformanceError | None = None
        self._tasks = contextlib.AsyncExitStack()
        self._group: asyncio.TaskGroup | None = None
        self._move: asyncio.Task[None] | None = None

    @property
    def ready(self) -> Ready:
        """What the server said first."""
        assert self._ready is not None, "open() comes first"
        return self._ready

    @property
    def loop(self) -> Loop:
        """The audio as this client plays it."""
        assert self._loop is not None, "open() comes first"
        return self._loop

    async def open(self) -> None:
        """Connect and wait for `ready`."""
        await self._dial(
            self._url, lambda fault: isinstance(fault, websockets.InvalidStatus) and fault.response.status_code == 503
        )
        self._group = await self._tasks.enter_async_context(asyncio.TaskGroup())
        reader = self._group.create_task(self._read_on(), name="performance")
        self._tasks.callback(reader.cancel)
        await self._until(lambda: self._ready is not None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Leave; the performance goes on without this client."""
        if self._socket is not None:
            await self._socket.close()
        await self._tasks.aclose()

    # What can be asked for.

    async def start(self, at_frames: int = 0) -> Ack:
        """Play from this frame: wait for the whole loop, then let the server paint ahead of the playhead."""
        await self._until(lambda: self.loop.known_frames >= self.loop.facts.frame_count)
        return await self._ask(Ack, "start", at_frames)

    async def playhead(self, at_frames: int, *, playing: bool = True) -> None:
        """Say where the audible playhead is."""
        await self._send("playhead", at_frames, playing=playing)

    async def turn(self, overlay: str = "", **knobs: float) -> Ack:
        """Turn knobs, as `turn(gain_db=-6)`; `slice_of(ack.of)` is the first audio with them."""
        return await self._ask(Ack, "knobs", values=knobs, overlay=overlay)

    async def swap(self, asset: str = "", source_mode: str = "", *, skip_stem_extraction: bool = False) -> Swapped:
        """Replace the source; gives the answer when the new loop begins to arrive."""
        fields: dict[str, Any] = {"asset": asset, "source_mode": source_mode}
        fields["skip_stem_extraction"] = skip_stem_extraction
        return await self._ask(Swapped, "swap", **fields)

    async def save(self, display_name: str = "", *, session: str = "", request_id: str = "") -> Saved:
        """Keep everything as a saved session."""
        request_id = request_id or uuid.uuid4().hex
        return await self._ask(Saved, "save", display_name=display_name, session=session, request_id=request_id)

    async def resync(self) -> Ack:
        """Ask for the whole loop again."""
        self.loop.known_frames = 0
        return await self._ask(Ack, "resync")

    async def ping(self) -> Pong:
        """Ask whether the server is there."""
        return await self._ask(Pong, "ping")

    async def stop(self) -> Stopped:
        """End the performance for all."""
        await self._send("stop")
        return await self.wait_for(Stopped)

    async def slice_of(self, seq: int, *, timeout_s: float = 10.0) -> Slice:
        """The first slice in which the knobs of that message can be heard."""
        found: Slice = await self._find(lambda event: isinstance(event, Slice) and event.knobs_seq >= seq, timeout_s)
        return found

    async def wait_for(self, kind: type[_E], *, timeout_s: float = 60.0) -> _E:
        """The first message of this kind, come or still to come."""
        found: _E = await self._find(lambda event: isinstance(event, kind), timeout_s)
        return found

    async def events(self) -> AsyncIterator[Event | Slice]:
        """Every message and slice from now on."""
        seen = self._event_count
        while True:
            await self._until(partial(self._has_more_than, seen))
            fresh = self._events[seen - self._event_count :]
            seen = self._event_count
            for event in fresh:
                yield event

    def _has_more_than(self, seen: int) -> bool:
        return self._event_count > seen

    # How it travels.

    async def _send(self, kind: str, at_frames: int = -1, **fields: Any) -> int:
        while True:
            await self._until(lambda: self._is_open)
            assert self._socket is not None, "open() comes first"
            self.last_seq += 1
            body = {"type": kind, "seq": self.last_seq, "at_frames": at_frames, **fields}
            try:
                await self._socket.send(msgspec.json.encode(body).decode())
            except websockets.ConnectionClosed:
                self._is_open = False  # the reader connects again or says why not
            else:
                return self.last_seq

    async def _ask(self, kind: type[_E], verb: str, at_frames: int = -1, **fields: Any) -> _E:
        answer: Any = None
        while answer is None:  # what was sent into a connection that was lost is sent again
            seq = await self._send(verb, at_frames, **fields)
            answer = await self._answer_to(seq, (kind, Refused, SwapFailed))
        if isinstance(answer, Refused | SwapFailed):
            raise PerformanceError(answer.reason, answer.message)
        assert isinstance(answer, kind)
        return answer

    async def _answer_to(self, seq: int, kinds: tuple[type[Message], ...]) -> Event | Slice | None:
        """The answer to a message; None when the connection was lost before."""
        before = self.connections

        def answer() -> Event | Slice | None:
            fitting = (event for event in self._events if isinstance(event, kinds) and getattr(event, "of", 0) == seq)
            return next(fitting, None)

        async with asyncio.timeout(60):
            await self._until(lambda: answer() is not None or self.connections != before)
        return answer()

    async def _find(self, fits: Callable[[Event | Slice], bool], timeout_s: float) -> Any:
        def first() -> Event | Slice | None:
            return next((event for event in self._events if fits(event)), None)

        async with asyncio.timeout(timeout_s):
            await self._until(lambda: first() is not None)
        return first()

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: holds() or self._fault is not None)
        if not holds() and self._fault is not None:
            raise self._fault

    async def _dial(self, url: str, may_pass: Callable[[Exception], bool] = lambda _fault: True) -> None:
        """Connect; a fault that may pass is waited for."""
        end_s, wait_s = time.monotonic() + _PATIENCE_S, 0.25
        while True:
            try:
                self._socket = await open_socket(
                    url, subprotocols=[Subprotocol(SUBPROTOCOL)], compression=None, max_size=1 << 22, open_timeout=10
                )
            except (OSError, websockets.WebSocketException) as fault:
                if time.monotonic() > end_s or not may_pass(fault):
                    raise
            else:
                self._is_open = False  # until its `ready`
                self.connections += 1
                return
            await asyncio.sleep(random.uniform(0.5, 1) * wait_s)  # noqa: S311
            wait_s = min(2.0, wait_s * 2)

    async def _again(self, after_s: float) -> None:
        """Connect with the resume token: the loop is not sent again while its epoch is the same."""
        await asyncio.sleep(random.uniform(1, 1.5) * after_s)  # noqa: S311
        address = self._url.partition("?")[0]
        await self._dial(f"{address}?resume={self.ready.resume_token}&epoch={self.loop.facts.epoch}")

    async def _move_on(self, after_s: float) -> None:
        """Connect elsewhere while the old connection serves on, then leave it."""
        old = self._socket
        with contextlib.suppress(OSError, websockets.WebSocketException):  # the end of the old one says more
            await self._again(after_s)
        if old is not None and old is not self._socket:
            await old.close()

    async def _read_on(self) -> None:
        try:
            while True:
                assert self._socket is not None, "open() comes first"
                socket = self._socket
                code, reason = await self._read(socket)
                if self._move is not None:
                    await self._move
                    self._move = None
                if socket is not self._socket:
                    continue  # the server asked for it, and another connection stands
                self._is_open = False
                if code not in _RESUMABLE or self._ready is None:
                    raise PerformanceError(f"CLOSED_{code}", reason or "the connection has ended")
                await self._again(0.25)
        except PerformanceError as fault:
            self._fault = fault
        except (OSError, websockets.WebSocketException) as fault:
            self._fault = PerformanceError("UNREACHABLE", str(fault))
        finally:
            if self._move is not None:
                self._move.cancel()
            async with self._changed:
                self._changed.notify_all()

    async def _read(self, socket: ClientConnection) -> tuple[int, str]:
        try:
            async for data in socket:
                event = self._taken(data)
                if event is not None:
                    await self._note(event)
        except websockets.ConnectionClosedError:
            pass  # the close code below says it
        return socket.close_code or 1006, socket.close_reason or ""

    async def _note(self, event: Event | Slice) -> None:
        if self._on_event is not None:
            self._on_event(event)
        async with self._changed:
            self._events.append(event)
            self._event_count += 1
            if len(self._events) > 2 * _EVENTS_LIMIT:
                del self._events[:_EVENTS_LIMIT]
            self._changed.notify_all()

    def _taken(self, data: str | bytes) -> Event | Slice | None:
        if isinstance(data, bytes):
            return self._heard(data)
        event = _decoder.decode(data)
        if isinstance(event, Ready):
            self._ready, self._is_open = event, True
            if event.loop_follows:
                self._loop = Loop(event.loop)
        elif isinstance(event, Swapped):
            self._loop = Loop(event.loop)
        elif isinstance(event, Reconnect) and self._move is None and self._group is not None:
            self._move = self._group.create_task(self._move_on(event.after_ms / 1000), name="move")
        return event

    def _heard(self, data: bytes) -> Slice | None:
        magic, kind, coding, _, _, seq, epoch, start, count, knobs_seq, render_us = _HEADER.unpack_from(data)
        if magic != _MAGIC or self._loop is None or epoch != self._loop.facts.epoch:
            return None
        self._loop.write(coding, start, count, data[_HEADER.size :])
        if kind != _SLICE:
            self._loop.known_frames += count
        return Slice(seq, epoch, start, count, knobs_seq, render_us)
