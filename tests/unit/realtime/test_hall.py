from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from chassis.testing import caller_for
from services.realtime.domain.performance import (
    HallFull,
    Performance,
    PerformanceEnded,
    Source,
    SourceMode,
    State,
    StemsState,
)
from services.realtime.domain.ports import Region, Request, Saving
from services.realtime.use_cases.hall import Hall
from services.realtime.use_cases.live import (
    Draining,
    Leaving,
    Live,
    Moved,
    StemsFailed,
    StemsReady,
    Stopped,
    SwapFailed,
    Swapped,
)
from services.realtime.use_cases.performances import Change, NewPerformance
from tests.unit.realtime.world import World

PIECE = "artists/nova/assets/piece"
NOBODY = Request("ada", "CreatePerformance", "", b"")


class Ear:
    def __init__(self) -> None:
        self.heard: list[tuple[Region, int]] = []
        self.told: list[Any] = []

    def hear(self, region: Region, knobs_seq: int, render_s: float) -> None:
        self.heard.append((region, knobs_seq))

    def tell(self, event: Any) -> None:
        self.told.append(event)


def create(world: World, **wanted: Any) -> Performance:
    wanted.setdefault("asset", "" if wanted.get("session") else PIECE)
    return world.use_cases.create(caller_for("nova"), NewPerformance(**wanted), NOBODY)[0]


async def opened(world: World, hall: Hall, **wanted: Any) -> tuple[Live, Ear]:
    made = create(world, **wanted)
    live, ear = await hall.open("nova", made.uid), Ear()
    hall.join(live, ear)
    hall.report(live, -1, is_playing=True)
    return live, ear


async def work(hall: Hall, name: str = "") -> None:
    """Do the background work that was asked for."""
    while not hall._wanted.empty():
        await hall._wanted.get_nowait()()


async def play(world: World, hall: Hall, seconds: float) -> None:
    """Let the clock run and paint what is due."""
    end_s = world.clock.monotonic() + seconds
    while world.clock.monotonic() < end_s:
        due: list[Live] = []
        nap_s = hall.scheduler.start_due(due.append)
        for live in due:
            await hall.scheduler.paint_one(live)
        if not due:
            world.clock.advance(min(nap_s, end_s - world.clock.monotonic()) + 1e-6)


async def test_a_performance_plays_its_source_before_any_stem_is_there(world: World) -> None:
    live, _ = await opened(world, world.hall())

    row = world.store.get("nova", live.performance.uid)

    assert (row.state, row.loop_frames, row.stems.state) == (State.READY, 96_000, StemsState.PENDING)
    assert np.all(live.canvas.loop == 0.5)


async def test_a_knob_is_heard_ahead_of_the_playhead_and_then_everywhere(world: World) -> None:
    hall = world.hall()
    live, ear = await opened(world, hall, skip_stem_extraction=True)

    hall.turn(live, {"gain_db": -6.0206}, "", ear, 4)
    await play(world, hall, 0.01)
    first = ear.heard[0]
    await play(world, hall, 3)

    assert first == (Region(24_000, 17_280), 4)
    np.testing.assert_allclose(live.canvas.loop, 0.25, atol=1e-4)
    assert live.painter.missed_deadlines == 0


async def test_the_most_urgent_performance_is_painted_first_and_no_more_than_there_are_slots(world: World) -> None:
    hall = world.hall(slots=1)
    far, far_ear = await opened(world, hall, skip_stem_extraction=True)
    near, near_ear = await opened(world, hall, skip_stem_extraction=True)
    hall.turn(near, {"gain_db": -6}, "", near_ear, 1)
    world.clock.advance(0.2)
    hall.turn(far, {"gain_db": -6}, "", far_ear, 1)

    started: list[Live] = []
    hall.scheduler.start_due(started.append)

    assert started == [near]


async def test_stems_are_blended_in_when_they_are_there(world: World) -> None:
    hall = world.hall()
    live, ear = await opened(world, hall)
    hall.turn(live, {"blend": 1.0}, "vocals", ear, 1)
    world.separations.finish()

    await work(hall)
    await play(world, hall, 3)

    assert isinstance(ear.told[0], StemsReady)
    np.testing.assert_allclose(live.canvas.loop, 0.25, atol=1e-4)
    row = world.store.get("nova", live.performance.uid)
    assert row.stems.assets == {
        "vocals": "artists/nova/assets/vocals",
        "instruments": "artists/nova/assets/instruments",
    }
    assert {asset for asset, _ in world.assets.holds} == {PIECE, *row.stems.assets.values()}


async def test_a_failed_separation_is_told_and_the_mix_goes_on(world: World) -> None:
    hall = world.hall()
    live, ear = await opened(world, hall, mode=SourceMode.VOCALS)
    world.separations.fail()

    await work(hall)

    assert [type(event) for event in ear.told] == [StemsFailed]
    assert ear.told[0].reason == "SEPARATION_INPUT_EMPTY"
    assert world.store.get("nova", live.performance.uid).stems.state is StemsState.FAILED
    assert live.is_held


async def test_a_saved_performance_opens_again_without_a_separation(world: World) -> None:
    hall = world.hall()
    live, ear = await opened(world, hall)
    world.separations.finish()
    await work(hall)
    hall.turn(live, {"gain_db": -6, "blend": 0.5}, "vocals", ear, 1)
    hall.report(live, 12_345, is_playing=False)
    await hall.checkpoint_of(live.performance.uid)
    saved = world.use_cases.save("nova", live.performance.uid, Saving("Tonight"))
    started = len(world.separations.started)

    again, _ = await opened(world, hall, session=saved.name)
    await work(hall)

    assert len(world.separations.started) == started == 1
    assert again.graph == live.graph
    assert again.performance.stems.assets == live.performance.stems.assets
    assert again.painter.playhead.in_loop(world.clock.monotonic()) == 12_345
    assert set(again.canvas.stems) == {"vocals", "instruments"}


async def test_skipping_the_extraction_starts_no_separation(world: World) -> None:
    hall = world.hall()
    live, _ = await opened(world, hall, skip_stem_extraction=True, mode=SourceMode.VOCALS)

    await work(hall)

    assert world.separations.started == []
    assert live.performance.stems.state is StemsState.NONE


async def test_a_swap_replaces_the_loop_and_lets_the_old_audio_go(world: World) -> None:
    hall = world.hall()
    live, ear = await opened(world, hall, skip_stem_extraction=True)
    other = world.assets.add("other")

    hall.sources.swap_soon(live, Source(other, skip_stem_extraction=True), ear, 9)
    await work(hall)

    assert ear.told == [Swapped(9)]
    assert live.epoch == 2
    assert np.all(live.canvas.loop == 0.0625)
    assert {asset for asset, _ in world.assets.holds} == {other}
    assert world.store.get("nova", live.performance.uid).source.asset == other


async def test_a_swap_that_fails_leaves_the_old_loop(world: World) -> None:
    hall = world.hall()
    live, ear = await opened(world, hall, skip_stem_extraction=True)

    hall.sources.swap_soon(live, Source("artists/nova/assets/nothing"), ear, 9)
    await work(hall)

    assert [type(event) for event in ear.told] == [SwapFailed]
    assert live.epoch == 1


async def test_of_two_swaps_the_later_one_counts_and_the_earlier_one_is_answered(world: World) -> None:
    hall = world.hall()
    live, ear = await opened(world, hall, skip_stem_extraction=True)
    other = world.assets.add("other")

    hall.sources.swap_soon(live, Source(other), ear, 1)
    hall.sources.swap_soon(live, Source(other, skip_stem_extraction=True), ear, 2)
    await work(hall)

    assert [(type(event), event.of) for event in ear.told] == [(SwapFailed, 1), (Swapped, 2)]


async def test_a_stem_of_the_same_recording_is_played_without_another_separation(world: World) -> None:
    hall = world.hall()
    live, ear = await opened(world, hall)
    world.separations.finish()
    await work(hall)

    hall.sources.swap_soon(live, Source(PIECE, SourceMode.INSTRUMENTS), ear, 2)
    await work(hall)

    assert np.all(live.canvas.loop == 0.125)
    assert world.separations.started == [PIECE]


async def test_a_change_through_the_api_is_played(world: World) -> None:
    hall = world.hall()
    live, ear = await opened(world, hall, skip_stem_extraction=True)
    hall.turn(live, {"low_db": 3}, "", ear, 1)
    await hall.checkpoint_of(live.performance.uid)
    other = world.assets.add("other")

    world.use_cases.update("nova", live.performance.uid, Change(knobs={"gain_db": -6}, asset=other), "")
    await hall.checkpoint_of(live.performance.uid)
    await work(hall)
    await hall.checkpoint_of(live.performance.uid)

    assert (live.graph.knobs["gain_db"], live.graph.knobs["low_db"]) == (-6.0, 3.0)
    assert live.performance.source.asset == other
    assert ear.told == [Swapped(0)]
    row = world.store.get("nova", live.performance.uid)
    assert (row.source.asset, row.epoch, row.graph.knobs["gain_db"]) == (other, 2, -6.0)


async def test_another_process_takes_over_from_the_last_checkpoint(world: World) -> None:
    one, two = world.hall("one"), world.hall("two")
    live, ear = await opened(world, one, skip_stem_extraction=True)
    one.turn(live, {"gain_db": -12}, "", ear, 1)
    world.clock.advance(0.5)
    await one.checkpoint_of(live.performance.uid)

    taken = await two.open("nova", live.performance.uid)
    await one.checkpoint_of(live.performance.uid)

    assert taken.graph.knobs["gain_db"] == -12.0
    assert taken.painter.playhead.in_loop(world.clock.monotonic()) == 24_000
    assert ear.told == [Moved()]
    assert not live.is_held


async def test_ending_through_the_api_reaches_who_listens(world: World) -> None:
    hall = world.hall()
    live, ear = await opened(world, hall)

    world.use_cases.stop("nova", live.performance.uid)
    await hall.checkpoint_of(live.performance.uid)

    assert ear.told == [Stopped("api")]
    with pytest.raises(PerformanceEnded):
        await hall.open("nova", live.performance.uid)


async def test_a_process_that_goes_away_gives_everything_back(world: World) -> None:
    hall = world.hall()
    live, ear = await opened(world, hall, skip_stem_extraction=True)
    stopping = asyncio.Event()
    stopping.set()

    await hall.serve(stopping)

    row = world.store.get("nova", live.performance.uid)
    assert ear.told == [Leaving()]
    assert (row.state, row.lease_owner) == (State.READY, "")


async def test_a_hall_that_drains_asks_to_connect_elsewhere_and_plays_on_until_then(world: World) -> None:
    one, two = world.hall("one"), world.hall("two")
    live, ear = await opened(world, one, skip_stem_extraction=True)

    one.drain()
    late = Ear()
    one.join(live, late)
    one.turn(live, {"gain_db": -12}, "", ear, 1)
    await one.checkpoint_of(live.performance.uid)
    still_held = live.is_held
    taken = await two.open("nova", live.performance.uid)
    await one.checkpoint_of(live.performance.uid)

    assert ear.told == [Draining(1_000), Moved()]
    assert late.told == [Draining(1_000), Moved()]
    assert (still_held, taken.graph.knobs["gain_db"]) == (True, -12.0)


async def test_listeners_are_spread_over_some_time(world: World) -> None:
    hall = world.hall()
    ears = [(await opened(world, hall, skip_stem_extraction=True))[1] for _ in range(4)]

    hall.drain()

    assert [ear.told for ear in ears] == [[Draining(1_000 + 500 * place)] for place in range(4)]


async def test_a_hall_that_drains_takes_nothing_new_up(world: World) -> None:
    hall = world.hall()
    made = create(world, skip_stem_extraction=True)
    hall.drain()

    hall.open_soon(made)

    assert hall._wanted.empty()


async def test_a_full_hall_refuses(world: World) -> None:
    hall = world.hall(most_performances=1)
    await opened(world, hall, skip_stem_extraction=True)

    with pytest.raises(HallFull):
        hall.admit()


async def test_a_loop_that_nobody_hears_leaves_memory_and_comes_back(world: World) -> None:
    hall = world.hall()
    live, ear = await opened(world, hall, skip_stem_extraction=True)
    hall.part(live, ear)
    world.clock.advance(121)

    await hall._unload_idle()

    assert not live.is_held
    again = await hall.open("nova", live.performance.uid)
    assert again is not live
    assert again.performance.fence == live.performance.fence + 1


async def test_a_source_that_cannot_be_loaded_fails_the_performance(world: World) -> None:
    hall, made = world.hall(), create(world)
    del world.assets.known[PIECE]

    with pytest.raises(Exception, match="does not exist"):
        await hall.open("nova", made.uid)

    row = world.store.get("nova", made.uid)
    assert (row.state, row.error_reason) == (State.FAILED, "RESOURCE_NOT_FOUND")
