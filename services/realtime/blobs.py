"""Bytes of assets out of the object store."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chassis.objects import ObjectStore


class ObjectBlobs:
    """Fetches blobs into files that last as long as they are needed."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    @contextmanager
    def fetched(self, key: str) -> Iterator[Path]:
        """The bytes as a temporary file."""
        with tempfile.TemporaryDirectory(prefix="tonewright-realtime-") as folder:
            path = Path(folder) / "blob"
            self._objects.fetch(key, path)
            yield path
