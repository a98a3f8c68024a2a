"""Reads an archive as the real trainer does before it trains: what it would see, and where it would fail.

Source: spec, pipeline of the fine-tuner, steps 1 to 6.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

import httpx2
import soundfile

_ROOT_AUDIO = (".mp3", ".wav", ".flac", ".mp4")
_LABELLED = {True: (".mp3", ".wav", ".flac"), False: (".wav", ".mp3", ".flac", ".ogg", ".m4a")}
_CHUNK_MS, _TAIL_MS, _MIN_RATE_HZ = 30_000, 5_000, 32_000
_TEMPO = re.compile(r"\bBPM: ?(\d{2,3}(?:\.\d+)?)")
_MAX_FILES = 50_000
# A server that is busy or restarts is asked again, as a provider's downloader does.
_BUSY = frozenset({0, 429, 500, 502, 503, 504})
_WAITS_S = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


class PreparationFailed(Exception):
    """The real trainer would end here, with this text."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the trainer would train on."""

    files: int
    pieces: int
    captions: int  # of the pieces' recordings, those that have text
    seconds: float
    tempos_bpm: tuple[float, ...] = ()


@contextlib.contextmanager
def fetched(url: str, max_bytes: int) -> Iterator[zipfile.ZipFile]:
    """The archive behind the address, in a temporary file.

    Raises:
        PreparationFailed: It cannot be fetched, is too large, or is no archive by its name.
    """
    name = unquote(PurePosixPath(urlsplit(url).path).name)
    with tempfile.TemporaryFile(prefix="standin-") as file:
        for wait_s in (*_WAITS_S, None):
            status = _download(url, file, name, max_bytes)
            if status in _BUSY and wait_s is not None:
                time.sleep(wait_s)
            elif 200 <= status < 300:
                break
            else:
                raise PreparationFailed(f"Failed to download {name}: {status or 'no answer'}")
        if name.rpartition(".")[2] != "zip":
            raise PreparationFailed("Not supported file type")
        try:
            with zipfile.ZipFile(file) as archive:
                yield archive
        except zipfile.BadZipFile as error:
            raise PreparationFailed("Bad zip file: No audio files were found") from error


def _download(url: str, file: BinaryIO, name: str, max_bytes: int) -> int:
    """Status of the answer, whose bytes are in the file; 0 where there was none."""
    file.seek(0)
    file.truncate()
    try:
        with httpx2.stream("GET", url, timeout=30, follow_redirects=True, trust_env=False) as answer:
            for piece in answer.iter_bytes(1 << 20):
                file.write(piece)
                if file.tell() > max_bytes:
                    raise PreparationFailed(f"Failed to download {name}: more than {max_bytes} bytes")
            return answer.status_code
    except httpx2.HTTPError:
        return 0


def prepare(archive: zipfile.ZipFile, inputs: Mapping[str, Any], say: Callable[[str], None]) -> Prepared:
    """What the trainer would train on, told on the way; PreparationFailed where it would fail."""
    names = [name for name in dict.fromkeys(archive.namelist()) if not name.endswith("/") and not _is_junk(name)]
    if len(names) > _MAX_FILES:
        raise PreparationFailed(f"more than {_MAX_FILES} files")
    if any("/" not in name and name.endswith(".mp4") for name in names):
        raise PreparationFailed("UnboundLocalError: local variable 'audio' referenced before assignment")
    wanted = _LABELLED[bool(inputs.get("auto_labeling", True))]
    strict = bool(inputs.get("auto_labeling", True))
    audio = [name for name in names if (name if strict else name.lower()).endswith(wanted)]
    if not audio:
        raise PreparationFailed("No audio files found in the dataset")
    return _trained(archive, audio, set(names), inputs, say)


def _trained(
    archive: zipfile.ZipFile, audio: list[str], names: set[str], inputs: Mapping[str, Any], say: Callable[[str], None]
) -> Prepared:
    pieces = captions = 0
    seconds, highest, tempos = 0.0, 0, list[float]()
    for name in audio:
        milliseconds, rate_hz = _facts(archive, name)
        count, cut = 1, "/" not in name and name.endswith(_ROOT_AUDIO) and milliseconds > _CHUNK_MS
        if cut:
            whole, rest = divmod(milliseconds, _CHUNK_MS)
            count, rate_hz = whole + (rest > _TAIL_MS), 44_100
        caption = _caption(archive, name, names, inputs)
        pieces, captions, seconds = pieces + count, captions + bool(caption), seconds + milliseconds / 1000
        highest = max(highest, rate_hz)
        tempos += [float(found) for found in _TEMPO.findall(caption)[:1]]
        say(
            f"{PurePosixPath(name).name}: {milliseconds / 1000:.1f} s, {count} piece(s){'' if caption else ', no text'}"
        )
    if highest < _MIN_RATE_HZ:
        raise PreparationFailed(f"AssertionError: sample rate of every file is below {_MIN_RATE_HZ} Hz ({highest} Hz)")
    return Prepared(len(audio), pieces, captions, seconds, tuple(tempos))


def _facts(archive: zipfile.ZipFile, name: str) -> tuple[int, int]:
    """Milliseconds and sample rate of a file of the archive."""
    with archive.open(name) as source, tempfile.SpooledTemporaryFile(max_size=32 << 20) as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
        copy.seek(0)
        try:
            found = soundfile.info(copy)
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise PreparationFailed(f"CouldntDecodeError: Decoding failed: {PurePosixPath(name).name}") from error
    return round(1000 * found.frames / found.samplerate), int(found.samplerate)


def _caption(archive: zipfile.ZipFile, name: str, names: set[str], inputs: Mapping[str, Any]) -> str:
    one = inputs.get("one_same_description")
    if one is not None:
        return str(one)
    if not name.endswith((".mp3", ".wav")):
        return ""
    stem = name.rpartition(".")[0]
    fallbacks = (f"{stem}.txt", f"{stem.rpartition('_chunk')[0] or stem}.txt")
    found = next((text for text in fallbacks if text in names), None)
    if found is None:
        return ""
    with archive.open(found) as file:
        return io.TextIOWrapper(file, encoding="utf-8", errors="replace").readline(1 << 16).rstrip("\n")


def _is_junk(name: str) -> bool:
    return name == ".DS_Store" or Path(name).parts[0] == "__MACOSX"
