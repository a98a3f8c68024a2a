"""The hall: the performances that this process holds, their leases and checkpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from chassis.clock import Clock
from chassis.errors import AppError
from chassis.logs import get_logger
from chassis.metrics import gauge
from services.realtime.domain.painter import Painter
from services.realtime.domain.performance import (
    HallFull,
    Performance,
    PerformanceEnded,
    State,
    StemsState,
)
from services.realtime.domain.ports import Engine
from services.realtime.use_cases.live import Draining, Leaving, Listener, Live, Moved, Stopped, Turn
from services.realtime.use_cases.paint import Paint, Scheduler
from services.realtime.use_cases.performances import Performances
from services.realtime.use_cases.sources import Sources, prepared_canvas

log = get_logger(__name__)
_HELD = gauge("tonewright_realtime_performances_held", "Performances that this process holds")
_T = TypeVar("_T")
# When listeners connect elsewhere: not before others have heard that this process goes, and not all at once.
_MOVE_FROM_MS, _MOVE_TO_MS = 1_000, 3_000


class Run(Protocol):
    """Runs a blocking use case in the service's thread pool."""

    def __call__(self, fn: Callable[..., _T], *args: Any) -> Awaitable[_T]:
        """The function's result."""
        ...


@dataclass(frozen=True, slots=True)
class HallRules:
    """How much a process holds, and for how long."""

    owner: str
    most_performances: int = 32
    lead_frames: int = 24_000
    lease_s: float = 30.0
    checkpoint_s: float = 0.5
    idle_unload_s: float = 120.0
    slots: int = 2


class Hall:
    """Opens, keeps and hands on performances; all methods belong to the event loop."""

    def __init__(
        self,
        use_cases: Performances,
        engines: Mapping[str, Engine],
        *,
        run: Run,
        paint: Paint,
        clock: Clock,
        rules: HallRules,
    ) -> None:
        self.rules = rules
        self._use_cases = use_cases
        self._engines = engines
        self._run = run
        self._clock = clock
        self.is_draining = False
        self._lives: dict[str, Live] = {}
        self._opening: dict[str, asyncio.Future[Live]] = {}
        self._wanted: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self.scheduler = Scheduler(lambda: self._lives.values(), paint, clock, slots=rules.slots)
        self.sources = Sources(self, use_cases, engines, run=run, clock=clock)

    async def serve(self, stopping: asyncio.Event) -> None:
        """Paint, keep checkpoints and take up what nobody holds, until told to stop."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.scheduler.serve(stopping), name="scheduler")
            tasks.create_task(self._keep_checkpoints(stopping), name="checkpoints")
            worker = tasks.create_task(self._do_wanted(), name="wanted")
            await stopping.wait()
            self.scheduler.wake()
            worker.cancel()
        await self._leave()

    async def _do_wanted(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                tasks.create_task(_guarded(await self._wanted.get()))

    def soon(self, work: Callable[[], Awaitable[None]]) -> None:
        """Have background work done; it never stops the hall."""
        self._wanted.put_nowait(work)

    def drain(self) -> None:
        """Ask every listener to connect elsewhere; what is held is played on, and nothing new is taken up."""
        self.is_draining = True
        listeners = [listener for live in self._lives.values() for listener in live.listeners]
        for place, listener in enumerate(listeners):
            spread_ms = (_MOVE_TO_MS - _MOVE_FROM_MS) * place // len(listeners)
            listener.tell(Draining(_MOVE_FROM_MS + spread_ms))

    def admit(self) -> None:
        """Nothing if there is room for one more performance, else `HallFull`."""
        if len(self._lives) + len(self._opening) >= self.rules.most_performances:
            raise HallFull(
                f"this process holds {self.rules.most_performances} performances; stop one or try again later",
                retry_after_s=5,
            )

    def open_soon(self, performance: Performance) -> None:
        """Load the performance in the background; while this process drains, another one takes it up."""
        if self.is_draining:
            return

        async def opened() -> None:
            await self.open(performance.artist, performance.uid)

        self.soon(opened)

    async def open(self, artist: str, uid: str) -> Live:
        """The performance, taken over from whoever held it; several callers share one loading."""
        if uid in self._lives:
            return self._lives[uid]
        if uid in self._opening:
            return await asyncio.shield(self._opening[uid])
        self.admit()
        future: asyncio.Future[Live] = asyncio.get_running_loop().create_future()
        self._opening[uid] = future
        try:
            live = await self._load(artist, uid)
        except BaseException as error:
            future.set_exception(
                error if isinstance(error, Exception) else PerformanceEnded("the server is going away")
            )
            future.exception()  # whoever waits gets it; nobody has to
            raise
        finally:
            del self._opening[uid]
        future.set_result(live)
        return live

    async def _load(self, artist: str, uid: str) -> Live:
        store = self._use_cases.store
        row = await self._run(store.claim, artist, uid, self.rules.owner, self.rules.lease_s)
        try:
            mix = await self._run(self._use_cases.load, row, row.source.asset)
        except AppError as error:
            if row.state is State.STARTING and not error.retry_after_s:
                failed = replace(row, state=State.FAILED, error_reason=error.reason, error_message=error.message)
                await self._run(store.settle, failed)
                log.warning("performance_failed", performance=row.name, reason=error.reason)
            raise
        row, stems = await self.sources.stems_of(row)
        canvas = await self._run(prepared_canvas, self._engines[row.graph.engine], mix, stems, row.source.mode)
        now_s = self._clock.monotonic()
        at_frames = row.playhead_frames % canvas.frame_count
        painter = Painter(canvas.frame_count, now_s, lead_frames=self.rules.lead_frames, at_frames=at_frames)
        live = Live(row, canvas, painter, now_s)
        self._lives[uid] = live
        _HELD.set(len(self._lives))
        await self.settle(live, state=State.READY, loop_frames=canvas.frame_count, stems=row.stems)
        if not live.graph.is_neutral:
            painter.repaint(now_s)
        self.sources.prepare_stems(live)
        return live

    def join(self, live: Live, listener: Listener) -> None:
        """Let the listener hear what happens from now on."""
        if not live.is_held:
            raise PerformanceEnded(f"{live.performance.name} is held here no longer; connect again")
        live.listeners.add(listener)
        if self.is_draining:
            listener.tell(Draining(_MOVE_FROM_MS))

    def part(self, live: Live, listener: Listener) -> None:
        """Let the listener go; without any the playhead stands still."""
        live.listeners.discard(listener)
        if not live.listeners:
            now_s = self._clock.monotonic()
            live.idle_since_s = now_s
            live.painter.report(-1, now_s, is_playing=False)

    def report(self, live: Live, at_frames: int, *, is_playing: bool) -> None:
        """The listener's playhead."""
        live.painter.report(at_frames, self._clock.monotonic(), is_playing=is_playing)
        self.scheduler.wake()

    def turn(self, live: Live, values: Mapping[str, float], overlay: str, listener: Listener | None, seq: int) -> None:
        """Turn knobs; the loop is repainted from just ahead of the playhead."""
        graph = live.graph.turned(values, overlay)
        now_s = self._clock.monotonic()
        if graph != live.graph:
            live.performance = replace(live.performance, graph=graph)
            live.painter.repaint(now_s)
        live.turn = Turn(listener, seq, now_s, live.painter.revision, is_audible=live.painter.is_settled)
        self.scheduler.wake()

    def repaint(self, live: Live) -> None:
        """Paint the whole loop again, as after a reconnect."""
        live.painter.repaint(self._clock.monotonic())
        self.scheduler.wake()

    async def stop(self, live: Live, by: str) -> None:
        """End the performance for all."""
        await self._run(self._use_cases.stop_held, live.performance)
        self._drop(live, Stopped(by))

    async def checkpoint_of(self, uid: str) -> None:
        """Write the checkpoint now if this process holds the performance."""
        if uid in self._lives:
            await self._checkpoint([self._lives[uid]])

    async def settle(self, live: Live, **changes: Any) -> bool:
        """Write the holder's own changes; gives whether the performance is still held."""
        for _ in range(3):
            wanted = replace(live.performance, **changes)
            settled = await self._run(self._use_cases.store.settle, wanted)
            if settled is not None:
                live.performance = replace(live.performance, **changes, etag=settled.etag)
                return True
            await self._checkpoint([live])
            if not live.is_held:
                return False
        return False

    async def _keep_checkpoints(self, stopping: asyncio.Event) -> None:
        rounds, wait_s = 0, self.rules.checkpoint_s
        while not stopping.is_set():
            try:
                async with asyncio.timeout(wait_s):
                    await stopping.wait()
            except TimeoutError:
                rounds += 1
            try:
                await self._checkpoint(list(self._lives.values()))
                await self._unload_idle()
                if rounds % 10 == 1:
                    await self._take_up_unheld()
                wait_s = self.rules.checkpoint_s
            except AppError as error:  # the audio goes on; what is not kept now is kept later
                wait_s = min(5.0, wait_s * 2)
                log.warning("checkpoint_failed", reason=error.reason, again_in_s=wait_s)

    async def _checkpoint(self, lives: list[Live]) -> None:
        if not lives:
            return
        now_s = self._clock.monotonic()
        points = [live.checkpoint(now_s) for live in lives]
        changed = await self._run(self._use_cases.store.checkpoint, points, self.rules.owner, self.rules.lease_s)
        for live, point in zip(lives, points, strict=True):
            if point.uid in changed:
                self._reconcile(live, changed[point.uid], point.graph.knobs)

    def _reconcile(self, live: Live, row: Performance | None, knobs: Mapping[str, float]) -> None:
        if row is None or row.state.has_ended:
            self._drop(live, Stopped("api"))
        elif row.fence != live.performance.fence:
            self._drop(live, Moved())
        elif row.revision != live.performance.revision:
            before = live.performance
            live.performance = replace(
                row,
                graph=before.graph,
                source=before.source,
                stems=before.stems,
                epoch=before.epoch,
                loop_frames=before.loop_frames,
            )
            turned = {name: value for name, value in row.graph.knobs.items() if value != knobs[name]}
            self.turn(live, turned, row.graph.overlay, None, 0)
            if row.source != before.source:
                self.sources.swap_soon(live, row.source, None, 0)

    def _drop(self, live: Live, why: Stopped | Moved | Leaving) -> None:
        live.is_held = False
        self._lives.pop(live.performance.uid, None)
        _HELD.set(len(self._lives))
        live.tell(why)

    async def _unload_idle(self) -> None:
        now_s = self._clock.monotonic()
        idle = [
            live
            for live in self._lives.values()
            if not live.listeners
            and now_s - live.idle_since_s > self.rules.idle_unload_s
            and live.performance.stems.state is not StemsState.PENDING
        ]
        if idle:
            await self._run(self._use_cases.store.release, [live.checkpoint(now_s) for live in idle])
        for live in idle:
            if not live.listeners:
                self._drop(live, Leaving())

    async def _take_up_unheld(self) -> None:
        for row in await self._run(self._use_cases.store.unheld):
            if row.uid not in self._opening and len(self._lives) < self.rules.most_performances:
                self.open_soon(row)

    async def _leave(self) -> None:
        """Hand everything back: listeners connect again elsewhere and nothing is lost."""
        lives = list(self._lives.values())
        now_s = self._clock.monotonic()
        points = [live.checkpoint(now_s) for live in lives]
        for live in lives:
            self._drop(live, Leaving())
        if points:
            await self._run(self._use_cases.store.release, points)


async def _guarded(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except AppError as error:
        log.warning("background_work_refused", reason=error.reason)
    except Exception:
        log.exception("background_work_failed")
