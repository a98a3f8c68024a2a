"""A folder of Live Sets, recordings and captions, as a musician keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tonewright_client.live_sets import find_live_sets

AUDIO = frozenset({".wav", ".aif", ".aiff", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac"})
# Live keeps sounds that a project uses, and its own facts, in folders of these names.
_OF_LIVE = frozenset({"Samples", "Backup", "Ableton Project Info"})


@dataclass(frozen=True, slots=True)
class Recording:
    """One piece.

    Attributes:
        path: The audio file.
        caption: What the `.txt` of the same name says in its first line; empty without one.
        extra_lines: How many more lines the `.txt` has, which no trainer reads.
    """

    path: Path
    caption: str = ""
    extra_lines: int = 0


@dataclass(slots=True)
class Folder:
    """What was found.

    Attributes:
        path: The folder.
        live_sets: Live Sets, without Live's backups.
        recordings: Audio with its captions, in the order of its paths.
        left_out: Audio in folders of Live's own, as samples of a project.
    """

    path: Path
    live_sets: list[Path] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    left_out: list[Path] = field(default_factory=list)


def look(path: Path) -> Folder:
    """What is in a folder and the folders below it; hidden files are not looked at."""
    found = Folder(path, live_sets=find_live_sets(path))
    for file in sorted(path.rglob("*")):
        inside = file.relative_to(path).parts
        if file.suffix.lower() not in AUDIO or not file.is_file() or any(part.startswith(".") for part in inside):
            continue
        if _OF_LIVE & set(inside[:-1]):
            found.left_out.append(file)
        else:
            found.recordings.append(_recording(file))
    return found


def _recording(file: Path) -> Recording:
    text = file.with_suffix(".txt")
    if not text.is_file():
        return Recording(file)
    lines = [line.strip() for line in text.read_text("utf-8-sig", "replace").splitlines()]
    caption = lines[0] if lines else ""
    return Recording(file, caption, sum(1 for line in lines[1:] if line))
