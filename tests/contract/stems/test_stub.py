"""The engine without a model: its stems sum to the mix, and the same mix gives the same stems."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from services.stems import stub
from services.stems.domain import Parameters, Recording
from services.stems.stub import MODEL, StubEngine

Float32 = npt.NDArray[np.float32]
Record = Callable[..., Recording]


def read(recording: Recording) -> Float32:
    return np.fromfile(recording.path, np.float32).reshape(-1, recording.channels)


def separate(mix: Recording, folder: Path) -> dict[str, Float32]:
    folder.mkdir(exist_ok=True)
    made = StubEngine().separate(mix, MODEL, Parameters(), folder, lambda _: None)
    return {name: read(stem) for name, stem in made.items()}


def noise(frame_count: int, channels: int) -> Float32:
    return (np.random.default_rng(7).standard_normal((frame_count, channels)) * 0.3).astype(np.float32)


@pytest.mark.parametrize("frame_count", [1, 2, 1023, 1024, 4096, 300_001])
@pytest.mark.parametrize("channels", [1, 2])
def test_stems_sum_to_the_mix(record: Record, tmp_path: Path, frame_count: int, channels: int) -> None:
    mix = noise(frame_count, channels)

    stems = separate(record(mix), tmp_path / "out")

    assert list(stems) == ["drums", "bass", "other", "vocals"]
    assert all(stem.shape == mix.shape for stem in stems.values())
    assert np.abs(sum(stems.values()) - mix).max() <= 1e-6


def test_same_mix_gives_the_same_bytes(record: Record, tmp_path: Path) -> None:
    mix = record(noise(300_001, 2))

    first, second = separate(mix, tmp_path / "a"), separate(mix, tmp_path / "b")

    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_silence_gives_silence(record: Record, tmp_path: Path) -> None:
    stems = separate(record(np.zeros((50_000, 2), np.float32)), tmp_path / "out")

    assert not any(stem.any() for stem in stems.values())


@pytest.mark.parametrize("rate_hz", [8000, 22050, 48000, 96000, 44101])
def test_any_rate_is_taken(record: Record, tmp_path: Path, rate_hz: int) -> None:
    mix = noise(20_000, 2)

    stems = separate(record(mix, rate_hz), tmp_path / "out")

    assert np.abs(sum(stems.values()) - mix).max() <= 1e-6


def test_a_click_is_drums_and_a_low_tone_is_bass(record: Record, tmp_path: Path) -> None:
    seconds = np.arange(3 * 44100) / 44100
    tone = np.tile(0.5 * np.sin(2 * np.pi * 60 * seconds)[:, None], (1, 2)).astype(np.float32)
    clicks = np.zeros_like(tone)
    clicks[11025::22050] = 0.9

    stems = separate(record(tone + clicks), tmp_path / "out")

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


def test_what_report_raises_ends_the_work(record: Record, tmp_path: Path) -> None:
    class StopNow(Exception):
        pass

    def stop(share: float) -> None:
        assert share == 0
        raise StopNow

    with pytest.raises(StopNow):
        StubEngine().separate(record(noise(1000, 2)), MODEL, Parameters(), tmp_path, stop)
