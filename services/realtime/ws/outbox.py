"""What waits to be sent to one client: four families, each with its bound and its rule when full."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from services.realtime.domain.ports import Region
from services.realtime.ws.frames import Kind
from services.realtime.ws.messages import FromServer, Heartbeat

CONTROL_LIMIT = 256
REGION_LIMIT = 16
LOOP_CHUNK_FRAMES = 24_000
TOO_SLOW = 4408


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of the connection."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class AudioOf:
    """A region whose audio is to be sent, as it sounds when its turn comes."""

    kind: Kind
    region: Region
    knobs_seq: int = 0
    render_s: float = 0.0


Item = FromServer | AudioOf | Closing


class Outbox:
    """Sends system before control before slices before the rest of the loop.

    * system (`stopped`, `reconnect`, close): never dropped.
    * control (answers, events): never dropped; a client that lets 256 pile up is closed with 4408.
    * heartbeat: only the newest is kept.
    * slices: at most 16 wait; the oldest is put off, merged with others, until the client has caught up.
    """

    def __init__(self) -> None:
        self.deferred_slices = 0
        self._system: deque[FromServer | Closing] = deque()
        self._control: deque[FromServer] = deque()
        self._heartbeat: Heartbeat | None = None
        self._regions: deque[AudioOf] = deque()
        self._deferred: list[Region] = []
        self._loop_frames = 0
        self._loop_sent_frames = 0
        self._filled = asyncio.Event()

    def say(self, message: FromServer) -> None:
        """Queue a control message."""
        if len(self._control) >= CONTROL_LIMIT:
            self._control.clear()
            self._system.append(Closing(TOO_SLOW, "256 messages wait unread; read faster, then connect again"))
        else:
            self._control.append(message)
        self._filled.set()

    def announce(self, message: FromServer) -> None:
        """Queue a system message, ahead of everything else."""
        self._system.append(message)
        self._filled.set()

    def end(self, message: FromServer | None, closing: Closing) -> None:
        """Queue the end of the connection, ahead of everything else."""
        if message is not None:
            self._system.append(message)
        self._system.append(closing)
        self._filled.set()

    def beat(self, heartbeat: Heartbeat) -> None:
        """Queue a heartbeat in place of an older one."""
        self._heartbeat = heartbeat
        self._filled.set()

    def hear(self, audio: AudioOf) -> None:
        """Queue a region that sounds different."""
        if len(self._regions) >= REGION_LIMIT:
            self.deferred_slices += 1
            self._defer(self._regions.popleft().region)
        self._regions.append(audio)
        self._filled.set()

    def send_loop(self, frame_count: int) -> None:
        """Queue the whole loop; regions of an earlier loop are forgotten."""
        self._regions.clear()
        self._deferred.clear()
        self._loop_frames, self._loop_sent_frames = frame_count, 0
        self._filled.set()

    def pop(self) -> Item | None:
        """What is to be sent next, None when there is nothing."""
        if self._system:
            return self._system.popleft()
        if self._control:
            return self._control.popleft()
        if self._heartbeat is not None:
            beat, self._heartbeat = self._heartbeat, None
            return beat
        if self._regions:
            return self._regions.popleft()
        if self._loop_sent_frames < self._loop_frames:
            count = min(LOOP_CHUNK_FRAMES, self._loop_frames - self._loop_sent_frames)
            chunk = Region(self._loop_sent_frames, count)
            self._loop_sent_frames += count
            return AudioOf(Kind.LOOP, chunk)
        if self._deferred:
            return AudioOf(Kind.SLICE, self._deferred.pop(0))
        self._filled.clear()
        return None

    async def wait(self) -> None:
        """Wait until there is something to send."""
        await self._filled.wait()

    def _defer(self, region: Region) -> None:
        end = region.start_frames + region.frame_count
        for index, other in enumerate(self._deferred):
            other_end = other.start_frames + other.frame_count
            if region.start_frames <= other_end and other.start_frames <= end:
                start = min(region.start_frames, other.start_frames)
                self._deferred[index] = Region(start, max(end, other_end) - start)
                return
        self._deferred.append(region)
