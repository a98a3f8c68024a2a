"""Jobs of the Demucs engine side by side, and mixes of every kind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from services.stems.demucs.mounted import find_models
from services.stems.domain import Parameters, Priority, SeparationInputNotFinite

torch = pytest.importorskip("torch", reason="torch and demucs are not installed: make setup-demucs")
pytest.importorskip("demucs.apply", reason="torch and demucs are not installed: make setup-demucs")

from services.stems.demucs.engine import DemucsEngine  # noqa: E402
from services.stems.demucs.network import load_network  # noqa: E402
from tests.material.demucs_models import (  # noqa: E402
    SEGMENT,
    SOURCES,
    blocks,
    by_demucs,
    furthest,
    mix_file,
    noise,
    save_published,
    separated,
    task,
)

Float32 = npt.NDArray[np.float32]


class Batched:
    """A loaded network that takes batches on the CPU too, and counts its forwards."""

    def __init__(self, network: Any, gate: threading.Event) -> None:
        self._network, self._gate = network, gate
        self.batch_sizes = (1, 2, 4, 8)
        self.batches: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def forward(self, windows: Float32, bucket: int = 0) -> Float32:
        del bucket
        self._gate.wait(30)
        self.batches.append(len(windows))
        made: Float32 = self._network.forward(windows, bucket=len(windows))
        return made


class House:
    """One model, and engines that run it in batches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "models").mkdir()
        self.theirs = save_published(folder / "models")
        self.networks: list[Batched] = []
        self.gate = threading.Event()
        self.gate.set()
        self.engines: list[DemucsEngine] = []

    def engine(self, *, batched: bool = True, **options: Any) -> DemucsEngine:
        load = self._load if batched else load_network
        found = find_models(self.folder / "models")
        self.engines.append(DemucsEngine(found, "cpu", "float32", load=load, **options))
        return self.engines[-1]

    def _load(self, *what: Any) -> Any:
        self.networks.append(Batched(load_network(*what), self.gate))
        return self.networks[-1]

    def mix(self, frames: Float32, rate_hz: int = 44100, name: str = "mix") -> Any:
        (self.folder / name).mkdir(exist_ok=True)
        return mix_file(self.folder / name / "mix.f32", frames, rate_hz)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.gate.set()
    for engine in made.engines:
        engine.close()


def together(house: House, engine: DemucsEngine, all_of: list[Float32]) -> list[Any]:
    """The sources of several mixes that run at once, or what each raised."""

    def one(index: int) -> Any:
        try:
            return separated(engine, task(engine, house.mix(all_of[index], name=f"mix{index}")))
        except SeparationInputNotFinite as error:
            return error

    with ThreadPoolExecutor(len(all_of)) as threads:
        house.gate.clear()
        running = [threads.submit(one, index) for index in range(len(all_of))]
        timer = threading.Timer(0.3, house.gate.set)
        timer.start()
        made = [each.result(60) for each in running]
        timer.join()
    return made


def test_eight_jobs_at_once_share_batches_and_equal_demucs(house: House) -> None:
    engine = house.engine(slots=8)
    engine.load("tiny")
    mixes = [noise(5_000 + 2_500 * index, seed=index) for index in range(8)]

    made = together(house, engine, mixes)

    assert max(house.networks[0].batches) == 8
    for ours, frames in zip(made, mixes, strict=True):
        assert furthest(ours, by_demucs(house.theirs, frames, shifts=0, overlap=0.25)) <= 2e-6


def test_a_mix_that_is_not_finite_fails_alone(house: House) -> None:
    engine = house.engine(slots=3)
    engine.load("tiny")
    mixes = [noise(20_000, seed=index) for index in range(3)]
    mixes[1][15_000, 0] = np.nan

    first, broken, third = together(house, engine, mixes)

    assert isinstance(broken, SeparationInputNotFinite)
    for ours, frames in ((first, mixes[0]), (third, mixes[2])):
        assert furthest(ours, by_demucs(house.theirs, frames, shifts=0, overlap=0.25)) <= 2e-6


def test_a_window_that_is_not_finite_at_its_level_fails_alone(house: House) -> None:
    engine = house.engine(slots=2)
    engine.load("tiny")
    # At its own level this one is beyond float32 in its second window.
    frames = noise(20_000)
    frames[:, 1] = -frames[:, 0]
    frames[19_500] = [1e31, -1e31]

    fine, broken = together(house, engine, [noise(20_000, seed=4), frames])

    assert isinstance(broken, SeparationInputNotFinite)
    theirs = by_demucs(house.theirs, noise(20_000, seed=4), shifts=0, overlap=0.25)
    assert furthest(fine, theirs) <= 2e-6


@pytest.mark.parametrize("deterministic", [False, True])
def test_the_same_job_gives_the_same_whatever_runs_beside_it(house: House, deterministic: bool) -> None:
    parameters = Parameters(shifts=1, seed=3, deterministic=deterministic)
    mix = house.mix(noise(40_000))
    alone, shared = house.engine(batched=False), house.engine()
    shared.load("tiny")

    first, again = (separated(alone, task(alone, mix, parameters)) for _ in range(2))
    batched = separated(shared, task(shared, mix, parameters))

    assert all(np.array_equal(first[name], again[name]) for name in SOURCES)
    assert furthest(first, batched) <= (0 if deterministic else 1e-6)
    assert (set(house.networks[0].batches) == {1}) == deterministic


def test_the_first_stretch_is_out_after_the_first_window(house: House) -> None:
    engine = house.engine()
    given = task(engine, house.mix(noise(5 * SEGMENT)), priority=Priority.INTERACTIVE)

    with closing(engine.separate(given)) as made:  # type: ignore[type-var]
        first = next(block for block in made if block)
        done = sum(house.networks[0].batches)

    assert len(first["drums"]) == int(0.75 * SEGMENT)
    assert house.networks[0].batches[0] == 1
    assert done <= 3


def test_closing_the_iterator_ends_the_work_within_a_window(house: House) -> None:
    engine = house.engine(batched=True)
    given = task(engine, house.mix(noise(20 * SEGMENT)))
    with closing(engine.separate(given)) as made:  # type: ignore[type-var]
        next(block for block in made if block)
    [network] = house.networks
    engine.close()

    assert sum(network.batches) <= 1 + 16 + 8
    assert list(given.folder.iterdir()) == [given.mix.path]


def test_a_job_that_waits_says_so(house: House) -> None:
    engine = house.engine()
    house.gate.clear()

    with closing(engine.separate(task(engine, house.mix(noise(1000))))) as made:  # type: ignore[type-var]
        waiting = [next(made) for _ in range(3)]
        house.gate.set()
        rest = list(made)

    assert waiting == [{}, {}, {}]
    assert sum(len(block["drums"]) for block in rest if block) == 1000


@pytest.mark.parametrize(
    ("channels", "rate_hz", "frame_count"),
    [(1, 44100, 1), (2, 8000, 1), (1, 48000, 30_001), (2, 44101, 20_000), (2, 192_000, 90_001), (1, 11_127, 9_000)],
)
def test_stems_have_the_mixs_rate_channels_and_length(
    house: House, channels: int, rate_hz: int, frame_count: int
) -> None:
    engine = house.engine(batched=False)
    frames = noise(frame_count, channels)
    given = task(engine, house.mix(frames, rate_hz))

    ours = separated(engine, given)

    assert all(stem.shape == frames.shape and np.isfinite(stem).all() for stem in ours.values())
    assert all(stem.dtype == np.float32 and stem.flags.c_contiguous for stem in ours.values())
    assert list(given.folder.iterdir()) == [given.mix.path]


def test_another_rate_gives_the_stems_of_the_models_rate(house: House) -> None:
    engine = house.engine(batched=False)
    seconds = np.arange(48_000) / 48_000
    tones = sum(np.sin(2 * np.pi * hz * seconds + hz) for hz in (80, 440, 1000, 5000)) * 0.1 + 0.05
    frames = np.stack([tones, 0.5 * tones], axis=1).astype(np.float32)

    fast = separated(engine, task(engine, house.mix(frames, 48_000)))

    import soxr

    slow = by_demucs(house.theirs, soxr.resample(frames, 48_000, 44_100, "HQ"), shifts=0, overlap=0.25)
    for name in SOURCES:
        expected = soxr.resample(slow[name], 44_100, 48_000, "HQ")
        assert np.abs(fast[name] - expected)[2000:-2000].max() <= 1e-5


def test_mono_is_given_to_both_channels_and_comes_back_as_their_mean(house: House) -> None:
    engine = house.engine(batched=False)
    frames = noise(20_000, 1)

    ours = separated(engine, task(engine, house.mix(frames)))

    theirs = by_demucs(house.theirs, frames.repeat(2, axis=1), shifts=0, overlap=0.25)
    assert furthest(ours, {name: stem.mean(axis=1, keepdims=True) for name, stem in theirs.items()}) <= 2e-6


def test_silence_gives_silence(house: House) -> None:
    engine = house.engine(batched=False)

    ours = separated(engine, task(engine, house.mix(np.zeros((20_000, 2), np.float32))))

    assert furthest(ours, by_demucs(house.theirs, np.zeros((20_000, 2), np.float32), shifts=0)) <= 1e-7


def test_a_constant_is_added_once(house: House) -> None:
    engine = house.engine(batched=False)

    ours = separated(engine, task(engine, house.mix(np.full((20_000, 2), 0.5, np.float32))))

    assert np.abs(ours["other"] - 0.5).max() <= 1e-6
    assert max(np.abs(ours[name]).max() for name in SOURCES if name != "other") <= 1e-6


def test_a_constant_at_another_rate_is_added_once(house: House) -> None:
    engine = house.engine(batched=False)
    frames, lifted = noise(48_000), noise(48_000) + np.float32(0.5)

    plain, higher = (separated(engine, task(engine, house.mix(each, 48_000))) for each in (frames, lifted))

    inside = slice(2000, -2000)
    assert np.abs(higher["other"] - plain["other"] - 0.5)[inside].max() <= 0.02
    assert np.abs(higher["drums"] - plain["drums"])[inside].max() <= 0.02


def test_channels_that_cancel_are_separated(house: House) -> None:
    engine = house.engine(batched=False)
    frames = noise(20_000)
    frames[:, 1] = -frames[:, 0]

    ours = separated(engine, task(engine, house.mix(frames)))

    assert furthest(ours, by_demucs(house.theirs, frames, shifts=0, overlap=0.25)) <= 1e-5


def test_gain_goes_through(house: House) -> None:
    engine = house.engine(batched=False)
    frames = noise(20_000)

    loud, soft = (separated(engine, task(engine, house.mix(frames * np.float32(gain)))) for gain in (1, 0.01))

    assert furthest(loud, {name: stem / np.float32(0.01) for name, stem in soft.items()}) <= 1e-5


def test_blocks_are_contiguous_stretches_of_the_wanted_sources(house: House) -> None:
    engine = house.engine()
    given = replace(task(engine, house.mix(noise(25_000))), sources=("bass", "vocals"))

    made = blocks(engine, given)

    assert all(list(block) == ["bass", "vocals"] for block in made)
    assert [len(block["bass"]) for block in made] == [8_061, 8_061, 8_061, 817]
