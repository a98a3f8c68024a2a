"""Captions that are nearly the same as others.

Alike are two texts by their longest common subsequence: twice its length over the length of both.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

from services.prompt.domain.names import fold

# Two captions above this count as one.
NEARLY_THE_SAME = 0.95
_MAX_CHARACTERS = 1_200
_BITS = 4096


@dataclass(frozen=True, slots=True)
class _Shape:
    """A text with its letters and its pairs of letters as sets of bits, one bit for each time that one occurs."""

    text: str
    letters: int
    letter_count: int
    pairs: int
    places: dict[str, int]  # of each letter, one bit for each place


def is_near_copy(text: str, others: Iterable[str]) -> bool:
    """Whether the text is above 0.95 similar to one of the others."""
    own = _shape(_folded(text))
    for other in others:
        folded = _folded(other)
        if folded == own.text or (_fits(len(own.text), len(folded)) and _is_same(own, _shape(folded))):
            return True
    return False


def near_copies(texts: Sequence[str]) -> set[int]:
    """The places of texts that are above 0.95 similar to another one of them; 1,000 texts take well below a second."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        groups[_folded(text)].append(place)
    alike = {place for members in groups.values() if len(members) > 1 for place in members}
    shapes = sorted(map(_shape, groups), key=lambda shape: (len(shape.text), shape.text))
    first = 0
    for place, own in enumerate(shapes):
        while not _fits(len(own.text), len(shapes[first].text)):
            first += 1
        letters, length, is_known = own.letters, len(own.text), groups[own.text][0] in alike
        for other in shapes[first:place]:
            # The first question of `_is_same`, without a call for each of half a million pairs.
            missing = own.letter_count - (letters & other.letters).bit_count()
            if 40 * missing > 21 * length - 19 * len(other.text):
                continue
            if not (is_known and groups[other.text][0] in alike) and _is_same(own, other):
                alike.update(groups[own.text], groups[other.text])
                is_known = True
    return alike


def _folded(text: str) -> str:
    return " ".join(fold(text[:_MAX_CHARACTERS]).split())


def _fits(length: int, other: int) -> bool:
    """Whether texts of these lengths can be that alike."""
    return 2 * min(length, other) > NEARLY_THE_SAME * (length + other)


def _shape(text: str) -> _Shape:
    letters = _bits(text)
    places: defaultdict[str, int] = defaultdict(int)
    for place, letter in enumerate(text):
        places[letter] |= 1 << place
    pairs = _bits(text[place : place + 2] for place in range(len(text) - 1))
    return _Shape(text, letters, letters.bit_count(), pairs, places)


def _bits(pieces: Iterable[str]) -> int:
    """Which pieces occur how often; two pieces may share a bit, which makes texts look more alike, never less."""
    found = bytearray(_BITS // 8)
    for piece, times in Counter(pieces).items():
        start = crc32(piece.encode())
        for time in range(times):
            bit = (start + 61 * time) % _BITS
            found[bit >> 3] |= 1 << (bit & 7)
    return int.from_bytes(found)


def _is_same(own: _Shape, other: _Shape) -> bool:
    """Whether the two are above 0.95 alike, found out as cheaply as it goes.

    With M matching letters in texts of lengths a and b, M > 0.475 (a + b). So at most 0.05 (a + b) letters are
    unmatched, and each of them, in the worst case alone, breaks two pairs of its own text.
    """
    total = len(own.text) + len(other.text)
    missing = own.letter_count - (own.letters & other.letters).bit_count()
    if missing > len(own.text) - NEARLY_THE_SAME * total / 2:
        return False
    lost = own.pairs.bit_count() - (own.pairs & other.pairs).bit_count()
    if lost > len(own.text) - NEARLY_THE_SAME * total / 2 + (1 - NEARLY_THE_SAME) * total + 1:
        return False
    return 2 * _common(own, other.text) > NEARLY_THE_SAME * total


def _common(own: _Shape, other: str) -> int:
    """Length of the longest common subsequence.

    Source: Hyyrö, Bit-parallel LCS-length computation revisited, AWOCA 2004.
    """
    everything = (1 << len(own.text)) - 1
    row = everything
    for letter in other:
        hit = row & own.places.get(letter, 0)
        row = ((row + hit) | (row - hit)) & everything
    return len(own.text) - row.bit_count()
