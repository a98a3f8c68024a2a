"""Live Set files in the object store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from chassis.objects import ObjectStore


class LiveSetBlobs:
    """The object store, as far as Live Sets need it."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def read(self, key: str) -> Iterator[bytes]:
        """The bytes of an object."""
        return self._objects.read(key)

    def read_part(self, key: str, offset: int, length: int) -> Iterator[bytes]:
        """So many bytes of an object from the offset on, fewer at its end."""
        return self._objects.read(key, offset=offset, length=length)

    def size(self, key: str) -> int | None:
        """Size of an object in bytes; None if there is none."""
        found = self._objects.head(key)
        return found.size_bytes if found else None

    def exists(self, key: str) -> bool:
        """Whether there is an object at the key."""
        return self._objects.head(key) is not None

    def put(self, key: str, pieces: Iterable[bytes]) -> None:
        """Store the bytes under the key."""
        self._objects.put(key, pieces)

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

    def delete_all(self, prefix: str, *, before: datetime | None = None) -> None:
        """Remove every object whose key begins with the prefix, those that were last written later left out."""
        for found in list(self._objects.list(prefix)):
            if before is None or found.update_time < before:
                self._objects.delete(found.key)
