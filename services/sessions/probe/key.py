"""The key of a recording, and how sure it is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from audiofiles.listening import LISTEN_RATE_HZ

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_WINDOW = 8192
_HOP = 4096
_LOW_HZ, _HIGH_HZ = 55.0, 1760.0
_A4_HZ = 440.0
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# How often each degree sounds in pieces of one mode.
# Source: Albrecht and Shanahan, Music Perception 31 (2013) 59, tables of the major and minor profiles.
_MAJOR = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
_MINOR = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)
_SILENT = 1e-3
# Sound whose peaks hold a smaller share of it is noise, or drums.
_TONAL_FROM, _TONAL = 0.2, 0.45


class Chroma:
    """How loud each pitch class is; memory does not grow."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._window = np.hanning(_WINDOW).astype(np.float32)
        hz = np.fft.rfftfreq(_WINDOW, 1 / LISTEN_RATE_HZ)
        self._first = int(np.searchsorted(hz, _LOW_HZ))
        self._last = int(np.searchsorted(hz, _HIGH_HZ))
        # By place of the peak to a tenth of a semitone, so that the tuning can be told at the end.
        self._tenths = np.zeros(120)
        self._peaks = self._whole = 0.0

    def feed(self, sound: Float32) -> None:
        """Take the next samples at LISTEN_RATE_HZ."""
        self._rest = np.concatenate((self._rest, sound))
        while len(self._rest) >= _WINDOW:
            self._look(self._rest[:_WINDOW])
            self._rest = self._rest[_HOP:]

    def end(self) -> None:
        """Look at the rest, too, when nothing else was long enough."""
        if not self._whole and len(self._rest) > _WINDOW // 4:
            self._look(np.pad(self._rest, (0, max(0, _WINDOW - len(self._rest))))[:_WINDOW])

    def _look(self, frame: Float32) -> None:
        magnitudes = np.abs(np.fft.rfft(frame * self._window))
        part = magnitudes[self._first - 1 : self._last + 1].astype(np.float64)
        left, here, right = part[:-2], part[1:-1], part[2:]
        strongest = float(here.max(initial=0.0))
        if strongest < _SILENT * _WINDOW / 4:
            return
        at = np.flatnonzero((here > left) & (here >= right) & (here > 0.02 * strongest))
        # The top of a parabola through the logarithms of three bins is the frequency to a small part of a bin.
        a, b, c = (np.log(side[at] + 1e-12) for side in (left, here, right))
        offset = 0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-9)
        hz = (self._first + at + np.clip(offset, -0.5, 0.5)) * LISTEN_RATE_HZ / _WINDOW
        tenths = np.rint(120 * np.log2(hz / _A4_HZ)).astype(int) % 120
        np.add.at(self._tenths, tenths, np.sqrt(here[at] / strongest))
        self._peaks += float((left[at] ** 2 + here[at] ** 2 + right[at] ** 2).sum() / (here**2).sum())
        self._whole += 1.0

    def classes(self) -> Float64:
        """Loudness of the pitch classes from A on, in the recording's own tuning, shape (12,)."""
        tuned = [np.roll(self._tenths, shift).reshape(12, 10) for shift in range(10)]
        # The tuning puts most of the sound near the middle of its semitones.
        middle = 1 - np.abs(np.arange(10) - 5) / 5
        best = max(tuned, key=lambda shifted: float((shifted * middle).sum()))
        return np.asarray((best * middle).sum(axis=1))

    @property
    def tonal_share(self) -> float:
        """How much of the sound lies in its peaks, 0 to 1."""
        return self._peaks / self._whole if self._whole else 0.0


def key_of(chroma: Chroma) -> tuple[str, float]:
    """Key as `B minor` or `F# major` and how sure it is, 0 to 1; empty and 0 when nothing with a pitch is heard.

    The pitch classes are compared with the profile of each of the 24 keys; sure is who leaves the others behind.
    """
    classes = chroma.classes()
    if not classes.any() or np.ptp(classes) <= 1e-9:
        return "", 0.0
    likeness = [
        (float(np.corrcoef(classes, np.roll(profile, tonic))[0, 1]), f"{_NAMES[(tonic + 9) % 12]} {mode}")
        for mode, profile in (("major", _MAJOR), ("minor", _MINOR))
        for tonic in range(12)
    ]
    (best, name), (second, _other) = sorted(likeness, reverse=True)[:2]
    tonal = _rising(chroma.tonal_share, _TONAL_FROM, _TONAL)
    return name, round(tonal * _rising(best, 0.4, 0.8) * _rising(best - second, -0.05, 0.12), 3)


def _rising(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
