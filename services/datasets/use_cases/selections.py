"""Which items a selection names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chassis.errors import require
from services.datasets.domain.item_ports import ItemStore
from services.datasets.domain.items import ItemState, Selection, TrainingItem, TrainingItemNotFound

MAX_ITEMS = 10_000
_EVERYTHING_READY = (ItemState.READY, ItemState.EXPORTED)


class SnapshotRevisions(Protocol):
    """What snapshots hold."""

    def held_revisions(self, artist: str, snapshot_uid: str) -> dict[str, int]:
        """Content revision of each item that the snapshot holds; raises NotFound when there is no snapshot."""
        ...


class Selections:
    """Turns selections into items."""

    def __init__(self, store: ItemStore, snapshots: SnapshotRevisions) -> None:
        self._store, self._snapshots = store, snapshots

    def resolve(
        self, artist: str, selection: Selection, *, states: Sequence[ItemState] = _EVERYTHING_READY
    ) -> list[TrainingItem]:
        """The named items in the order named, else all in the states, oldest first; without what `new_since` holds.

        Args:
            artist: Whose items.
            selection: Which of them.
            states: Taken when the selection names neither items nor states.

        Raises:
            TrainingItemNotFound: A named item does not exist.
            FieldInvalid: One is named twice, or there are more than 10,000.
        """
        require(len(selection.item_uids) <= MAX_ITEMS, "selection.training_items", f"up to {MAX_ITEMS} items")
        if selection.item_uids:
            found = chosen(self._store, artist, selection.item_uids)
        else:
            found = self._store.in_states(artist, selection.states or states, limit=MAX_ITEMS + 1)
            require(len(found) <= MAX_ITEMS, "selection", f"up to {MAX_ITEMS} items; name the ones wanted")
        if not selection.new_since:
            return found
        held = self._snapshots.held_revisions(artist, selection.new_since)
        return [item for item in found if held.get(item.uid) != item.content_revision]


def chosen(store: ItemStore, artist: str, uids: Sequence[str]) -> list[TrainingItem]:
    """The named items in the order named.

    Raises:
        TrainingItemNotFound: One does not exist.
        FieldInvalid: One is named twice.
    """
    require(len(set(uids)) == len(uids), "selection.training_items", "each item once")
    found = store.find(artist, uids)
    missing = [uid for uid in uids if uid not in found]
    if missing:
        raise TrainingItemNotFound(
            f"{len(missing)} training items do not exist, the first is {missing[0]!r}",
            metadata={"count": str(len(missing))},
        )
    return [found[uid] for uid in uids]
