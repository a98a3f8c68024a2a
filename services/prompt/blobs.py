"""Live Set files in the object store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from chassis.objects import ObjectStore


class LiveSetBlobs:
    """The object store, as far as Live Sets need it."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def read(self, key: str) -> Iterator[bytes]:
        """The bytes of an object."""
        return self._objects.read(key)

    def exists(self, key: str) -> bool:
        """Whether there is an object at the key."""
        return self._objects.head(key) is not None

    def copy(self, source: str, target: str) -> None:
        """Put the bytes of one key at another."""
        self._objects.copy(source, target)

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is fine."""
        self._objects.delete(key)

    def is_older(self, key: str, moment: datetime) -> bool:
        """Whether the object was last written before the moment; False if there is none."""
        found = self._objects.head(key)
        return found is not None and found.update_time < moment

    def delete_all(self, prefix: str) -> None:
        """Remove every object whose key begins with the prefix."""
        for found in list(self._objects.list(prefix)):
            self._objects.delete(found.key)
