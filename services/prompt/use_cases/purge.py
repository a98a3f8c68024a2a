"""Removing for good what was deleted long enough ago."""

from __future__ import annotations

from datetime import timedelta

from chassis.clock import Clock
from services.prompt.domain.artists import KEPT_AFTER_DELETION
from services.prompt.domain.ports import Objects, Store

_BATCH = 100
# A file this young may belong to a Live Set that is being made right now.
_YOUNG = timedelta(hours=1)


def purge(store: Store, objects: Objects, clock: Clock) -> int:
    """Remove Live Sets and artists whose 30 days are over, rows before files; gives how many.

    A run that stops half-way leaves files that no row names; they are removed with their artist.
    """
    before = clock.now() - KEPT_AFTER_DELETION
    with store.of_platform("purge") as transaction:
        live_sets = transaction.purge_live_sets(before, _BATCH)
    for live_set in live_sets:
        with store.of_artist(live_set.artist, write=False) as transaction:
            in_use = transaction.holds_file(live_set.artist, live_set.sha256)
        if not in_use and objects.is_older(live_set.blob_key, clock.now() - _YOUNG):
            objects.delete(live_set.blob_key)
    with store.of_platform("purge") as transaction:
        artists = transaction.purge_artists(before, _BATCH)
    for artist in artists:
        objects.delete_all(f"artists/{artist}/prompt/")
    return len(live_sets) + len(artists)
