"""Snapshots of training items, and archives made of them."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal, TypedDict, Unpack, cast

from tonewright_client.audio import OnBytes, fetch
from tonewright_client.collections import Collection
from tonewright_client.errors import DownloadDamaged
from tonewright_client.models import Export, ExportFile, ExportFormat, Operation, Snapshot, SnapshotMember
from tonewright_client.training_items import SelectionFields
from tonewright_client.transport import Json

_CHUNK = 1 << 20


class Snapshots(Collection[Snapshot]):
    """Training items as they were at one moment; a snapshot never changes."""

    COLLECTION = "snapshots"
    FIELD = "snapshots"

    def create(
        self,
        *,
        selection: SelectionFields | None = None,
        display_name: str = "",
        idempotency_key: str | None = None,
    ) -> Snapshot:
        """Freeze items; by default all that are ready or exported, oldest first."""
        body: Json = {"display_name": display_name}
        if selection:
            body["selection"] = selection
        found = self._transport.post(self._base, body, idempotency_key=idempotency_key, timeout_s=130.0)
        return cast(Snapshot, found)

    def members(self, name: str) -> Iterator[SnapshotMember]:
        """What it holds, in order: audio, caption with its provenance, musical facts, licence, consent."""
        yield from self._transport.pages(f"{self.path(name)}/members", "members", page_size=1000)


class ExportChoices(TypedDict, total=False):
    """Choices that change the bytes of an archive."""

    trigger: str
    """Text put before each caption."""
    suffix: str
    """Text put after each caption, before its tempo tag."""
    nested: bool
    """Files in `dataset/`: the trainer then skips cutting, resampling and vocal removal."""
    audio_mode: Literal["AS_NEEDED", "NORMALISED"]
    rate_hz: int
    channels: int
    loudness_lufs: float
    cut: bool
    """Pieces of 30 s; needs NORMALISED."""
    remove_vocals: bool
    """By the platform's own separation; needs NORMALISED."""
    stored: bool
    """Also keep the archive as one object."""
    validation_share: float


class ExportFields(TypedDict, total=False):
    """What an archive is made of, and how."""

    display_name: str
    selection: SelectionFields
    snapshot: str
    format: ExportFormat
    options: ExportChoices


class Exports(Collection[Export]):
    """Archives of training items."""

    COLLECTION = "exports"
    FIELD = "exports"

    def start(self, *, idempotency_key: str | None = None, **export: Unpack[ExportFields]) -> Operation:
        """Ask for an archive; by default a Replicate zip of every item that is ready."""
        return self._start(self._base, dict(export), idempotency_key=idempotency_key)

    def cancel(self, name: str) -> Export:
        """Stop one that has not finished."""
        return cast(Export, self._transport.post(f"{self.path(name)}:cancel"))

    def files(self, name: str) -> Iterator[ExportFile]:
        """The files of a finished one in archive order, with item, piece and conversion behind each."""
        yield from self._transport.pages(f"{self.path(name)}/files", "files", page_size=1000)

    def link(self, name: str) -> str:
        """A signed address that gives the archive without a key until it expires."""
        return str(self._transport.post(f"{self.path(name)}:link")["url"])

    def download(self, name: str, target: Path, *, on_bytes: OnBytes | None = None) -> Path:
        """Write the archive to a file, then compare its size and every file's CRC-32 with what the platform says.

        What an earlier call left when it broke is not fetched again, and an archive that is there already not at all.

        Raises:
            DownloadDamaged: The bytes are not the archive's; what was fetched is thrown away.
            ApiError: EXPORT_NOT_READY and others.
        """
        export = self.get(name)
        etag, size = export["content_etag"], export["size_bytes"]
        if etag and target.is_file() and target.stat().st_size == size and not self._damage(export, target):
            return target
        part = target.with_name(f".{target.name}.{_plain(etag)[:16]}.part")
        for old in target.parent.glob(f".{target.name}.*.part"):
            if old != part or old.stat().st_size > size:
                old.unlink()
        if not etag or not part.exists() or part.stat().st_size < size:
            begun = f'"{etag}"' if etag else ""
            fetch(self._transport, f"{self.path(name)}/content", part, etag=begun, on_bytes=on_bytes)
        damage = self._damage(export, part)
        if damage:
            part.unlink()
            raise DownloadDamaged(f"{damage}; nothing was kept, download it again")
        part.rename(target)
        return target

    def _damage(self, export: Export, path: Path) -> str:
        size = path.stat().st_size
        if size != export["size_bytes"]:
            return f"{export['name']} has {export['size_bytes']} bytes, {size} arrived"
        wanted = {file["path"]: (file["size_bytes"], file["crc32"]) for file in self.files(export["name"])}
        try:
            found = _sums(path)
        except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as fault:
            return f"the archive of {export['name']} cannot be read ({fault})"
        wrong = [name for name in {*wanted, *found} if wanted.get(name) != found.get(name)]
        return f"{min(wrong)} in the archive of {export['name']} is not what it should be" if wrong else ""


def _sums(path: Path) -> dict[str, tuple[int, int]]:
    """Size and CRC-32 of each file, by its path inside the archive, computed from the bytes."""
    found: dict[str, tuple[int, int]] = {}
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            for entry in packed.infolist():
                with packed.open(entry) as stream:  # the end of the stream also checks the zip's own CRC
                    found[entry.filename] = _sum(stream)
        return found
    with tarfile.open(path) as taped:
        for member in taped:
            file = taped.extractfile(member)
            if file is not None:
                found[member.name] = _sum(file)
    return found


def _sum(file: IO[bytes]) -> tuple[int, int]:
    size = crc = 0
    while piece := file.read(_CHUNK):
        size, crc = size + len(piece), zlib.crc32(piece, crc)
    return size, crc


def _plain(etag: str) -> str:
    return "".join(letter for letter in etag if letter.isalnum()) or "new"
