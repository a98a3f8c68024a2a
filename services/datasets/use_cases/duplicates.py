"""Finding items that hold the same or nearly the same audio."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from audiofiles.fingerprint import ALIKE, likeness
from chassis.errors import PageTokenInvalid
from chassis.paging import Page, Pager, page_size
from services.datasets.domain.duplicates import DuplicateGroup, groups_of, representatives
from services.datasets.domain.item_ports import AudioPrint, ItemStore

_ITEMS = 10_000
_FEW = 32  # pieces of which all pairs are compared: a poor encoding may share no word with its origin
_SHARED, _SHARED_SHARE = 4, 0.03  # words that two fingerprints share before they are compared
_WORDS = 2_000_000  # words that are looked at in one go; of more, the same part of each fingerprint
_KEPT = 16  # artists whose groups are remembered
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio: spreads words evenly, whatever their bits mean
Alike = Callable[[bytes, bytes], float]


class Duplicates:
    """Groups of items that hold the same audio.

    Args:
        store: The items.
        pager: Makes page tokens.
        alike: How alike two fingerprints are, 0 to 1.
    """

    def __init__(self, store: ItemStore, pager: Pager, alike: Alike = likeness) -> None:
        self._store, self._pager, self._alike = store, pager, alike
        self._known: OrderedDict[tuple[str, str], list[DuplicateGroup]] = OrderedDict()
        self._lock = threading.Lock()

    def page(self, artist: str, *, size: int, token: str) -> Page[DuplicateGroup]:
        """Groups by their oldest item.

        Raises:
            PageTokenInvalid: The token is none of this list.
        """
        limit = page_size(size)
        start = self._start(artist, token) if token else 0
        groups = self.groups(artist)
        following = self._pager.seal(["duplicates", artist, start + limit]) if start + limit < len(groups) else ""
        return Page(groups[start : start + limit], following)

    def groups(self, artist: str) -> list[DuplicateGroup]:
        """All groups; they are worked out again when an item has changed."""
        key = (artist, self._store.marker(artist))
        with self._lock:
            if key in self._known:
                return self._known[key]
        prints = self._store.prints(artist, limit=_ITEMS)
        groups = groups_of(prints, self._similar(prints))
        with self._lock:
            self._known[key] = groups
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return groups

    def _similar(self, prints: Sequence[AudioPrint]) -> list[tuple[int, int]]:
        places = representatives(prints)
        if len(places) <= _FEW:
            pairs = list(itertools.combinations(range(len(places)), 2))
        else:
            pairs = candidates([prints[place].fingerprint for place in places])
        found = [(places[one], places[other]) for one, other in pairs]
        return [
            (one, other)
            for one, other in found
            if self._alike(prints[one].fingerprint, prints[other].fingerprint) >= ALIKE
        ]

    def _start(self, artist: str, token: str) -> int:
        record = self._pager.unseal(token)
        if record[:2] != ["duplicates", artist]:
            raise PageTokenInvalid("page_token was made for another list; ask for the first page again without one")
        return int(record[2])


def candidates(fingerprints: Sequence[bytes]) -> list[tuple[int, int]]:
    """Pairs that share words and are worth comparing, in ascending order.

    Each word joins its owner with the next two that have it, so the work grows with the words and not with the pairs:
    of many copies of one piece each is compared with its neighbours, which is enough to join them all.
    """
    if len(fingerprints) < 2:
        return []
    parts = [np.unique(np.frombuffer(words[: len(words) // 4 * 4], dtype="<u4")) for words in fingerprints]
    parts = _thinned(parts)
    sizes = np.array([len(part) for part in parts])
    owners = np.repeat(np.arange(len(parts), dtype=np.uint64), sizes)
    keys = (np.concatenate(parts).astype(np.uint64) << np.uint64(32)) | owners
    keys.sort()
    codes = [
        _code(keys[:-step], keys[step:])[(keys[:-step] >> np.uint64(32)) == (keys[step:] >> np.uint64(32))]
        for step in (1, 2)
    ]
    pairs, counts = np.unique(np.concatenate(codes), return_counts=True)
    first, second = (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
    least = np.maximum(_SHARED, _SHARED_SHARE * np.minimum(sizes[first], sizes[second]))
    enough = counts >= least
    return list(zip(first[enough].tolist(), second[enough].tolist(), strict=True))


def _code(first: npt.NDArray[np.uint64], second: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    owner = np.uint64(0xFFFFFFFF)
    return ((first & owner) << np.uint64(32)) | (second & owner)


def _thinned(parts: list[npt.NDArray[np.uint32]]) -> list[npt.NDArray[np.uint32]]:
    """The same words of every fingerprint, few enough to sort at once."""
    total = sum(len(part) for part in parts)
    bits = np.uint64(0)
    while total >> int(bits) > _WORDS:
        bits += np.uint64(1)
    if not bits:
        return parts
    return [part[((part.astype(np.uint64) * _SPREAD) >> (np.uint64(64) - bits)) == 0] for part in parts]
