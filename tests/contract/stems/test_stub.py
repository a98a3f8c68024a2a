"""The engine without a model: its stems sum to the mix, and the same mix gives the same stems."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable, Generator

import numpy as np
import numpy.typing as npt
import pytest

from services.stems import stub
from services.stems.domain import Parameters, Priority, Recording, Task
from services.stems.stub import MODEL, SOURCES, StubEngine

Float32 = npt.NDArray[np.float32]
Record = Callable[..., Recording]


def task_of(mix: Recording, sources: tuple[str, ...] = SOURCES) -> Task:
    return Task(mix, MODEL, sources, Parameters(), Priority.BATCH, mix.path.parent)


def separate(mix: Recording, sources: tuple[str, ...] = SOURCES) -> dict[str, Float32]:
    blocks = [block for block in StubEngine().separate(task_of(mix, sources)) if block]
    assert all(tuple(block) == sources for block in blocks)
    return {name: np.concatenate([block[name] for block in blocks]) for name in sources}


def noise(frame_count: int, channels: int) -> Float32:
    return (np.random.default_rng(7).standard_normal((frame_count, channels)) * 0.3).astype(np.float32)


@pytest.mark.parametrize("frame_count", [1, 2, 1023, 1024, 4096, 300_001])
@pytest.mark.parametrize("channels", [1, 2])
def test_stems_sum_to_the_mix(record: Record, frame_count: int, channels: int) -> None:
    mix = noise(frame_count, channels)

    stems = separate(record(mix))

    assert list(stems) == ["drums", "bass", "other", "vocals"]
    assert all(stem.shape == mix.shape for stem in stems.values())
    assert np.abs(sum(stems.values()) - mix).max() <= 1e-6


def test_same_mix_gives_the_same_bytes(record: Record) -> None:
    mix = record(noise(300_001, 2))

    first, second = separate(mix), separate(mix)

    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_silence_gives_silence(record: Record) -> None:
    stems = separate(record(np.zeros((50_000, 2), np.float32)))

    assert not any(stem.any() for stem in stems.values())


@pytest.mark.parametrize("rate_hz", [8000, 22050, 48000, 96000, 44101])
def test_any_rate_is_taken(record: Record, rate_hz: int) -> None:
    mix = noise(20_000, 2)

    stems = separate(record(mix, rate_hz))

    assert np.abs(sum(stems.values()) - mix).max() <= 1e-6


def test_a_click_is_drums_and_a_low_tone_is_bass(record: Record) -> None:
    seconds = np.arange(3 * 44100) / 44100
    tone = np.tile(0.5 * np.sin(2 * np.pi * 60 * seconds)[:, None], (1, 2)).astype(np.float32)
    clicks = np.zeros_like(tone)
    clicks[11025::22050] = 0.9

    stems = separate(record(tone + clicks))

    middle = slice(22050, -22050)
    assert np.square(stems["bass"][middle]).sum() > 0.9 * np.square(tone[middle]).sum()
    assert np.abs(stems["drums"][11025 + 22050]).min() > 0.5


def test_windows_add_up_to_the_signal(record: Record) -> None:
    plan = stub._Plan.for_rate(44100)
    mix = noise(70_000, 2)
    recording = record(mix)

    with recording.path.open("rb") as source:
        padded = stub._read_padded(recording, source, -3 * plan.hop, 80 * plan.hop)
    spectra = stub._spectra(plan, padded, 70)
    back = stub._signal(plan, spectra, np.ones(spectra.shape[::2], np.float32), 60_000)

    assert np.abs(back - mix[:60_000]).max() < 1e-6


@pytest.mark.parametrize("wanted", [("vocals",), ("other",), ("bass", "other"), ("drums", "bass", "vocals")])
def test_a_source_is_the_same_whichever_others_are_wanted(record: Record, wanted: tuple[str, ...]) -> None:
    mix = record(noise(300_001, 2))

    every, some = separate(mix), separate(mix, wanted)

    assert list(some) == list(wanted)
    assert all(np.array_equal(some[name], every[name]) for name in wanted)


def test_an_empty_block_comes_before_each_that_is_long_in_the_making(record: Record) -> None:
    sizes = [len(block) for block in StubEngine().separate(task_of(record(noise(400_000, 2))))]

    assert sizes[0] == 0
    assert all(not before for before, block in itertools.pairwise(sizes) if block)


def test_closing_the_iterator_lets_go_of_the_mix(record: Record) -> None:
    blocks = StubEngine().separate(task_of(record(noise(400_000, 2))))
    assert isinstance(blocks, Generator)
    next(blocks)

    blocks.close()  # a file left open is a ResourceWarning, which is an error here

    assert list(blocks) == []


def test_memory_does_not_grow_with_the_length(record: Record) -> None:
    def peak_bytes(frame_count: int) -> int:
        mix = record(noise(frame_count, 2))
        tracemalloc.start()
        for _ in StubEngine().separate(task_of(mix)):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak_bytes(800_000) < 1.1 * peak_bytes(300_000)
