"""Integrated loudness of a stream, by ITU-R BS.1770-4."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_OFFSET_LUFS = -0.691
# Gains of surround channels (BS.1770-4 table 3) in the order L R C LFE Ls Rs; the LFE does not count.
_GAINS: dict[int, tuple[float, ...]] = {
    4: (1.0, 1.0, 1.41, 1.41),
    5: (1.0, 1.0, 1.0, 1.41, 1.41),
    6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41),
}


class LoudnessMeter:
    """Measures audio that is fed in pieces; memory grows by 8 bytes per 100 ms."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._curve = KCurve(rate_hz)
        # Overlap-save: the last frames of the window before come first, as silence does before the recording.
        self._window: Float32 = np.zeros((channels, self._curve.window_frames), dtype=np.float32)
        self._filled = self._curve.history_frames
        self._gains = _GAINS.get(channels, (1.0,) * channels)
        self._position = 0
        self._energies: list[float] = []  # one per 100 ms
        self._running = 0.0

    def feed(self, samples: Float32) -> None:
        """Take the next samples, shape (frames, channels), full scale is 1.0."""
        start = 0
        while start < len(samples):
            take = min(len(samples) - start, self._curve.window_frames - self._filled)
            self._window[:, self._filled : self._filled + take] = samples[start : start + take].T
            start, self._filled = start + take, self._filled + take
            if self._filled == self._curve.window_frames:
                self._weigh()

    def integrated_lufs(self) -> float | None:
        """Gated loudness of all that was fed; None when no block of 400 ms passes the gate."""
        self._weigh()
        steps = np.array(self._energies)
        if len(steps) < 4:
            return None
        blocks = np.convolve(steps, np.ones(4), "valid") / (0.4 * self._rate_hz)
        heard = blocks[blocks > _energy_of(_ABSOLUTE_GATE_LUFS)]
        if not len(heard):
            return None
        relative = _energy_of(_loudness_of(float(heard.mean())) + _RELATIVE_GATE_LU)
        return _loudness_of(float(heard[heard > relative].mean()))

    def _weigh(self) -> None:
        """Filter what the window holds and keep its end as the history of the next."""
        history = self._curve.history_frames
        energy = np.zeros(self._filled - history)
        self._window[:, self._filled :] = 0.0
        for gain, channel in zip(self._gains, self._window, strict=True):
            energy += gain * np.square(self._curve.apply(channel)[: len(energy)])
        self._add(energy)
        self._window[:, :history] = self._window[:, self._filled - history : self._filled]
        self._filled = history

    def _add(self, energy: Float64) -> None:
        start = 0
        while start < len(energy):
            end_of_step = (len(self._energies) + 1) * self._rate_hz // 10
            take = min(len(energy) - start, end_of_step - self._position)
            self._running += float(energy[start : start + take].sum())
            start, self._position = start + take, self._position + take
            if self._position == end_of_step:
                self._energies.append(self._running)
                self._running = 0.0


class KCurve:
    """The K curve as a filter of windows that overlap.

    By FFT, because importing `scipy.signal` takes longer than measuring a short file (0.6 s of processor time).

    Attributes:
        history_frames: Frames at the beginning of a window that are only there as the past of the others.
        window_frames: Frames of a window, a power of two.
    """

    def __init__(self, rate_hz: int) -> None:
        sections = k_weighting(rate_hz)
        # The poles come in complex pairs, so the last coefficient is the square of their distance from 0; what a
        # sample leaves after this time adds up to less than 1e-7 of it.
        distance = math.sqrt(max(section[5] for section in sections))
        self.history_frames = math.ceil(math.log(1e-9) / math.log(distance))
        self.window_frames = 1 << (4 * self.history_frames - 1).bit_length()
        delay = np.exp(-2j * np.pi * np.arange(self.window_frames // 2 + 1) / self.window_frames)
        powers = np.stack((np.ones_like(delay), delay, delay * delay))
        self._response = np.prod([(one[:3] @ powers) / (one[3:] @ powers) for one in sections], axis=0)

    def apply(self, window: Float32 | Float64) -> Float64:
        """The filtered frames behind the history, shape (window_frames - history_frames,)."""
        spectrum = np.fft.rfft(window.astype(np.float64))
        spectrum *= self._response
        return np.fft.irfft(spectrum, self.window_frames)[self.history_frames :]


def k_weighting(rate_hz: int) -> Float64:
    """The two biquads of the K curve at any rate, shape (2, 6): b0, b1, b2, 1, a1, a2.

    Source: ITU-R BS.1770-4 tables 1 and 2 give them for 48 kHz; the analog prototypes behind them (a high shelf at
    1682 Hz and a high pass at 38 Hz) follow De Man, "Evaluation of implementations of the EBU R128 loudness
    measurement" (2018).
    """
    k = math.tan(math.pi * 1681.974450955533 / rate_hz)
    quality, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    scale = 1 + k / quality + k * k
    shelf = [
        (high + band * k / quality + k * k) / scale,
        2 * (k * k - high) / scale,
        (high - band * k / quality + k * k) / scale,
        1.0,
        2 * (k * k - 1) / scale,
        (1 - k / quality + k * k) / scale,
    ]
    k, quality = math.tan(math.pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    scale = 1 + k / quality + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / scale, (1 - k / quality + k * k) / scale]
    return np.array([shelf, high_pass])


def _loudness_of(energy: float) -> float:
    return _OFFSET_LUFS + 10 * math.log10(energy)


def _energy_of(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET_LUFS) / 10))
