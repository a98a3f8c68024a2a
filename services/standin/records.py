"""What the stand-in knows: models, versions, trainings and predictions; kept in files of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FINAL = frozenset({"succeeded", "failed", "canceled", "aborted"})


class Records:
    """Records by kind and id, in memory and as one JSON file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._kept: dict[str, dict[str, dict[str, Any]]] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in sorted(folder.glob("*/*.json")):
            self._kept.setdefault(path.parent.name, {})[path.stem] = json.loads(path.read_text())

    def put(self, kind: str, uid: str, record: dict[str, Any]) -> dict[str, Any]:
        """Keep the record; gives it back."""
        with self._lock:
            self._kept.setdefault(kind, {})[uid] = record
            path = self._folder / kind / f"{uid}.json"
            path.parent.mkdir(exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.write_text(json.dumps(record))
            fresh.rename(path)
            return record

    def get(self, kind: str, uid: str) -> dict[str, Any] | None:
        """The record."""
        with self._lock:
            return self._kept.get(kind, {}).get(uid)

    def all(self, kind: str) -> list[dict[str, Any]]:
        """All records of a kind, oldest first."""
        with self._lock:
            return list(self._kept.get(kind, {}).values())

    def change(self, kind: str, uid: str, **values: Any) -> dict[str, Any] | None:
        """The record with these values; None if it has ended: an end never changes."""
        with self._lock:
            record = self._kept.get(kind, {}).get(uid)
            if record is None or record["status"] in FINAL:
                return None
            return self.put(kind, uid, {**record, **values})

    def unfinished(self, kind: str) -> Iterator[dict[str, Any]]:
        """Records of runs that have not ended."""
        return (record for record in self.all(kind) if record["status"] not in FINAL)
