"""Objects that nothing refers to are removed, after a while in which something still may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from chassis.clock import Clock
from chassis.objects import ObjectInfo, ObjectStore
from services.datasets.domain.ports import LeftoverStore

_AT_ONCE = 500


class Collector:
    """Removes what killed workers and old exports leave below `artists/{artist}/datasets/`.

    An object goes when it is older than the grace period and no row refers to it. Audio made anew counts as referred to
    while an archive holds it or it was used within the grace period, so that a repeated export is free.

    Args:
        store: Knows what is referred to.
        objects: Where the objects are.
        clock: Where times come from.
        grace_s: How long an object may be nobody's; longer than any export takes.
    """

    def __init__(self, store: LeftoverStore, objects: ObjectStore, clock: Clock, *, grace_s: float) -> None:
        self._store, self._objects, self._clock = store, objects, clock
        self._grace = timedelta(seconds=grace_s)

    def collect(self) -> int:
        """Remove every leftover of all artists; gives the number of objects removed."""
        before = self._clock.now() - self._grace
        gone = self._objects.drop_unfinished(before)
        for artist in self._store.artists():
            self._store.forget_unused(artist, before)
            listed = self._objects.list(f"artists/{artist}/datasets/")
            old = (found for found in listed if found.update_time < before)
            while part := _keys(old):
                for key in sorted(self._store.unreferred(artist, part)):
                    gone += self._remove(key, before)
        return gone

    def _remove(self, key: str, before: datetime) -> bool:
        # It may have been made again, by a run that found its record gone, since it was listed.
        there = self._objects.head(key)
        if there is None or not there.update_time < before:
            return False
        self._objects.delete(key)
        return True


def _keys(found: Iterator[ObjectInfo]) -> list[str]:
    return [info.key for info in islice(found, _AT_ONCE)]
