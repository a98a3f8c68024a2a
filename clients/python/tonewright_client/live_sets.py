"""Live Sets: upload one, a folder or a zip of them, read their summaries, draw them."""

from __future__ import annotations

import tempfile
import uuid
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast
from urllib.parse import urlencode

from tonewright_client.collections import Collection
from tonewright_client.models import ImportLiveSetsResponse, LiveSet
from tonewright_client.transport import Json

_CHUNK = 1 << 20
# Live keeps older states of a Live Set in this folder of its project.
BACKUPS = "Backup"


class LiveSets(Collection[LiveSet]):
    """Ableton Live Sets and what is in them."""

    COLLECTION = "live-sets"
    FIELD = "live_sets"

    def upload(self, path: Path, *, project_name: str = "") -> LiveSet:
        """The Live Set with its summary: tempo, signature, key, tracks, devices, clips.

        Raises:
            ApiError: It is no Live Set, or one that nobody should open; the reason says which.
        """
        return cast(LiveSet, self._send(self._base, path, file_name=path.name, project_name=project_name))

    def import_zip(self, path: Path, *, project_name: str = "") -> ImportLiveSetsResponse:
        """Read every Live Set of a zip; each succeeds or fails alone, and none is kept twice."""
        found = self._send(f"{self._base}:import", path, project_name=project_name)
        return cast(ImportLiveSetsResponse, found)

    def import_folder(self, folder: Path, *, project_name: str = "") -> ImportLiveSetsResponse:
        """Read every Live Set below a folder, backups of Live left out; results name paths inside the folder.

        Raises:
            FileNotFoundError: There is none.
        """
        return self.import_files(folder, find_live_sets(folder), project_name=project_name)

    def import_files(self, folder: Path, files: Iterable[Path], *, project_name: str = "") -> ImportLiveSetsResponse:
        """Read these Live Sets, all of them below a folder.

        Raises:
            FileNotFoundError: There are none.
        """
        wanted = list(files)
        if not wanted:
            raise FileNotFoundError(f"there is no .als file below {folder}")
        with tempfile.TemporaryDirectory() as place:
            packed = Path(place) / "live-sets.zip"
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:  # they are compressed already
                for file in wanted:
                    archive.write(file, file.relative_to(folder).as_posix())
            return self.import_zip(packed, project_name=project_name)

    def timeline(self, name: str, *, width: int = 0) -> bytes:
        """A picture of tracks and clips over time as SVG; `width` in pixels, 200 to 8,000, or 0 for 1,200."""
        query = f"?{urlencode({'width': width})}" if width else ""
        headers = {"Accept": "image/svg+xml"}
        with self._transport.stream(f"{self.path(name)}/timeline.svg{query}", headers=headers) as answer:
            return answer.read()

    def rename(self, live_set: LiveSet, display_name: str) -> LiveSet:
        """It under another name; refused if it changed meanwhile."""
        body = {"display_name": display_name}
        return cast(LiveSet, self._transport.patch(self.path(live_set["name"]), body, etag=live_set["etag"]))

    def undelete(self, name: str) -> LiveSet:
        """Bring a deleted one back within its 30 days."""
        return cast(LiveSet, self._transport.post(f"{self.path(name)}:undelete"))

    def _send(self, path: str, file: Path, **query: str) -> Json:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(file.stat().st_size),
            "Idempotency-Key": str(uuid.uuid4()),
        }
        given = urlencode({name: value for name, value in query.items() if value})
        return self._transport.send("POST", f"{path}?{given}" if given else path, _pieces(file), headers=headers)


def find_live_sets(folder: Path) -> list[Path]:
    """The Live Sets below a folder in the order of their paths, without hidden files and Live's backups."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() == ".als" and path.is_file() and not _is_left_out(path.relative_to(folder))
    ]


def _is_left_out(path: Path) -> bool:
    return BACKUPS in path.parts[:-1] or any(part.startswith(".") for part in path.parts)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece
