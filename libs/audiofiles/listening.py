"""Sound as analysis hears it: one channel at 11 025 Hz, whatever the recording has."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]

LISTEN_RATE_HZ = 11_025
# Below so much of the lower Nyquist frequency everything passes, above it fades to nothing.
_PASSED = 0.85
# What the filter smears beyond this (46 ms) lies below -80 dB.
_MARGIN = 512
_BODY = 32_768


class Ear:
    """Takes a recording in blocks and gives it at LISTEN_RATE_HZ; memory does not grow with the length.

    By FFT of windows that overlap: the lower part of a window's spectrum is the spectrum of the same window at a lower
    rate, and windows are cut so that both have a whole number of samples.
    """

    def __init__(self, rate_hz: int) -> None:
        common = math.gcd(rate_hz, LISTEN_RATE_HZ)
        self._unit_in, self._unit_out = rate_hz // common, LISTEN_RATE_HZ // common
        self._margin = -(-_MARGIN // self._unit_out)
        self._units = max(-(-_BODY // self._unit_out), self._margin) + 2 * self._margin
        self._window = np.zeros(self._units * self._unit_in, np.float32)
        # Silence before the beginning is the past of the first window.
        self._filled = self._margin * self._unit_in
        self._fade = _fade(min(len(self._window), self._units * self._unit_out) // 2 + 1)
        self._taken = self._given = 0

    def hear(self, samples: Float32) -> Float32:
        """What the next samples, shape (frames, channels), add to the sound; may be nothing yet."""
        mono = samples @ np.full(samples.shape[1], 1 / samples.shape[1], np.float32)
        self._taken += len(mono)
        pieces, start = [], 0
        while start < len(mono):
            take = min(len(mono) - start, len(self._window) - self._filled)
            self._window[self._filled : self._filled + take] = mono[start : start + take]
            start, self._filled = start + take, self._filled + take
            if self._filled == len(self._window):
                pieces.append(self._turn())
        return np.concatenate(pieces) if pieces else np.empty(0, np.float32)

    def end(self) -> Float32:
        """The rest of the sound."""
        whole = self._taken * self._unit_out // self._unit_in
        pieces = []
        while self._given < whole:
            self._window[self._filled :] = 0.0
            self._filled = len(self._window)
            piece = self._turn()
            pieces.append(piece[: max(0, len(piece) - max(0, self._given - whole))])
        return np.concatenate(pieces) if pieces else np.empty(0, np.float32)

    def _turn(self) -> Float32:
        """The middle of the window at the lower rate; keep its end as the past of the next."""
        out = self._units * self._unit_out
        spectrum = np.fft.rfft(self._window)
        kept = np.zeros(out // 2 + 1, np.complex64)
        kept[: len(self._fade)] = spectrum[: len(self._fade)] * self._fade
        sound = np.fft.irfft(kept, out) * np.float32(out / len(self._window))
        past = 2 * self._margin * self._unit_in
        self._window[:past] = self._window[len(self._window) - past :]
        self._filled = past
        edge = self._margin * self._unit_out
        self._given += out - 2 * edge
        return sound[edge : out - edge].astype(np.float32)


def _fade(bins: int) -> Float32:
    place = np.linspace(0.0, 1.0, bins)
    over = np.clip((place - _PASSED) / (1 - _PASSED), 0.0, 1.0)
    return (0.5 + 0.5 * np.cos(np.pi * over)).astype(np.float32)
