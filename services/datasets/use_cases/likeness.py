"""How alike two fingerprints of sound are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ALIKE = 0.6  # fingerprints at least so alike are of one piece of music; of different pieces they are near 0
_LEAST = 40  # words that have to lie over each other, five seconds
_SHARE = 0.5  # of the shorter one, too
_SHIFTS = 5  # ways of laying one over the other that are tried

Words = npt.NDArray[np.uint32]


def likeness(one: bytes, other: bytes) -> float:
    """0 for sounds that have nothing in common, 1 for the same.

    Args:
        one: Little-endian 32-bit words, eight a second.
        other: The same of another recording, which may begin earlier or later.

    The measure is one minus twice the share of bits that differ, where the two lie over each other best: bits of
    different music agree by chance, one in two.

    Source: Haitsma and Kalker, A highly robust audio fingerprinting system, ISMIR 2002, section 4 (bit error rate).
    """
    first, second = _words(one), _words(other)
    least = max(_LEAST, _SHARE * min(len(first), len(second)))
    best = 0.0
    for shift in _shifts(first, second):
        over, under = first[max(shift, 0) :], second[max(-shift, 0) :]
        length = min(len(over), len(under))
        if length < least:
            continue
        differ = int(np.bitwise_count(over[:length] ^ under[:length]).sum())
        best = max(best, 1.0 - 2.0 * differ / (32 * length))
    return best


def _words(fingerprint: bytes) -> Words:
    return np.frombuffer(fingerprint[: len(fingerprint) // 4 * 4], dtype="<u4")


def _shifts(first: Words, second: Words) -> list[int]:
    """Shifts at which most words are equal, and none."""
    order = np.argsort(second, kind="stable")
    ordered = second[order]
    left, right = np.searchsorted(ordered, first, "left"), np.searchsorted(ordered, first, "right")
    rare = np.flatnonzero((right > left) & (right - left <= 8))  # words of silence are everywhere
    votes = [int(place - order[at]) for place in rare for at in range(left[place], right[place])]
    if not votes:
        return [0]
    shifts, counts = np.unique(votes, return_counts=True)
    return list(dict.fromkeys([0, *shifts[np.argsort(-counts, kind="stable")][:_SHIFTS].tolist()]))
