"""The engine without a model: a split by signal processing that is always the same and sums to the mix.

Drums are what is percussive (median filters over time and frequency, Fitzgerald, DAFx 2010); of the harmonic rest the
low band is bass, what lies in the middle of the stereo picture in the voice's band is vocals, and all else is other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from services.stems.domain import Block, Float32, Model, Recording, Task

Complex64 = npt.NDArray[np.complex64]

ENGINE = "stub"
SOURCES = ("drums", "bass", "other", "vocals")
MODEL = Model(
    id="dsp-stub",
    display_name="Signal processing, no model",
    engine=ENGINE,
    sources=SOURCES,
    rate_hz=0,
    channels=0,
    # Names the algorithm: raise it when the same input gives other stems.
    digest="dsp-stub-3",
    licence="Apache-2.0, part of tonewright",
)

_HOPS_PER_BLOCK = 128
_MEDIAN_BINS = 31
_MEDIAN_FRAMES = 17
_CONTEXT = _MEDIAN_FRAMES // 2
_OVERLAP = 4  # hops per window
_BASS_HZ = (120.0, 250.0)
_VOICE_HZ = (150.0, 250.0, 6000.0, 9000.0)
_TINY = np.float32(1e-12)


@dataclass(slots=True)
class StubEngine:
    """Takes recordings apart stretch by stretch; memory does not grow with their length."""

    _plans: dict[int, _Plan] = field(default_factory=dict)

    def separate(self, task: Task) -> Iterator[Block]:
        """The wanted sources; float32 sums of all four are the mix within 1e-6, whichever are wanted."""
        mix = task.mix
        plan = self._plans.setdefault(mix.rate_hz, _Plan.for_rate(mix.rate_hz))
        step = _HOPS_PER_BLOCK * plan.hop
        with mix.path.open("rb") as source:
            for start in range(0, mix.frame_count, step):
                yield {}
                block = _Stretch.read(plan, mix, source, start)
                masks = _masks(plan, block.spectra)
                yield {}
                yield _parts(plan, block, masks, task.sources)


@dataclass(frozen=True, slots=True)
class _Plan:
    size: int
    hop: int
    window: Float32  # square root of a Hann window: its square, overlapped four times, sums to 2
    low: Float32  # (bins,), share of the bass
    voice: Float32  # (bins,), share of the voice's band

    @classmethod
    def for_rate(cls, rate_hz: int) -> _Plan:
        """Windows of about 93 ms at every rate."""
        size = max(256, 2 ** round(math.log2(max(rate_hz, 1) * 4096 / 44100)))
        hz = np.fft.rfftfreq(size, 1 / rate_hz).astype(np.float64, copy=False)
        window = np.sin(np.pi * np.arange(size) / size).astype(np.float32)
        low, voice_in, voice_out = (
            1 - _rise(hz, *_BASS_HZ),
            _rise(hz, *_VOICE_HZ[:2]),
            1 - _rise(hz, *_VOICE_HZ[2:]),
        )
        return cls(size, size // _OVERLAP, window, low, (voice_in * voice_out).astype(np.float32))


def _rise(hz: npt.NDArray[np.float64], start_hz: float, end_hz: float) -> Float32:
    """A raised cosine from 0 at the start to 1 at the end."""
    place = np.clip((hz - start_hz) / (end_hz - start_hz), 0, 1)
    return ((1 - np.cos(np.pi * place)) / 2).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A block of the mix and what the windows that touch it look like."""

    frames: Float32  # (n_frames, n_channels)
    spectra: Complex64  # (n_windows, n_channels, n_bins), on both sides _CONTEXT more than touch it

    @classmethod
    def read(cls, plan: _Plan, mix: Recording, source: BinaryIO, start: int) -> _Stretch:
        """The block that starts at this frame."""
        wanted = min(_HOPS_PER_BLOCK * plan.hop, mix.frame_count - start)
        lead = (_OVERLAP - 1 + _CONTEXT) * plan.hop
        count = math.ceil(wanted / plan.hop) + _OVERLAP - 1 + 2 * _CONTEXT
        padded = _read_padded(mix, source, start - lead, (count - 1) * plan.hop + plan.size)
        return cls(padded[lead : lead + wanted], _spectra(plan, padded, count))


def _parts(plan: _Plan, block: _Stretch, masks: dict[str, Float32], sources: Sequence[str]) -> Block:
    """The wanted sources of the block; `other` is what the rest leaves of it."""
    kept = slice(_CONTEXT, len(block.spectra) - _CONTEXT)
    needed = masks if "other" in sources else [name for name in masks if name in sources]
    parts = {name: _signal(plan, block.spectra[kept], masks[name][kept], len(block.frames)) for name in needed}
    if "other" in sources:
        parts["other"] = block.frames - (parts["drums"] + parts["bass"] + parts["vocals"])
    return {name: np.ascontiguousarray(parts[name]) for name in sources}


def _read_padded(mix: Recording, source: BinaryIO, start: int, length: int) -> Float32:
    """The frames from `start` on, with silence where the recording has none."""
    out = np.zeros((length, mix.channels), np.float32)
    first, last = max(start, 0), min(start + length, mix.frame_count)
    source.seek(first * mix.channels * 4)
    data = source.read((last - first) * mix.channels * 4)
    out[first - start : last - start] = np.frombuffer(data, np.float32).reshape(-1, mix.channels)
    return out


def _spectra(plan: _Plan, padded: Float32, count: int) -> Complex64:
    """Shape (n_windows, n_channels, n_bins)."""
    views = np.lib.stride_tricks.sliding_window_view(padded, plan.size, axis=0)[:: plan.hop][:count]
    spectra: Complex64 = np.fft.rfft(views * plan.window, axis=-1).astype(np.complex64, copy=False)
    return spectra


def _masks(plan: _Plan, spectra: Complex64) -> dict[str, Float32]:
    """Shares of drums, bass and vocals, each (n_windows, n_bins); what they leave is other."""
    size = np.abs(spectra).mean(axis=1)
    steady = _median(size, _MEDIAN_FRAMES, axis=0) ** 2
    sudden = _median(size, _MEDIAN_BINS, axis=1) ** 2
    drums = sudden / (steady + sudden + _TINY)
    harmonic = 1 - drums
    bass = harmonic * plan.low
    vocals = (harmonic - bass) * plan.voice * _centre(spectra)
    return {"drums": drums, "bass": bass, "vocals": vocals}


def _median(values: Float32, width: int, *, axis: int) -> Float32:
    """The median of the odd number of neighbours along the axis; the edges repeat.

    As `scipy.ndimage.median_filter`, in four fifths of its time; scipy would be a fifth of the image.
    """
    half = width // 2
    margins = [(half, half) if number == axis else (0, 0) for number in range(values.ndim)]
    views = np.lib.stride_tricks.sliding_window_view(np.pad(values, margins, mode="edge"), width, axis=axis)
    middle: Float32 = np.partition(views, half, axis=-1)[..., half]
    return middle


def _centre(spectra: Complex64) -> Float32:
    """How alike the channels are, 0 to 1; 1 where there is one channel."""
    if spectra.shape[1] == 1:
        return np.ones(spectra.shape[::2], np.float32)
    left, right = spectra[:, 0], spectra[:, 1]
    both = np.abs(left) ** 2 + np.abs(right) ** 2 + _TINY
    alike: Float32 = np.clip(2 * (left * right.conj()).real / both, 0, 1).astype(np.float32)
    return alike


def _signal(plan: _Plan, spectra: Complex64, mask: Float32, length: int) -> Float32:
    """The masked block, (length, n_channels)."""
    pieces = np.fft.irfft(spectra * mask[:, None, :], n=plan.size, axis=-1) * (plan.window / 2)
    count, channels = pieces.shape[:2]
    # Each window falls into four hops; hop h of the sum takes quarter q of window h - q.
    quarters = pieces.reshape(count, channels, _OVERLAP, plan.hop)
    total = np.zeros((count + _OVERLAP - 1, channels, plan.hop), np.float32)
    for quarter in range(_OVERLAP):
        total[quarter : quarter + count] += quarters[:, :, quarter]
    whole = total[_OVERLAP - 1 : count].transpose(0, 2, 1).reshape(-1, channels)
    return whole[:length]
