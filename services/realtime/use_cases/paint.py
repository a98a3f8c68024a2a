"""One scheduler for all performances: the most urgent region first, a bounded number at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from chassis.clock import Clock
from chassis.logs import get_logger
from chassis.metrics import counter, histogram
from services.realtime.domain.graph import Graph
from services.realtime.domain.painter import Slice
from services.realtime.domain.ports import Canvas, Patch
from services.realtime.use_cases.live import Live

log = get_logger(__name__)

Paint = Callable[[Canvas, Slice, Graph], Awaitable[Patch]]
_FINE = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1, 2.5)
_TICK = histogram("tonewright_realtime_tick_seconds", "One round of the scheduler on the event loop", buckets=_FINE)
_RENDER = histogram("tonewright_realtime_slice_render_seconds", "Painting one slice", ("engine",), _FINE)
_KNOB = histogram("tonewright_realtime_knob_to_slice_seconds", "From a knob's message to its first slice", (), _FINE)
_MISSED = counter("tonewright_realtime_missed_deadlines_total", "Slices that the playhead reached first")
_LONGEST_NAP_S = 1.0


class Scheduler:
    """Paints what is due; `wake` it when something became due earlier than it knows."""

    def __init__(self, lives: Callable[[], Iterable[Live]], paint: Paint, clock: Clock, *, slots: int) -> None:
        self._lives = lives
        self._paint = paint
        self._clock = clock
        self._slots = slots
        self._running = 0
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look again what is due."""
        self._woken.set()

    async def serve(self, stopping: asyncio.Event) -> None:
        """Paint until told to stop."""
        async with asyncio.TaskGroup() as tasks:
            while not stopping.is_set():
                self._woken.clear()
                nap_s = self.start_due(lambda live: tasks.create_task(self.paint_one(live)))
                try:
                    async with asyncio.timeout(nap_s):
                        await self._woken.wait()
                except TimeoutError:
                    continue

    def start_due(self, start: Callable[[Live], object]) -> float:
        """Start the most urgent regions that are due; gives the seconds until the next one is."""
        now_s = self._clock.monotonic()
        due: list[Live] = []
        nap_s = _LONGEST_NAP_S
        for live in self._lives():
            at_s = None if live.painting else live.painter.due_s(now_s)
            if at_s is not None and at_s <= now_s:
                due.append(live)
            elif at_s is not None:
                nap_s = min(nap_s, at_s - now_s)
        due.sort(key=lambda live: live.painter.deadline_frames(now_s))
        for live in due[: self._slots - self._running]:
            self._running += 1
            live.painting = live.painter.next_slice(now_s)
            start(live)
        _TICK.observe(self._clock.monotonic() - now_s)
        return nap_s

    async def paint_one(self, live: Live) -> None:
        """Paint the region that was chosen, and let the listeners hear it."""
        region, canvas, painter = live.painting, live.canvas, live.painter
        assert region is not None
        try:
            patch = await self._paint(canvas, region, live.graph)
        except Exception:
            log.exception("slice_failed", performance=live.performance.name)
            painter.painted(region, self._clock.monotonic())  # the old audio stays
            return
        finally:
            live.painting = None
            self._running -= 1
            self.wake()
        if live.canvas is not canvas:
            return  # swapped meanwhile
        now_s = self._clock.monotonic()
        for part in canvas.merge(patch):
            live.hear(part, patch.render_s, region.revision)
        _RENDER.labels(live.graph.engine).observe(patch.render_s)
        if not painter.painted(region, now_s):
            _MISSED.inc()
        self._note_turn(live, region, now_s)

    def _note_turn(self, live: Live, region: Slice, now_s: float) -> None:
        turn = live.turn
        if turn is not None and not turn.is_audible and region.revision >= turn.revision:
            live.turn = replace(turn, is_audible=True)
            _KNOB.observe(now_s - turn.at_s)
