"""One client at the socket: its messages in, its answers and audio out."""

from __future__ import annotations

import asyncio

import msgspec
import websockets
from websockets.asyncio.server import ServerConnection

from chassis.clock import Clock
from chassis.errors import AppError, InvalidArgument
from chassis.logs import get_logger
from chassis.metrics import counter
from services.realtime.domain.graph import knobs_of
from services.realtime.domain.performance import Source, SourceMode
from services.realtime.domain.ports import Region, Saving
from services.realtime.use_cases.hall import Hall, Run
from services.realtime.use_cases.live import (
    Draining,
    Event,
    Leaving,
    Live,
    Moved,
    StemsFailed,
    StemsReady,
    Stopped,
    SwapFailed,
    Swapped,
)
from services.realtime.use_cases.performances import Performances
from services.realtime.ws import messages as wire
from services.realtime.ws.frames import Header, Kind, Mirror
from services.realtime.ws.outbox import AudioOf, Closing, Outbox

log = get_logger(__name__)

HEARTBEAT_S = 5.0
INBOX_LIMIT = 64
BAD_MESSAGES_LIMIT = 20
RECONNECT_AFTER_MS = 250
GOING_AWAY, UNSUPPORTED, BAD_PROTOCOL, TAKEN_OVER = 1001, 1003, 4400, 4409
_SLICES = counter("tonewright_realtime_slices_sent_total", "Slices sent to clients", ("coding",))
_SENT = counter("tonewright_realtime_audio_bytes_total", "Audio sent to clients, bytes")


class MessageInvalid(InvalidArgument):
    """A socket message cannot be read."""

    REASON = "MESSAGE_INVALID"


class SourceModeUnknown(InvalidArgument):
    """There is no such source mode."""

    REASON = "SOURCE_MODE_UNKNOWN"


class Connection:
    """A listener of the hall that speaks the native protocol; `run` it once."""

    def __init__(
        self, socket: ServerConnection, hall: Hall, use_cases: Performances, live: Live, *, run: Run, clock: Clock
    ) -> None:
        self._socket = socket
        self._hall = hall
        self._use_cases = use_cases
        self._run = run
        self._clock = clock
        self._live = live
        self._outbox = Outbox()
        self._inbox: asyncio.Queue[wire.ClientMessage] = asyncio.Queue(INBOX_LIMIT)
        self._mirror = Mirror(live.canvas.frame_count)
        self._seq = 0
        self._heard_seq = 0
        self._bad_messages = 0

    # As a listener of the hall.

    def hear(self, region: Region, knobs_seq: int, render_s: float) -> None:
        """A region of the loop sounds different now."""
        self._outbox.hear(AudioOf(Kind.SLICE, region, knobs_seq, render_s))

    def tell(self, event: Event) -> None:
        """Something happened."""
        match event:
            case StemsReady(stems, separation):
                self._outbox.say(wire.StemsReadyMessage(stems=dict(stems), separation=separation))
            case StemsFailed(reason, message):
                self._outbox.say(wire.StemsFailedMessage(reason=reason, message=message))
            case Swapped(of):
                self._mirror = Mirror(self._live.canvas.frame_count)
                self._outbox.say(wire.SwappedMessage(of=of, loop=self._loop_facts()))
                self._outbox.send_loop(self._live.canvas.frame_count)
            case SwapFailed(of, reason, message):
                self._outbox.say(wire.SwapFailedMessage(of=of, reason=reason, message=message))
            case Stopped(by):
                self._outbox.end(wire.StoppedMessage(by=by), Closing(1000, "the performance has ended"))
            case Moved():
                closing = Closing(TAKEN_OVER, "another process holds the performance; connect again with resume")
                self._outbox.end(None, closing)
            case Draining(after_ms):
                self._outbox.announce(wire.Reconnect(after_ms=after_ms))
            case Leaving():
                farewell = wire.Reconnect(after_ms=RECONNECT_AFTER_MS)
                self._outbox.end(farewell, Closing(GOING_AWAY, "the server is going away; connect again with resume"))

    async def run(self, resume_token: str, epoch: int | None) -> None:
        """Serve until either side ends the connection."""
        has_loop = epoch == self._live.epoch
        ready = self._framed(self._ready(resume_token, loop_follows=not has_loop))
        if has_loop:
            self._hall.repaint(self._live)  # slices that were lost with the old connection come again, as keyframes
        else:
            self._outbox.send_loop(self._live.canvas.frame_count)
        try:
            assert ready is not None
            await self._socket.send(ready)  # the first, whatever happens meanwhile
            async with asyncio.TaskGroup() as tasks:
                others = [tasks.create_task(work) for work in (self._send(), self._handle_all(), self._beat())]
                await self._read()
                for task in others:
                    task.cancel()
        finally:
            self._hall.part(self._live, self)

    # In.

    async def _read(self) -> None:
        try:
            async for data in self._socket:
                await self._take(data)
        except websockets.ConnectionClosed:
            return

    async def _take(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self._outbox.end(None, Closing(UNSUPPORTED, "clients send text frames only"))
            return
        try:
            message = wire.parse(data)
        except msgspec.DecodeError as error:
            self._refuse_unreadable(str(error))
            return
        if message.seq <= self._heard_seq:
            self._refuse_unreadable(f"seq is {message.seq} after {self._heard_seq}; count up")
            return
        self._heard_seq = message.seq
        if isinstance(message, wire.PlayheadAt):
            self._hall.report(self._live, message.at_frames, is_playing=message.playing)
        elif isinstance(message, wire.Stop):
            await self._hall.stop(self._live, "client")  # overtakes what waits in the inbox
        else:
            await self._inbox.put(message)  # full: the client is read no further until there is room

    def _refuse_unreadable(self, fault: str) -> None:
        self._bad_messages += 1
        if self._bad_messages > BAD_MESSAGES_LIMIT:
            self._outbox.end(None, Closing(BAD_PROTOCOL, f"too many unreadable messages, the last: {fault}"[:120]))
        else:
            text = f"the message was ignored: {fault}"
            self._outbox.say(wire.Refusal(of=0, reason=MessageInvalid.REASON, message=text))

    async def _handle_all(self) -> None:
        while True:
            message = await self._inbox.get()
            try:
                await self._handle(message)
            except AppError as error:
                self._outbox.say(wire.Refusal(of=message.seq, reason=error.reason, message=error.message))
            except Exception:
                log.exception("socket_message_failed", kind=type(message).__name__)
                text = "the server failed at this message; try again"
                self._outbox.say(wire.Refusal(of=message.seq, reason="INTERNAL", message=text))

    async def _handle(self, message: wire.ClientMessage) -> None:
        match message:
            case wire.Start():
                self._hall.report(self._live, message.at_frames, is_playing=True)
                self._ack(message)
            case wire.Knobs(values=values, overlay=overlay):
                self._hall.turn(self._live, values, overlay, self, message.seq)
                if self._hall.is_draining:  # what is acknowledged now reaches the process that takes over
                    await self._hall.checkpoint_of(self._live.performance.uid)
                self._ack(message)
            case wire.Swap():
                self._hall.sources.swap_soon(self._live, self._source_of(message), self, message.seq)
                self._ack(message)
            case wire.Save():
                await self._save(message)
            case wire.Resync():
                self._mirror.forget()
                self._outbox.send_loop(self._live.canvas.frame_count)
                self._ack(message)
            case wire.Ping():
                self._outbox.say(wire.Pong(of=message.seq))

    async def _save(self, message: wire.Save) -> None:
        await self._hall.checkpoint_of(self._live.performance.uid)
        saving = Saving(message.display_name, message.session, "", message.request_id)
        saved = await self._run(self._use_cases.save_held, self._live.performance, saving)
        self._outbox.say(wire.Saved(of=message.seq, session=saved.name, etag=saved.etag))

    def _source_of(self, message: wire.Swap) -> Source:
        now = self._live.performance.source
        try:
            mode = SourceMode(message.source_mode) if message.source_mode else now.mode
        except ValueError as error:
            fault = f"source_mode {message.source_mode!r} does not exist; use full, vocals or instruments"
            raise SourceModeUnknown(fault) from error
        return Source(message.asset or now.asset, mode, message.skip_stem_extraction)

    def _ack(self, message: wire.ClientMessage) -> None:
        self._outbox.say(wire.Ack(of=message.seq, knobs=dict(self._live.graph.knobs)))

    # Out.

    async def _send(self) -> None:
        try:
            while True:
                item = self._outbox.pop()
                if item is None:
                    await self._outbox.wait()
                elif isinstance(item, Closing):
                    await self._socket.close(item.code, item.reason)
                    return
                elif (frame := self._framed(item)) is not None:
                    await self._socket.send(frame)
        except websockets.ConnectionClosed:
            return

    def _framed(self, item: wire.FromServer | AudioOf) -> str | bytes | None:
        if isinstance(item, wire.FromServer):
            self._seq += 1
            item.seq, item.at_frames = self._seq, self._live.painter.playhead.in_loop(self._clock.monotonic())
            return wire.as_text(item)
        start, count = item.region.start_frames, item.region.frame_count
        encoded = self._mirror.encode(start, self._live.canvas.loop[start : start + count])
        if encoded is None:
            return None
        self._seq += 1
        coding, payload = encoded
        render_us = int(item.render_s * 1e6)
        header = Header(item.kind, coding, self._seq, self._live.epoch, start, count, item.knobs_seq, render_us)
        _SENT.inc(len(payload))
        if item.kind is Kind.SLICE:
            _SLICES.labels(coding.name.lower()).inc()
        return header.packed() + payload

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            painter = self._live.painter
            beat = wire.Heartbeat(
                slices=painter.painted_slices,
                missed_deadlines=painter.missed_deadlines,
                dropped_slices=self._outbox.deferred_slices,
            )
            self._outbox.beat(beat)

    def _ready(self, resume_token: str, *, loop_follows: bool) -> wire.Ready:
        performance = self._live.performance
        graph = performance.graph
        return wire.Ready(
            performance=performance.name,
            resume_token=resume_token,
            engine=graph.engine,
            loop=self._loop_facts(),
            loop_follows=loop_follows,
            knobs={
                name: wire.KnobFacts(knob.minimum, knob.maximum, knob.initial, graph.knobs[name])
                for name, knob in knobs_of(graph.engine).items()
            },
            overlay=graph.overlay,
            stems=performance.stems.state.lower(),
        )

    def _loop_facts(self) -> wire.LoopFacts:
        source = self._live.performance.source
        return wire.LoopFacts(self._live.epoch, self._live.canvas.frame_count, source.asset, source.mode.value)
