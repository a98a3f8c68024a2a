"""The tempo of a recording, and how sure it is."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from audiofiles.listening import LISTEN_RATE_HZ

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_WINDOW = 512
_HOP = 128
_FRAMES_PER_S = LISTEN_RATE_HZ / _HOP
_BATCH = 2048
# Bands in which rises of loudness are looked for, Hz: kick, bass, snare and voices, hats.
_EDGES_HZ = (30, 120, 300, 800, 2000, 5500)
_PARTS = 4  # of each band, on a logarithmic scale
_SLOWEST, _FASTEST = 40.0, 240.0
_BEATS = 8  # multiples of the beat at which a tempo has to show
# Weights, fitted to drum, bass and click loops of known tempo.
_TOGETHER, _HALVES, _THIRDS = 0.7, 0.2, 0.4
_USUAL_BPM, _USUAL_OCTAVES = 120.0, 1.2
# Magnitudes below a sixteenth of the strongest count for little.
_DEPTH = 16.0
_SILENT = 1e-3
# Tempi this close are one.
_SAME_OCTAVES = 0.06
# Rises in loudness (nepers, all bands) that are no strokes but breathing of a steady sound.
_FAINT = 1.3
_SHORTEST_S = 4.0


class Onsets:
    """How much louder each band becomes from frame to frame; keeps 7 kB per second."""

    def __init__(self) -> None:
        self._rest = np.zeros(_WINDOW - _HOP, np.float32)
        self._window = np.hanning(_WINDOW).astype(np.float32)
        self._parts = _matrix()
        self._magnitudes: list[Float32] = []

    def feed(self, sound: Float32) -> None:
        """Take the next samples at LISTEN_RATE_HZ."""
        heard = np.concatenate((self._rest, sound))
        count = max(0, (len(heard) - _WINDOW) // _HOP + 1)
        if count:
            frames = np.lib.stride_tricks.sliding_window_view(heard, _WINDOW)[::_HOP]
            for start in range(0, count, _BATCH):
                spectra = np.fft.rfft(frames[start : min(start + _BATCH, count)] * self._window, axis=1)
                self._magnitudes.append(np.abs(spectra) @ self._parts)
        self._rest = heard[count * _HOP :].copy()

    def curve(self) -> Float32:
        """Rises of shape (frames, bands), the same whatever the recording's level."""
        bands = len(_EDGES_HZ) - 1
        magnitudes = np.concatenate(self._magnitudes) if self._magnitudes else np.empty((0, bands * _PARTS), np.float32)
        full = float(np.percentile(magnitudes.max(axis=1), 99)) if len(magnitudes) else 0.0
        if full < _SILENT:
            return np.zeros((len(magnitudes), bands), np.float32)
        levels = np.log1p(magnitudes * np.float32(_DEPTH / full))
        rises: Float32 = np.maximum(np.diff(levels, axis=0), 0.0).reshape(-1, bands, _PARTS).sum(axis=2)
        return rises


def tempo_of(curve: Float32) -> tuple[float, float]:
    """Beats per minute and how sure that is, 0 to 1; both 0 when there is nothing to hear it from.

    The curve's likeness to itself (autocorrelation), in each band and in all together, is looked up at the multiples of
    each tempo's beat. Halves and thirds of a beat must be less alike, or else a faster tempo is the beat. It is sure
    when the likeness is high, the rises are loud, and no other tempo explains them nearly as well.
    """
    if len(curve) < _SHORTEST_S * _FRAMES_PER_S:
        return 0.0, 0.0
    likeness = _self_likeness(curve)
    loud = float(np.percentile(curve.sum(axis=1), 99))
    if likeness is None or loud < _FAINT:
        return 0.0, 0.0
    tempi = np.exp(np.linspace(np.log(_SLOWEST), np.log(_FASTEST), 720))
    scores, combs = _scores(likeness, tempi)
    best = int(scores.argmax())
    others = scores[np.abs(np.log2(tempi / tempi[best])) > _SAME_OCTAVES]
    lead = 1 - float(others.max()) / max(float(scores[best]), 1e-9)
    sure = _rising(float(combs[best]), 0.1, 0.5) * _rising(loud, _FAINT, 4 * _FAINT) * _rising(lead, -0.12, 0.12)
    return round(float(tempi[best]), 2), round(sure, 3)


def _matrix() -> Float32:
    """Which bins make which part of which band, shape (bins, bands * parts)."""
    cuts = np.concatenate([np.geomspace(low, high, _PARTS + 1)[:-1] for low, high in itertools.pairwise(_EDGES_HZ)])
    cuts = np.append(cuts, _EDGES_HZ[-1])
    hz = np.arange(_WINDOW // 2 + 1) * LISTEN_RATE_HZ / _WINDOW
    matrix = np.zeros((len(hz), len(cuts) - 1), np.float32)
    for part, (low, high) in enumerate(itertools.pairwise(cuts)):
        inside = (hz >= low) & (hz < high)
        if not inside.any():
            inside[int(np.abs(hz - (low + high) / 2).argmin())] = True
        matrix[inside, part] = 1.0 / np.sqrt(inside.sum())
    return matrix


def _self_likeness(curve: Float32) -> Float64 | None:
    """Autocorrelation by lag in frames, 1 at lag 0; None when nothing rises."""
    soft = np.hanning(7)[1:-1] / np.hanning(7).sum()
    wide = np.ones(round(_FRAMES_PER_S)) / round(_FRAMES_PER_S)
    bands = [np.convolve(band - np.convolve(band, wide, "same"), soft, "same") for band in curve.astype(np.float64).T]
    size = 1 << (2 * len(curve) - 1).bit_length()
    reach = min(len(curve) // 2, round((_BEATS + 1) * 60 / _SLOWEST * _FRAMES_PER_S))
    share = len(curve) / (len(curve) - np.arange(reach))

    def alike(signal: Float64) -> Float64:
        power = np.abs(np.fft.rfft(signal, size)) ** 2
        return np.fft.irfft(power, size)[:reach] * share

    whole = alike(np.sum(bands, axis=0))
    single = np.sum([alike(band) for band in bands], axis=0)
    if whole[0] <= 1e-9 or single[0] <= 1e-9:
        return None
    alike_by_lag: Float64 = _TOGETHER * whole / whole[0] + (1 - _TOGETHER) * single / single[0]
    return alike_by_lag


def _scores(likeness: Float64, tempi: Float64) -> tuple[Float64, Float64]:
    """How well each tempo explains the likeness with what is usual in music, and the likeness at its beats alone."""
    places = np.arange(len(likeness))
    combs, faster = np.zeros(len(tempi)), np.zeros(len(tempi))
    for index, lag in enumerate(60 * _FRAMES_PER_S / tempi):
        beats = lag * np.arange(1, min(_BEATS, int((len(likeness) - 1) / lag)) + 1)
        if len(beats):
            halves, thirds, others = (
                max(0.0, float(np.interp(beats - lag * part, places, likeness).mean()))
                for part in (1 / 2, 1 / 3, 2 / 3)
            )
            combs[index] = np.interp(beats, places, likeness).mean()
            faster[index] = _HALVES * halves + _THIRDS * (thirds + others) / 2
    usual = np.exp(-0.5 * (np.log2(tempi / _USUAL_BPM) / _USUAL_OCTAVES) ** 2)
    return (combs - faster) * usual, combs


def _rising(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
