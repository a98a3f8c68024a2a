"""The trainer's own folder, as its preparation leaves it: files that stay, pieces that are cut, captions found.

Source: spec, steps 1 to 5 of the fine-tuner's pipeline.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

CHUNK_MS, TAIL_MS = 30_000, 5_000
PREPARED_RATE_HZ = 44_100
# Case counts in the first three.
_CUT = (".mp3", ".wav", ".flac", ".mp4")
_LABELLED = (".mp3", ".wav", ".flac")
_CAPTIONED = (".mp3", ".wav")
_LISTED = (".wav", ".mp3", ".flac", ".ogg", ".m4a")  # in any case, when the trainer labels nothing
_AUDIO = (*_LISTED, ".mp4", ".aif", ".aiff", ".opus", ".wma", ".aac")
_JUNK = ("__MACOSX", ".DS_Store")  # removed at the archive's root alone
# The last four are taken for the one file of the dataset.
_ARCHIVES = ("zip", "tar", "gz", "tgz", "wav", "mp3", "flac", "mp4")
_CHUNK = "_chunk"
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class TrainerFile:
    """A file of an archive as the trainer gets it.

    Attributes:
        path: Path inside the archive.
        duration_s: Length of the audio; 0 for other files, and for audio that nobody can decode.
        rate_hz: Sample rate of the audio.
        channels: Channels of the audio.
        text: Text of a `.txt` file with everything in it.
        training_item: Name of the item behind it; empty when there is none.
        start_s: Where the audio begins in the item's recording.
    """

    path: str
    duration_s: float = 0.0
    rate_hz: int = 0
    channels: int = 0
    text: str = ""
    training_item: str = ""
    start_s: float = 0.0

    @property
    def duration_ms(self) -> int:
        """Length in whole milliseconds, as the trainer counts."""
        return round(self.duration_s * 1000)

    @property
    def is_audio(self) -> bool:
        """Whether its name says that it is audio, or somebody decoded it."""
        return self.duration_s > 0 or self.path.lower().endswith(_AUDIO)


@dataclass(frozen=True, slots=True)
class Held:
    """A file of the trainer's folder after preparation.

    Attributes:
        owner: Index of the archive's file that it comes from.
        start_ms: Where it begins in that file.
        duration_ms: Its length.
        rate_hz: Its sample rate.
        channels: Its channels.
        cut: Whether the trainer cut it.
        vocals_removed: Whether the trainer took vocals out.
        caption: What is read for it; None when no caption is looked for or none is there.
    """

    owner: int
    start_ms: int
    duration_ms: int
    rate_hz: int
    channels: int
    cut: bool = False
    vocals_removed: bool = False
    caption: str | None = None


@dataclass(frozen=True, slots=True)
class Crash:
    """Something that ends the run.

    Attributes:
        reason: Stable word.
        message: What it is and what to do.
        owner: Index of the file that does it; None when it is about the whole.
    """

    reason: str
    message: str
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What preparation leaves.

    Attributes:
        trained: Files that are trained on, by path in the trainer's folder.
        duplicates: Indices of archive files that an earlier one of the same path hides.
        crashes: What ends the run.
    """

    trained: dict[str, Held]
    duplicates: frozenset[int]
    crashes: tuple[Crash, ...]


def unpack_fault(archive_name: str) -> Crash | None:
    """Why the trainer cannot unpack an archive of this name; None when it can."""
    kind = archive_name.rsplit(".", 1)[-1]
    if kind == "gz" and not archive_name.endswith(".tar.gz"):
        return Crash(
            "ARCHIVE_NOT_READ", f"{archive_name}: a plain .gz is unpacked as a tar and gives nothing; use .zip"
        )
    if kind in _ARCHIVES:
        return None
    return Crash(
        "ARCHIVE_NOT_READ", f"the trainer does not unpack {archive_name}; its name must end in lower-case .zip"
    )


def prepare(files: Sequence[TrainerFile], *, auto_labeling: bool, drop_vocals: bool, same_text: str | None) -> Prepared:
    """What the trainer makes of an archive's files; root files are taken in the archive's order.

    The trainer takes them in the order of its disk. That differs only where two files write pieces of one name.
    """
    folder, texts, duplicates = _unpacked(files)
    crashes: list[Crash] = []
    for name in [path for path in folder if "/" not in path and path.endswith(_CUT)]:
        held = folder[name]
        if name.endswith(".mp4"):
            crashes.append(Crash("MP4_CRASHES", "an .mp4 at the root ends the run; take it out", held.owner))
        elif held.duration_ms > CHUNK_MS:
            del folder[name]
            folder |= _pieces(name, held, drop_vocals=drop_vocals)
    trained: dict[str, Held] = {}
    for path, held in folder.items():
        sees = path.endswith(_LABELLED) if auto_labeling else path.lower().endswith(_LISTED)
        if sees or ("/" not in path and path.endswith(_CUT) and not path.endswith(".mp4")):
            crashes += _unreadable(path, held)
        if sees:
            trained[path] = replace(held, caption=_caption(path, texts, same_text))
    return Prepared(trained, duplicates, tuple(crashes))


def _unpacked(files: Sequence[TrainerFile]) -> tuple[dict[str, Held], dict[str, str], frozenset[int]]:
    folder: dict[str, Held] = {}
    texts: dict[str, str] = {}
    duplicates = set()
    for index, file in enumerate(files):
        path = posixpath.normpath(file.path).lstrip("/")
        if path.split("/", 1)[0] in _JUNK or file.path.endswith("/"):
            continue
        if path in texts or path in folder:  # with nobody to ask, the first one stays
            duplicates.add(index)
        elif path.endswith(".txt"):
            texts[path] = file.text
        else:
            folder[path] = Held(index, 0, file.duration_ms, file.rate_hz, file.channels)
    return folder, texts, frozenset(duplicates)


def _pieces(name: str, held: Held, *, drop_vocals: bool) -> dict[str, Held]:
    # The name loses 4 characters, which of `.flac` leaves the dot.
    stem, pieces = name[:-4], {}
    whole, rest_ms = divmod(held.duration_ms, CHUNK_MS)
    lengths = [CHUNK_MS] * whole + ([rest_ms] if rest_ms > TAIL_MS else [])
    for index, length_ms in enumerate(lengths):
        start_ms = index * CHUNK_MS
        channels = 2 if drop_vocals else held.channels
        pieces[f"{stem}{_CHUNK}{start_ms // 1000}.wav"] = Held(
            held.owner, start_ms, length_ms, PREPARED_RATE_HZ, channels, cut=True, vocals_removed=drop_vocals
        )
    return pieces


def _unreadable(path: str, held: Held) -> list[Crash]:
    if held.duration_ms > 0:
        return []
    if posixpath.basename(path).startswith("._"):
        message = "a file of macOS that holds no audio and ends the run; take it out of the archive"
        return [Crash("HIDDEN_FILE_CRASHES", message, held.owner)]
    return [Crash("AUDIO_UNREADABLE", "no audio can be read from it, which ends the run; replace it", held.owner)]


def _caption(path: str, texts: dict[str, str], same_text: str | None) -> str | None:
    if not path.endswith(_CAPTIONED):
        return None
    if same_text is not None:
        return same_text
    # The second name is the whole path for a file that was not cut: so `name.wav.txt` works, too.
    for candidate in (posixpath.splitext(path)[0], path.rsplit(_CHUNK, 1)[0]):
        if (text := texts.get(f"{candidate}.txt")) is not None:
            return _LINE_END.split(text, maxsplit=1)[0]
    return None
