"""A short mark of how music sounds, which a new encoding, another level or another rate hardly changes.

Eight 32-bit words a second. A bit says whether the step in loudness from one band to the next has grown since half a
second ago, over 33 bands a third of a tone apart and more. After Haitsma and Kalker, "A highly robust audio
fingerprinting system" (ISMIR 2002), with longer windows and longer steps in time, since whole files are compared here.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from audiofiles.listening import LISTEN_RATE_HZ

Float32 = npt.NDArray[np.float32]
Words = npt.NDArray[np.uint32]

WORDS_PER_S = 8
# Recordings at least so alike are the same music.
ALIKE = 0.8
LONGEST_S = 120
_WINDOW = 8192
_BACK = 4  # words between the two moments that are compared
_BITS = 32
_LOW_HZ, _HIGH_HZ = 200.0, 3000.0
# Of full scale; quieter moments have the word 0, which is compared with nothing.
_SILENT = 1e-3
# Of the mean band; what lies below is what encoders leave. And how much a step must grow, in nepers, to count.
_FLOOR = 1e-3
_GROWTH = 0.1
# Copies may begin up to so much earlier or later than each other.
_SHIFT = 15 * WORDS_PER_S
# Steady sound, whose words hardly change, tells nothing.
_TELLING = 0.97
_FEWEST = 3 * WORDS_PER_S


class Marks:
    """Makes the fingerprint of sound that comes in pieces; memory does not grow with the length."""

    def __init__(self) -> None:
        self._rest = np.zeros(_WINDOW // 2, np.float32)
        self._start = -(_WINDOW // 2)  # place of the rest's first sample in the recording
        self._window = np.hanning(_WINDOW).astype(np.float32)
        self._bands = _matrix()
        self._levels: list[Float32] = []

    def feed(self, sound: Float32) -> None:
        """Take the next samples at LISTEN_RATE_HZ; what lies beyond two minutes is left out."""
        if len(self._levels) >= LONGEST_S * WORDS_PER_S + _BACK:
            return
        self._rest = np.concatenate((self._rest, sound))
        while True:
            at = round(len(self._levels) * LISTEN_RATE_HZ / WORDS_PER_S) - _WINDOW // 2 - self._start
            if at + _WINDOW > len(self._rest):
                break
            energy = np.abs(np.fft.rfft(self._rest[at : at + _WINDOW] * self._window)) ** 2
            self._levels.append(np.asarray(self._bands @ energy, np.float32))
        keep = min(at, len(self._rest))
        self._rest, self._start = self._rest[keep:].copy(), self._start + keep

    def words(self) -> Words:
        """The fingerprint so far, shape (words,); empty for less than a second."""
        if len(self._levels) <= _BACK:
            return np.empty(0, np.uint32)
        energies = np.stack(self._levels[: LONGEST_S * WORDS_PER_S + _BACK]) / _WINDOW**2
        loud = energies.sum(axis=1) > _SILENT**2
        levels = np.log(energies + _FLOOR * float(energies.mean()) + 1e-12)
        steps = np.diff(levels, axis=1)
        bits = steps[_BACK:] > steps[:-_BACK] + _GROWTH
        words = (bits.astype(np.uint64) << np.arange(_BITS, dtype=np.uint64)).sum(axis=1).astype(np.uint32)
        return np.where(loud[_BACK:], np.maximum(words, 1), 0).astype(np.uint32)


def fingerprint(sound: Float32) -> bytes:
    """The fingerprint of sound at LISTEN_RATE_HZ, shape (samples,): little-endian words of 32 bits, 8 a second."""
    marks = Marks()
    marks.feed(sound)
    return to_bytes(marks.words())


def to_bytes(words: Words) -> bytes:
    """Words as they are stored."""
    return words.astype("<u4").tobytes()


def likeness(one: bytes, other: bytes) -> float:
    """How alike two recordings sound, 0 to 1: half where no more bits are equal than by chance, 1 where all are.

    By the bits at the shift where they fit best; what is equal by chance counts for nothing (as in Cohen's kappa), so
    that two sounds in which little happens are not alike for that. The same music in another encoding, level or rate
    has 0.85 and more, other music 0.65 and less. Copies may begin up to 15 s apart. 0 when either has less than 3 s, or
    they share less than half of the shorter one.
    """
    a, b = (np.frombuffer(words[: len(words) // 4 * 4], "<u4") for words in (one, other))
    if len(a) > len(b):
        a, b = b, a
    fewest = max(_FEWEST, len(a) // 2)
    if len(a) < fewest:
        return 0.0
    first, last = max(-_SHIFT, fewest - len(a)), min(len(b) - fewest, len(b) - len(a) + _SHIFT)
    # Every shift of the shorter one along the longer one, with nothing to compare before and behind.
    wide = np.concatenate((np.zeros(max(0, -first), np.uint32), b, np.zeros(max(0, last + len(a) - len(b)), np.uint32)))
    views = np.lib.stride_tricks.sliding_window_view(wide, len(a))[: last - first + 1]
    if first > 0:
        views = views[first:]
    compared = (views != 0) & (a != 0)
    counts = compared.sum(axis=1)
    same = np.where(compared, _BITS - np.bitwise_count(views ^ a), 0).sum(axis=1)
    shares = np.where(counts >= fewest // 2, same / np.maximum(1, _BITS * counts), 0.0)
    best = float(shares.max(initial=0.0))
    if best == 0.0:
        return 0.0
    chance = _chance(a[a != 0], b[b != 0])
    return min(best, 0.5) if chance > _TELLING else max(0.0, 0.5 + 0.5 * (best - chance) / (1 - chance))


def _chance(a: Words, b: Words) -> float:
    """Share of bits that two recordings have in common that know nothing of each other."""
    places = np.arange(_BITS, dtype=np.uint32)
    one, other = ((words[:, None] >> places & 1).mean(axis=0) for words in (a, b))
    return float((one * other + (1 - one) * (1 - other)).mean())


def _matrix() -> Float32:
    """Which bins make which band, shape (bands, bins)."""
    edges = np.geomspace(_LOW_HZ, _HIGH_HZ, _BITS + 2)
    hz = np.fft.rfftfreq(_WINDOW, 1 / LISTEN_RATE_HZ)
    return np.stack(
        [
            np.interp(hz, (low * 0.98, low, high, high * 1.02), (0.0, 1.0, 1.0, 0.0))
            for low, high in itertools.pairwise(edges)
        ]
    ).astype(np.float32)
