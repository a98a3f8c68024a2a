from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from scipy import signal

from audiofiles.loudness import KCurve, LoudnessMeter, k_weighting
from tests.material import audio

Float64 = npt.NDArray[np.float64]


def weighted_by_recursion(samples: npt.NDArray[np.float32] | Float64, rate_hz: int) -> Float64:
    """The same two sections, sample by sample."""
    found = samples.astype(np.float64)
    for section in k_weighting(rate_hz):
        found = signal.lfilter(section[:3], section[3:], found, axis=0)
    return found


def loudness_by_recursion(samples: npt.NDArray[np.float32], rate_hz: int, gains: list[float]) -> float:
    """BS.1770-4 word by word."""
    energy = np.square(weighted_by_recursion(samples, rate_hz)) @ np.array(gains)
    step = rate_hz // 10
    starts = range(0, len(energy) - 4 * step + 1, step)
    blocks = np.array([energy[start : start + 4 * step].mean() for start in starts])
    heard = blocks[-0.691 + 10 * np.log10(blocks) > -70]
    gate = -0.691 + 10 * np.log10(heard.mean()) - 10
    return float(-0.691 + 10 * np.log10(heard[-0.691 + 10 * np.log10(heard) > gate].mean()))


@pytest.mark.parametrize("rate_hz", [4000, 44_100, 48_000, 192_000, 768_000])
def test_windows_of_the_k_curve_join_into_what_the_recursion_gives(rate_hz: int) -> None:
    curve = KCurve(rate_hz)
    fresh = curve.window_frames - curve.history_frames
    noise_on_dc = 0.5 + np.random.default_rng(1).standard_normal(3 * fresh)

    padded = np.concatenate((np.zeros(curve.history_frames), noise_on_dc))
    joined = np.concatenate(
        [curve.apply(padded[start:][: curve.window_frames]) for start in range(0, 3 * fresh, fresh)]
    )

    expected = weighted_by_recursion(noise_on_dc, rate_hz)
    assert np.abs(joined - expected).max() <= 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize(
    ("rate_hz", "gains"),
    [(44_100, [1.0]), (48_000, [1.0, 1.0]), (96_000, [1.0, 1.0]), (48_000, [1.0, 1.0, 1.0, 0.0, 1.41, 1.41])],
)
def test_loudness_is_what_the_recursion_gives(rate_hz: int, gains: list[float]) -> None:
    piece = audio.mix(4.0, rate_hz=rate_hz, channels=len(gains))
    samples = np.concatenate((piece, piece[: rate_hz // 2] * 0.001, piece * 0.3))
    meter = LoudnessMeter(rate_hz, len(gains))

    for first, last in itertools.pairwise([0, 1, 7_000, 7_001, 50_000, len(samples)]):
        meter.feed(samples[first:last])

    assert meter.integrated_lufs() == pytest.approx(loudness_by_recursion(samples, rate_hz, gains), abs=0.01)


def test_a_meter_may_be_read_between_pieces() -> None:
    samples = audio.mix(3.0)
    read_on_the_way, read_once = LoudnessMeter(48_000, 2), LoudnessMeter(48_000, 2)

    read_on_the_way.feed(samples[:70_001])
    read_on_the_way.integrated_lufs()
    read_on_the_way.feed(samples[70_001:])
    read_once.feed(samples)

    assert read_on_the_way.integrated_lufs() == pytest.approx(read_once.integrated_lufs(), abs=1e-6)
