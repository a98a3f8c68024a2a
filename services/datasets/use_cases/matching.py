"""Proposing which uploaded files belong where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.errors import require
from services.datasets.domain.captions import Captions
from services.datasets.domain.item_ports import ItemStore
from services.datasets.domain.items import ItemState
from services.datasets.domain.matching import Match, Target, match_files

MAX_FILES, _MAX_NAME = 200, 1000
_LIVE_SETS, _ITEMS = 10_000, 10_000


@dataclass(frozen=True, slots=True)
class FileMatch:
    """What one file name belongs to; empty names where nothing does."""

    file_name: str
    live_set: str = ""
    training_item: str = ""
    similarity: float = 0.0
    exact: bool = False


class Matching:
    """Files matched against the artist's Live Sets and the items that wait for audio."""

    def __init__(self, store: ItemStore, captions: Captions) -> None:
        self._store, self._captions = store, captions

    def match(self, artist: str, file_names: Sequence[str]) -> list[FileMatch]:
        """One match per file name, in order; nothing is changed."""
        require(1 <= len(file_names) <= MAX_FILES, "file_names", f"1 to {MAX_FILES} names")
        short = all(1 <= len(name) <= _MAX_NAME for name in file_names)
        require(short, "file_names", f"names of 1 to {_MAX_NAME} characters")
        live_sets = self._captions.all_live_sets(artist, limit=_LIVE_SETS)
        waiting = self._store.in_states(artist, [ItemState.NEEDS_AUDIO], limit=_ITEMS)
        sets = match_files(
            file_names, [Target(facts.name, (facts.file_name, facts.display_name)) for facts in live_sets]
        )
        named = match_files(
            file_names, [Target(item.name, (item.display_name,)) for item in reversed(waiting) if item.display_name]
        )
        of_set: dict[str, list[str]] = {}
        for item in waiting:
            of_set.setdefault(item.live_set, []).append(item.name)
        return [
            _match(name, by_set, by_item, of_set) for name, by_set, by_item in zip(file_names, sets, named, strict=True)
        ]


def _match(file_name: str, by_set: Match, by_item: Match, of_set: dict[str, list[str]]) -> FileMatch:
    """The better of the two, with the one item that waits for audio of the Live Set."""
    waiting = of_set.get(by_set.target, []) if by_set.target else []
    item = by_item.target or (waiting[0] if len(waiting) == 1 else "")
    best = max((by_set, by_item), key=lambda found: (found.exact, found.similarity))
    told = [found for found in (by_set, by_item) if found.target]
    exact = bool(told) and all(found.exact for found in told)
    return FileMatch(file_name, by_set.target, item, best.similarity, exact)
