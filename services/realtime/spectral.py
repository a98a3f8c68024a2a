"""The `spectral` engine: loudness, three bands and a blend of stems, by signal processing on the CPU."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from services.realtime.domain.graph import Graph
from services.realtime.domain.painter import RATE_HZ, Slice
from services.realtime.domain.performance import SourceMode
from services.realtime.domain.ports import Patch, Region

Float32 = npt.NDArray[np.float32]

LOW_HZ, HIGH_HZ = 250.0, 2_500.0
MARGIN_FRAMES = 1_024  # half of the filter: 43 ms in all, so that the step at 250 Hz is an octave wide


class SpectralEngine:
    """Makes canvases; keeps nothing itself."""

    def canvas(self, mix: Float32) -> SpectralCanvas:
        """A canvas whose loop is the recording, untouched."""
        return SpectralCanvas(mix)


class SpectralCanvas:
    """One loop, its source, its stems.

    The same graph gives the same samples wherever a region begins: the filter is linear, time-invariant and goes round
    the loop, so regions painted one by one join without a seam.
    """

    def __init__(self, mix: Float32) -> None:
        self._mix = mix
        self._source = mix
        self._stems: dict[str, Float32] = {}
        self._loop = mix.copy()

    @property
    def frame_count(self) -> int:
        """Length of the loop."""
        return len(self._loop)

    @property
    def loop(self) -> Float32:
        """The loop as it sounds now."""
        return self._loop

    @property
    def mix(self) -> Float32:
        """The recording as it was loaded."""
        return self._mix

    def use(self, mode: SourceMode) -> None:
        """Take the mix or a stem as the source from the next region on."""
        self._source = self._stems.get(mode.value, self._mix)

    def begin_with_source(self) -> None:
        """Let the loop be the source as it is."""
        self._loop = self._source.copy()

    @property
    def stems(self) -> Mapping[str, Float32]:
        """The stems at hand, by name."""
        return self._stems

    def add_stems(self, stems: Mapping[str, Float32]) -> None:
        """Have the stems at hand, each as long as the loop."""
        self._stems = {name: self._fitted(samples) for name, samples in stems.items()}

    def paint(self, region: Slice, graph: Graph) -> Patch:
        """The region as the graph asks, crossfaded into the loop at its edges."""
        began = time.perf_counter()
        start, count, fade = region.start_frames % self.frame_count, region.frame_count, region.fade_frames
        samples = self._rendered(start, count, graph)
        ramp = (np.arange(1, fade + 1, dtype=np.float32) / np.float32(fade + 1))[:, None]
        # As "old plus a share of the difference", equal audio stays equal to the last bit and is not sent again.
        if region.fades_in:
            head = self._around(self._loop, start, fade)
            samples[:fade] = head + (samples[:fade] - head) * ramp
        tail = self._around(self._loop, start + count - fade, fade)
        samples[-fade:] = tail + (samples[-fade:] - tail) * ramp[::-1]
        return Patch(start, samples, time.perf_counter() - began)

    def merge(self, patch: Patch) -> list[Region]:
        """Write the patch into the loop; gives the parts that changed."""
        count = len(patch.samples)
        first = min(count, self.frame_count - patch.start_frames)
        self._loop[patch.start_frames : patch.start_frames + first] = patch.samples[:first]
        if first == count:
            return [Region(patch.start_frames, count)]
        self._loop[: count - first] = patch.samples[first:]
        return [Region(patch.start_frames, first), Region(0, count - first)]

    def _rendered(self, start: int, count: int, graph: Graph) -> Float32:
        knobs = graph.knobs
        bands = (knobs["low_db"], knobs["mid_db"], knobs["high_db"])
        flat = not any(bands)
        margin = 0 if flat else MARGIN_FRAMES
        samples = self._around(self._source, start - margin, count + 2 * margin)
        overlay = self._stems.get(graph.overlay)
        if knobs["blend"] > 0 and overlay is not None:
            share = np.float32(knobs["blend"])
            samples = samples * (1 - share) + self._around(overlay, start - margin, len(samples)) * share
        if not flat:
            samples = _filtered(samples, bands)
        return np.ascontiguousarray(samples * _linear(knobs["gain_db"]), dtype=np.float32)

    def _around(self, audio: Float32, start: int, count: int) -> Float32:
        """Frames of a loop from any place on, going round its end."""
        start %= self.frame_count
        if start + count <= self.frame_count:
            return audio[start : start + count]
        return audio.take(np.arange(start, start + count), axis=0, mode="wrap")

    def _fitted(self, audio: Float32) -> Float32:
        if len(audio) >= self.frame_count:
            return audio[: self.frame_count]
        return np.concatenate([audio, np.zeros((self.frame_count - len(audio), audio.shape[1]), np.float32)])


def _linear(gain_db: float) -> np.float32:
    return np.float32(0.0 if gain_db <= -60 else 10 ** (gain_db / 20))


def _filtered(samples: Float32, bands: tuple[float, float, float]) -> Float32:
    """The samples through the bands' filter; 2 * MARGIN_FRAMES shorter."""
    size = _fast_length(len(samples))
    spectrum = np.fft.rfft(samples, size, axis=0) * _response(bands, size)[:, None]
    filtered: Float32 = np.fft.irfft(spectrum, size, axis=0).astype(np.float32, copy=False)
    return filtered[2 * MARGIN_FRAMES : len(samples)]


@lru_cache(maxsize=64)
def _fast_length(count: int) -> int:
    """The first length from `count` on without a prime factor above 5: transforms of others take longer."""
    length = count
    while 30 ** length.bit_length() % length:
        length += 1
    return length


@lru_cache(maxsize=64)
def _response(bands: tuple[float, float, float], size: int) -> npt.NDArray[np.complex64]:
    spectrum: npt.NDArray[np.complex64] = np.fft.rfft(_kernel(bands), size).astype(np.complex64, copy=False)
    return spectrum


def _kernel(bands: tuple[float, float, float]) -> Float32:
    """A symmetric filter of 2 * MARGIN_FRAMES + 1 frames: bands meet in steps one octave wide, in dB."""
    taps = 2 * MARGIN_FRAMES
    octaves = np.log2(np.maximum(np.fft.rfftfreq(taps, 1 / RATE_HZ), 1.0))
    low, mid, high = bands
    gain_db = low + (mid - low) * _step(octaves, LOW_HZ) + (high - mid) * _step(octaves, HIGH_HZ)
    impulse = np.fft.fftshift(np.fft.irfft(10 ** (gain_db / 20), taps))
    kernel = np.append(impulse, impulse[0]) * np.hanning(taps + 1)
    return kernel.astype(np.float32)


def _step(octaves: npt.NDArray[np.float64], at_hz: float) -> npt.NDArray[np.float64]:
    place = np.clip(octaves - np.log2(at_hz) + 0.5, 0.0, 1.0)
    step: npt.NDArray[np.float64] = (1 - np.cos(np.pi * place)) / 2
    return step
