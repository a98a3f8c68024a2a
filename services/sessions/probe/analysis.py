"""What is heard in a recording: tempo, key, clipping, silence, and the mark of its sound."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

from audiofiles.fingerprint import Marks, to_bytes
from audiofiles.listening import Ear
from services.sessions.domain.waveform import PEAK_LEVELS
from services.sessions.probe.key import Chroma, key_of
from services.sessions.probe.tempo import Onsets, tempo_of

Float32 = npt.NDArray[np.float32]

HEARD_S = 600
_AT_ONCE = 1 << 16
# The last step of 16 bits; lossy files that were made of clipped sound lie beyond it.
_FULL_SCALE = 1 - 2**-15
_FLAT_FRAMES = 3
_SILENT = 10 ** (-60 / 20)
_WINDOW_S = 0.1


class Listener:
    """Hears a recording that comes in blocks; keeps 0.4 MB per minute, of the first ten minutes alone."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._left = HEARD_S * rate_hz
        self._ear, self._onsets, self._chroma, self._marks = Ear(rate_hz), Onsets(), Chroma(), Marks()
        self._levels = _Levels(rate_hz, channels)

    def feed(self, block: Float32, buckets: Float32) -> None:
        """Take the next frames.

        Args:
            block: Shape (frames, channels), full scale is 1.0.
            buckets: Lowest and highest value of each 512 frames of the block, shape (buckets, 2).
        """
        block = block[: self._left]
        self._left -= len(block)
        if len(block):
            self._levels.feed(block, buckets[: -(-len(block) // PEAK_LEVELS[0])])
        for start in range(0, len(block), _AT_ONCE):
            self._hear(self._ear.hear(block[start : start + _AT_ONCE]))

    def heard(self) -> dict[str, Any]:
        """The fields of an analysis; the fingerprint as base64."""
        self._hear(self._ear.end())
        self._chroma.end()
        tempo_bpm, tempo_confidence = tempo_of(self._onsets.curve())
        key, key_confidence = key_of(self._chroma)
        return {
            "tempo_bpm": tempo_bpm,
            "tempo_confidence": tempo_confidence,
            "key": key,
            "key_confidence": key_confidence,
            "clipped_share": self._levels.clipped_share,
            "silent_share": self._levels.silent_share,
            "fingerprint": base64.b64encode(to_bytes(self._marks.words())).decode(),
        }

    def _hear(self, sound: Float32) -> None:
        if len(sound):
            self._onsets.feed(sound)
            self._chroma.feed(sound)
            self._marks.feed(sound)


class _Levels:
    """Counts frames at full scale and stretches of silence."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._per_window = max(1, round(_WINDOW_S * rate_hz / PEAK_LEVELS[0]))
        self._frames = self._clipped = self._silent = 0
        # The last frames of the block before, which may go on in this one, and whether they count already.
        self._ending = np.zeros((0, channels), bool)
        self._is_counted = np.zeros(0, bool)

    @property
    def clipped_share(self) -> float:
        return self._clipped / max(1, self._frames)

    @property
    def silent_share(self) -> float:
        return self._silent / max(1, self._frames)

    def feed(self, block: Float32, buckets: Float32) -> None:
        peaks = np.maximum(-buckets[:, 0], buckets[:, 1])
        starts = np.arange(0, len(peaks), self._per_window)
        lengths = np.diff(np.append(starts * PEAK_LEVELS[0], len(block)))
        self._silent += int(lengths[np.maximum.reduceat(peaks, starts) < _SILENT].sum())
        self._frames += len(block)
        if float(peaks.max()) >= _FULL_SCALE:
            self._count_flat(np.abs(block) >= _FULL_SCALE)
        else:
            self._ending, self._is_counted = self._ending[:0], self._is_counted[:0]

    def _count_flat(self, full: npt.NDArray[np.bool_]) -> None:
        """Count the frames of runs that are long enough."""
        joined = np.concatenate((self._ending, full))
        runs = joined[2:] & joined[1:-1] & joined[:-2]
        flat = np.zeros_like(joined)
        for shift in range(_FLAT_FRAMES):
            flat[shift : shift + len(runs)] |= runs
        counted: npt.NDArray[np.bool_] = np.logical_or.reduce(flat, axis=1)
        self._clipped += int(counted.sum()) - int(counted[: len(self._is_counted)][self._is_counted].sum())
        counted[: len(self._is_counted)] |= self._is_counted
        kept = min(len(joined), _FLAT_FRAMES - 1)
        self._ending, self._is_counted = joined[len(joined) - kept :], counted[len(joined) - kept :]
