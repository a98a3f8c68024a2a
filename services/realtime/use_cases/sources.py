"""Sources of live performances: stems while the mix plays, and swaps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from chassis.clock import Clock
from chassis.errors import AppError
from chassis.logs import get_logger
from services.realtime.domain.painter import Painter
from services.realtime.domain.performance import (
    Performance,
    Source,
    SourceMode,
    Stems,
    StemsState,
    StemsUnavailable,
    SwapSuperseded,
    needs_separation,
)
from services.realtime.domain.ports import Canvas, Engine, Samples, SeparationView
from services.realtime.use_cases.live import Listener, Live, StemsFailed, StemsReady, SwapFailed, Swapped
from services.realtime.use_cases.performances import Performances, swapped

if TYPE_CHECKING:
    from services.realtime.use_cases.hall import Hall, Run

log = get_logger(__name__)
_STEMS = ("vocals", "instruments")
_FIRST_POLL_S, _LONGEST_POLL_S = 0.2, 2.0
_STEMS_LIMIT_S = 3_600.0


class Sources:
    """Changes what a performance is made of while it plays."""

    def __init__(
        self, hall: Hall, use_cases: Performances, engines: Mapping[str, Engine], *, run: Run, clock: Clock
    ) -> None:
        self._hall = hall
        self._use_cases = use_cases
        self._engines = engines
        self._run = run
        self._clock = clock

    async def stems_of(self, row: Performance) -> tuple[Performance, dict[str, Samples]]:
        """The audio of the stems that the row has; stems that cannot be read are FAILED, the mix goes on."""
        assets = row.stems.assets
        try:
            return row, {stem: await self._run(self._use_cases.load, row, asset) for stem, asset in assets.items()}
        except AppError as error:
            failed = replace(row.stems, state=StemsState.FAILED, error_reason=error.reason, error_message=error.message)
            return replace(row, stems=failed), {}

    def prepare_stems(self, live: Live) -> None:
        """Have the stems made in the background if the rules ask for them."""
        if not needs_separation(live.performance.source, live.performance.stems):
            return
        epoch = live.epoch

        async def prepared() -> None:
            try:
                await self._prepare(live, epoch)
            except AppError as error:
                await self._fail(live, epoch, error)

        self._hall.soon(prepared)

    async def _prepare(self, live: Live, epoch: int) -> None:
        view = await self._separated(live, epoch)
        if view is None:
            return
        if any(stem not in view.stems for stem in _STEMS):
            reason = view.error_message or "the separation was cancelled"
            failed = StemsUnavailable(f"there are no stems to blend in: {reason}; swap to the same source to try again")
            failed.reason = view.error_reason or failed.reason
            raise failed
        loaded = {stem: await self._run(self._use_cases.load, live.performance, view.stems[stem]) for stem in _STEMS}
        if not live.is_held or live.epoch != epoch:
            return
        await self._run(live.canvas.add_stems, loaded)
        live.canvas.use(live.performance.source.mode)
        ready = Stems(StemsState.READY, view.stems["vocals"], view.stems["instruments"], view.name)
        if await self._hall.settle(live, stems=ready):
            live.tell(StemsReady(ready.assets, view.name))
            self._hall.repaint(live)

    async def _separated(self, live: Live, epoch: int) -> SeparationView | None:
        """The separation when it has ended; None when nobody waits for it any more."""
        deadline_s, poll_s = self._clock.monotonic() + _STEMS_LIMIT_S, _FIRST_POLL_S
        while live.is_held and live.epoch == epoch:
            try:
                view = await self._run(self._use_cases.separate, live.performance)
            except AppError as error:
                if not error.retry_after_s or self._clock.monotonic() > deadline_s:
                    raise
                view = None
            if view is not None and view.has_ended:
                return view
            if view is not None and live.performance.stems.separation != view.name:
                await self._hall.settle(live, stems=replace(live.performance.stems, separation=view.name))
            if self._clock.monotonic() > deadline_s:
                raise StemsUnavailable("the separation took longer than an hour; swap to the same source to try again")
            await asyncio.sleep(poll_s)
            poll_s = min(poll_s * 1.5, _LONGEST_POLL_S)
        return None

    async def _fail(self, live: Live, epoch: int, error: AppError) -> None:
        if not live.is_held or live.epoch != epoch:
            return
        failed = replace(
            live.performance.stems, state=StemsState.FAILED, error_reason=error.reason, error_message=error.message
        )
        if await self._hall.settle(live, stems=failed):
            log.warning("stems_failed", performance=live.performance.name, reason=error.reason)
            live.tell(StemsFailed(error.reason, error.message))

    def swap_soon(self, live: Live, source: Source, listener: Listener | None, seq: int) -> None:
        """Replace the source in the background; the old loop plays on until the new one is there."""
        live.swap_count += 1
        number = live.swap_count

        async def swap() -> None:
            try:
                await self._swap(live, source, number, listener, seq)
            except AppError as error:
                _tell_swap_failed(live, error, listener, seq)
                if listener is None and live.is_held:
                    await self._hall.settle(live)  # the row goes back to what is played

        self._hall.soon(swap)

    async def _swap(self, live: Live, source: Source, number: int, listener: Listener | None, seq: int) -> None:
        before = live.performance
        same = source.asset == before.source.asset
        mix = live.canvas.mix if same else await self._run(self._use_cases.load, before, source.asset)
        if number != live.swap_count or not live.is_held:
            raise SwapSuperseded("a later swap took this one's place; nothing is to be done")
        after = swapped(live.performance, source)
        stems = live.canvas.stems if same else {}
        canvas = await self._run(prepared_canvas, self._engines[before.graph.engine], mix, stems, source.mode)
        if number != live.swap_count:
            raise SwapSuperseded("a later swap took this one's place; nothing is to be done")
        changes = {"source": source, "stems": after.stems, "epoch": before.epoch + 1, "loop_frames": canvas.frame_count}
        if not await self._hall.settle(live, **changes, playhead_frames=0):
            return
        now_s = self._clock.monotonic()
        painter = Painter(canvas.frame_count, now_s, lead_frames=self._hall.rules.lead_frames)
        painter.painted_slices, painter.missed_deadlines = live.painter.painted_slices, live.painter.missed_deadlines
        painter.report(0, now_s, is_playing=live.painter.playhead.is_playing)
        live.canvas, live.painter = canvas, painter
        for other in list(live.listeners):
            other.tell(Swapped(seq if other is listener else 0))
        if not live.graph.is_neutral:
            self._hall.repaint(live)
        if not same:
            old = [before.source.asset, *before.stems.assets.values()]
            await self._run(self._use_cases.let_go, before, [asset for asset in old if asset != source.asset])
        self.prepare_stems(live)


def prepared_canvas(engine: Engine, mix: Samples, stems: Mapping[str, Samples], mode: SourceMode) -> Canvas:
    """A canvas with the loop that is to be played first; copies whole loops, so it belongs in a thread."""
    canvas = engine.canvas(mix)
    if stems:
        canvas.add_stems(stems)
        canvas.use(mode)
        canvas.begin_with_source()
    return canvas


def _tell_swap_failed(live: Live, error: AppError, listener: Listener | None, seq: int) -> None:
    for other in [listener] if listener is not None else list(live.listeners):
        other.tell(SwapFailed(seq if other is listener else 0, error.reason, error.message))
