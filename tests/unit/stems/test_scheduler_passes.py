"""What runs over a mix, and how windows become sources again."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from services.stems.demucs.mixes import Level, Measure, MixReader
from services.stems.demucs.mounted import MountedModel, Weights
from services.stems.demucs.passes import Pass, Run, plan, windows_ahead
from services.stems.demucs.scheduler import Scheduler
from services.stems.demucs.windows import Lane
from services.stems.domain import (
    Model,
    ModelUnusable,
    Parameters,
    Priority,
    Recording,
    SeparationInputNotFinite,
)
from tests.unit.stems.fake_network import SHARES, FakeNetwork

Float32 = npt.NDArray[np.float32]
SOURCES = ("drums", "bass", "other", "vocals")
ONE_HOT = tuple(tuple(float(row == column) for column in range(4)) for row in range(4))


def mounted(shares: tuple[tuple[float, ...], ...] | None, count: int = 4) -> MountedModel:
    model = Model("fine", "fine", "demucs", SOURCES, 44100, 2, "digest")
    weights = Weights(Path("x.th"), "HTDemucs", (list(SOURCES),), {})
    return MountedModel(model, (weights,) * count, shares, None)


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    made = Scheduler()
    yield made
    made.close()


def reader(path: Path, frames: Float32, level: Level = Level(0.0, 1.0), channels: int = 2) -> MixReader:
    frames.tofile(path)
    return MixReader(Recording(path, 44100, frames.shape[1], len(frames)), level, channels)


def noise(frame_count: int, channels: int = 2) -> Float32:
    return np.random.default_rng(3).standard_normal((frame_count, channels)).astype(np.float32)


def run_of(network: FakeNetwork, passes: tuple[Pass, ...], frame_count: int, overlap: float = 0.25) -> Run:
    wanted = tuple(name for name in SOURCES if any(name in each.factors for each in passes))
    networks = {each.place: network for each in passes}
    return Run(passes, networks, wanted, frame_count=frame_count, overlap=overlap, scale=1.0)


def test_only_networks_with_a_share_in_what_is_wanted_run() -> None:
    passes = plan(mounted(ONE_HOT), ("bass", "vocals"), Parameters())

    assert [(each.place, dict(each.factors)) for each in passes] == [(1, {"bass": 1.0}), (3, {"vocals": 1.0})]


def test_shares_are_those_of_a_bag() -> None:
    passes = plan(mounted(((1.0, 1.0, 1.0, 0.0), (3.0, 1.0, 0.0, 1.0)), 2), SOURCES, Parameters())

    assert [dict(each.factors) for each in passes] == [
        {"drums": 0.25, "bass": 0.5, "other": 1.0},
        {"drums": 0.75, "bass": 0.5, "vocals": 1.0},
    ]


def test_a_source_has_the_same_shifts_whatever_else_is_wanted() -> None:
    parameters = Parameters(shifts=2, seed=9)

    some, every = (plan(mounted(ONE_HOT), names, parameters) for names in (("vocals",), SOURCES))

    assert some == every[-2:]
    draw = random.Random(9)
    assert [each.start for each in every] == [draw.randint(0, 22050) - 22050 for _ in range(8)]


def test_a_source_without_a_network_is_refused() -> None:
    with pytest.raises(ModelUnusable, match="no network of model 'fine' has a share in vocals"):
        plan(mounted(((1.0, 1.0, 1.0, 0.0),), 1), SOURCES, Parameters())


def test_windows_that_are_cut_short_see_the_audio_on_both_sides() -> None:
    lane = Lane(FakeNetwork(segment_frames=100), 0, 130, 0.25)

    assert [(each.start, each.frame_count, each.read_start, each.read_count) for each in lane.windows()] == [
        (0, 100, 0, 100),
        (75, 55, 53, 100),
    ]


@pytest.mark.parametrize("overlap", [0.0, 0.1, 0.25, 0.5, 0.75, 0.9])
@pytest.mark.parametrize("starts", [(0,), (0, 0), (-700, -13)])
def test_windows_add_up_to_the_mix_at_every_length(
    tmp_path: Path, scheduler: Scheduler, overlap: float, starts: tuple[int, ...]
) -> None:
    network = FakeNetwork(segment_frames=1000)
    factors = {name: 1 / len(starts) for name in SOURCES}
    passes = tuple(Pass(0, start, factors) for start in starts)

    for frame_count in (1, 2, 749, 750, 751, 999, 1000, 1001, 1999, 2001, 3001):
        frames = noise(frame_count)
        with scheduler.open(Priority.BATCH) as job:
            mix = reader(tmp_path / "mix.f32", frames)
            made = [each for each in run_of(network, passes, frame_count, overlap).stretches(job, mix, 3, 5.0) if each]
            mix.close()

        for share, name in zip(SHARES, SOURCES, strict=True):
            whole = np.concatenate([each[name] for each in made])
            assert whole.shape == frames.shape
            assert np.abs(whole - share * frames).max() <= 1e-5


def test_lanes_with_other_sources_and_window_lengths_are_summed(tmp_path: Path, scheduler: Scheduler) -> None:
    networks = {0: FakeNetwork(segment_frames=1000), 1: FakeNetwork(segment_frames=700)}
    passes = (Pass(0, 0, {"drums": 0.5, "bass": 1.0}), Pass(1, 0, {"drums": 0.5, "vocals": 1.0}))
    frames = noise(5000)
    run = Run(passes, networks, ("drums", "bass", "vocals"), frame_count=5000, overlap=0.25, scale=2.0)

    with scheduler.open(Priority.BATCH) as job:
        made = [each for each in run.stretches(job, reader(tmp_path / "mix.f32", frames), 3, 5.0) if each]

    for name, share in (("drums", 0.5), ("bass", 0.25), ("vocals", 0.125)):
        assert np.abs(np.concatenate([each[name] for each in made]) - 2 * share * frames).max() <= 1e-5


def test_a_job_whose_results_nobody_takes_stands_still(tmp_path: Path) -> None:
    scheduler, gate = Scheduler(), threading.Semaphore(0)
    network = FakeNetwork(segment_frames=100, batch_sizes=(1,), gate=gate)
    run = run_of(network, (Pass(0, 0, {"drums": 1.0}),), 100_000)
    with scheduler.open(Priority.BATCH) as job, scheduler.open(Priority.BATCH) as other:
        stretches = run.stretches(job, reader(tmp_path / "mix.f32", noise(100_000)), windows_ahead(1), 5.0)
        gate.release(1000)

        taken = [next(stretches) for _ in range(4)]
        other_run = run_of(network, (Pass(0, 0, {"drums": 1.0}),), 1000)
        list(other_run.stretches(other, reader(tmp_path / "b.f32", noise(1000)), 3, 5.0))

    scheduler.close()
    assert all(taken)
    # 14 windows of the other job; 4 that were taken and at most those handed in ahead.
    assert len(network.batches) - 14 <= 4 + windows_ahead(1)


def test_ending_the_iterator_ends_the_work(tmp_path: Path) -> None:
    scheduler, gate = Scheduler(), threading.Semaphore(2)
    network = FakeNetwork(segment_frames=100, batch_sizes=(1,), gate=gate)
    run = run_of(network, (Pass(0, 0, {"drums": 1.0}),), 10_000)
    with scheduler.open(Priority.BATCH) as job:
        stretches = run.stretches(job, reader(tmp_path / "mix.f32", noise(10_000)), windows_ahead(1), 5.0)
        next(stretches), next(stretches)
        while len(network.batches) < 3:
            time.sleep(0.002)
        stretches.close()  # type: ignore[attr-defined]

    gate.release(100)
    scheduler.close()
    assert len(network.batches) == 3


def test_a_source_that_is_not_finite_ends_the_job(tmp_path: Path, scheduler: Scheduler) -> None:
    class Deaf(FakeNetwork):
        def forward(self, windows: Float32, bucket: int = 0) -> Float32:
            return np.full((len(windows), 4, *windows.shape[1:]), np.nan, np.float32)

    run = run_of(Deaf(), (Pass(0, 0, {"drums": 1.0}),), 1000)

    with scheduler.open(Priority.BATCH) as job, pytest.raises(SeparationInputNotFinite):
        list(run.stretches(job, reader(tmp_path / "mix.f32", noise(1000)), 3, 5.0))


@pytest.mark.parametrize("offset", [0.0, 0.3, 1e6])
def test_levels_are_measured_block_by_block(offset: float) -> None:
    frames = (noise(100_001) * 0.1 + offset).astype(np.float32)
    measure = Measure()
    for first, last in itertools.pairwise([0, 1, 1, 500, 70_000, 100_001]):
        measure.add(frames[first:last])

    middle = frames.astype(np.float64).mean(axis=1)
    assert measure.level().mean == pytest.approx(middle.mean(), rel=1e-12)
    assert measure.level().deviation == pytest.approx(middle.std(ddof=1) + 1e-8, rel=1e-9)


def test_a_single_frame_has_no_deviation() -> None:
    measure = Measure()
    measure.add(np.full((1, 2), 0.5, np.float32))

    assert measure.level() == Level(0.5, 1e-8)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_refused(value: float) -> None:
    frames = noise(1000)
    frames[700, 1] = value

    with pytest.raises(SeparationInputNotFinite):
        Measure().add(frames)


@pytest.mark.parametrize(("given", "wanted"), [(1, 2), (2, 2), (2, 1), (1, 1)])
def test_a_window_has_silence_around_the_mix_and_the_channels_of_the_network(
    tmp_path: Path, given: int, wanted: int
) -> None:
    frames = noise(50, given)
    mix = reader(tmp_path / "mix.f32", frames, Level(0.5, 2.0), wanted)

    window, beyond = mix.read(-10, 100), mix.read(60, 10)

    expected = (frames if given == wanted else frames.mean(axis=1, keepdims=True).repeat(wanted, 1)).T / 2 - 0.25
    assert window.shape == (wanted, 100)
    assert np.abs(window[:, 10:60] - expected).max() <= 1e-6
    assert not window[:, :10].any()
    assert not window[:, 60:].any()
    assert not beyond.any()
