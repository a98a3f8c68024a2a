"""Items that hold the same audio, or nearly."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from services.datasets.domain.item_ports import AudioPrint


class Likeness(enum.StrEnum):
    """How alike the audio of a group is."""

    SAME_BYTES = "SAME_BYTES"
    SAME_AUDIO = "SAME_AUDIO"  # the same decoded frames in another wrapping
    SIMILAR = "SIMILAR"  # it sounds alike


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Items that belong together, oldest first."""

    likeness: Likeness
    item_uids: tuple[str, ...]


def groups_of(prints: Sequence[AudioPrint], similar: Iterable[tuple[int, int]]) -> list[DuplicateGroup]:
    """The groups, by their oldest item and the strictest likeness first; always in the same order.

    A wider group holds the items of the stricter ones in it, and is left out when it adds none.

    Args:
        prints: The items, oldest first.
        similar: Places of two items whose audio sounds alike.
    """
    joined = _Joined(len(prints))
    found: list[tuple[int, DuplicateGroup]] = []
    told: set[tuple[int, ...]] = set()
    for likeness, pairs in (
        (Likeness.SAME_BYTES, _same(prints, lambda one: one.sha256)),
        (Likeness.SAME_AUDIO, _same(prints, lambda one: one.pcm_sha256)),
        (Likeness.SIMILAR, similar),
    ):
        for first, second in pairs:
            joined.join(first, second)
        for group in joined.groups():
            if group not in told:
                told.add(group)
                found.append((group[0], DuplicateGroup(likeness, tuple(prints[place].item_uid for place in group))))
    # Sorting is stable: of one oldest item the stricter group was found first.
    return [group for _, group in sorted(found, key=lambda pair: pair[0])]


def representatives(prints: Sequence[AudioPrint]) -> list[int]:
    """Places of the items that are worth listening to: the first of each sound that has a fingerprint."""
    seen: set[str] = set()
    kept = []
    for place, one in enumerate(prints):
        sound = one.pcm_sha256 or one.sha256
        if one.fingerprint and sound not in seen:
            seen.add(sound)
            kept.append(place)
    return kept


def _same(prints: Sequence[AudioPrint], word: Callable[[AudioPrint], str]) -> list[tuple[int, int]]:
    first: dict[str, int] = {}
    pairs = []
    for place, one in enumerate(prints):
        if key := word(one):
            if key in first:
                pairs.append((first[key], place))
            first.setdefault(key, place)
    return pairs


class _Joined:
    """Places that belong together."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def join(self, first: int, second: int) -> None:
        one, other = sorted((self._root(first), self._root(second)))
        self._above[other] = one

    def groups(self) -> list[tuple[int, ...]]:
        members: dict[int, list[int]] = {}
        for place in range(len(self._above)):
            members.setdefault(self._root(place), []).append(place)
        return [tuple(group) for group in members.values() if len(group) > 1]

    def _root(self, place: int) -> int:
        while self._above[place] != place:
            self._above[place] = self._above[self._above[place]]
            place = self._above[place]
        return place
