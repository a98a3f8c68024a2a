"""Archives that were made elsewhere, as far as an emulated trainer needs to know them."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from tonewright_client.audio_headers import HeaderUnread, read_header
from tonewright_client.trainings import ForeignFile

MAX_FILES = 10_000
_MAX_TEXT = 1 << 16
_AUDIO = frozenset({".wav", ".aif", ".aiff", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".mp4", ".wma"})


class ArchiveUnread(Exception):
    """It is no zip, or too big to be a dataset."""


def read_archive(path: Path) -> tuple[list[ForeignFile], list[str]]:
    """The files of a zip in its order, and what could not be read in it; nothing leaves this machine.

    Audio has its length, rate and channels, as far as its header says them; a `.txt` has its text.

    Raises:
        ArchiveUnread: It is no zip, or holds more than 10,000 files.
    """
    found: list[ForeignFile] = []
    unread: list[str] = []
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MAX_FILES:
                raise ArchiveUnread(f"{path} holds {len(entries):,} files; at most {MAX_FILES:,} can be looked at")
            for entry in entries:
                try:
                    found.append(_file(archive, entry))
                except (HeaderUnread, zipfile.BadZipFile) as fault:
                    found.append({"path": entry.filename})
                    unread.append(str(fault))
    except zipfile.BadZipFile as fault:
        raise ArchiveUnread(f"{path} is no zip ({fault}); name the archive that the trainer would get") from fault
    return found, unread


def _file(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> ForeignFile:
    suffix = PurePosixPath(entry.filename).suffix
    with archive.open(entry) as stream:
        if suffix.lower() == ".txt":
            return {"path": entry.filename, "text": stream.read(_MAX_TEXT).decode("utf-8", "replace")}
        if suffix.lower() not in _AUDIO:
            return {"path": entry.filename}
        header = read_header(entry.filename, stream, entry.file_size)
    return {
        "path": entry.filename,
        "duration_s": header.duration_s,
        "rate_hz": header.rate_hz,
        "channels": header.channels,
    }
