"""The bytes behind assets and uploads, in the shared object store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chassis.objects.port import ObjectStore


@dataclass(frozen=True, slots=True)
class SharedBlobs:
    """Copies between objects and files."""

    objects: ObjectStore

    def fetch(self, key: str, path: Path) -> None:
        """Copy an object into a file."""
        self.objects.fetch(key, path)

    def put(self, key: str, path: Path, media_type: str) -> None:
        """Copy a file into an object."""
        self.objects.put(key, path, media_type=media_type)

    def remove_all(self, prefix: str) -> None:
        """Remove every object whose key begins so."""
        for found in list(self.objects.list(prefix)):
            self.objects.delete(found.key)
