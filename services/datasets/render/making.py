"""One recording as the files of a recipe; what a bounded child process runs."""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from audiofiles.containers import check_container
from audiofiles.faults import unreadable
from audiofiles.frames import Frames, open_frames
from audiofiles.loudness import LoudnessMeter
from audiofiles.mixdown import MAX_CHANNELS, to_stereo
from services.datasets.render.files import PieceFiles

Float32 = npt.NDArray[np.float32]

_BLOCK_FRAMES = 1 << 16
# 20 bits of precision, above what 16 bits hold; VHQ costs 1.1 times as much.
_QUALITY = "VHQ"
_CEILING = 10 ** (-1 / 20)
_READ = 1 << 20


def make_files(audio: str, folder: str, recipe: dict[str, Any]) -> dict[str, Any]:
    """Write the files of the recipe into the folder.

    Args:
        audio: The recording.
        folder: Takes the files, and `progress` with the share done.
        recipe: `encoding` (WAV or MP3), `rate_hz`, `channels`, `loudness_lufs` or None, `piece_s` (0: whole) and
            `shortest_s` of a last piece.

    Returns:
        `gain_db`, `loudness_lufs` before it (None when not measured), `is_limited`, and `pieces`, each with `file`,
        `start_frame`, `frames`, `size_bytes`, `crc32` and `sha256`.

    Raises:
        Unfit: It is no audio, damaged, empty, or holds a sample that is NaN or infinite.
    """
    work = _Work(Path(audio), Path(folder), recipe)
    gain_db, loudness, is_limited = 0.0, None, False
    if recipe["loudness_lufs"] is not None:
        loudness, peak = work.measure()
        gain_db, is_limited = _gain(loudness, peak, recipe["loudness_lufs"])
    files, peak = work.encode(gain_db)
    if peak > 1.0:
        # Mixed down, resampled or lossy sound can lie beyond full scale; all of it is lowered alike.
        gain_db += _whole_steps(-20 * math.log10(peak))
        files, _peak = work.encode(gain_db)
    pieces = [{**piece, **_told(Path(folder) / piece["file"])} for piece in files]
    return {"gain_db": gain_db, "loudness_lufs": loudness, "is_limited": is_limited, "pieces": pieces}


class _Work:
    """The passes over one recording."""

    def __init__(self, audio: Path, folder: Path, recipe: dict[str, Any]) -> None:
        self._audio, self._folder, self._recipe = audio, folder, recipe
        self._rate_hz, self._channels = int(recipe["rate_hz"]), int(recipe["channels"])
        self._passes = 1 if recipe["loudness_lufs"] is None else 2
        self._pass = 0

    def measure(self) -> tuple[float | None, float]:
        """Loudness in LUFS, None when nothing passes the gate, and the peak."""
        meter, peak = LoudnessMeter(self._rate_hz, self._channels), 0.0
        for block in self._blocks():
            meter.feed(block)
            peak = max(peak, _peak(block))
        return meter.integrated_lufs(), peak

    def encode(self, gain_db: float) -> tuple[list[dict[str, Any]], float]:
        """The files, each with its first frame and number of frames, and the peak before anything was clipped."""
        gain, peak = np.float32(10 ** (gain_db / 20)), 0.0
        with PieceFiles(self._folder, self._recipe) as files:
            for block in self._blocks():
                louder = block * gain if gain_db else block
                peak = max(peak, _peak(louder))
                files.write(louder)
            return files.close(), peak

    def _blocks(self) -> Iterator[Float32]:
        """The recording in the wanted rate and channels, in blocks of shape (n_frames, channels)."""
        media_type = check_container(self._audio)
        with open_frames(self._audio, media_type) as frames:
            if frames.channels > MAX_CHANNELS:
                raise unreadable(f"it has {frames.channels} channels; mix it down to {MAX_CHANNELS} or fewer")
            mixed = self._mixed(frames)
            yield from mixed if frames.rate_hz == self._rate_hz else self._resampled(mixed, frames)
        self._pass = min(self._pass + 1, self._passes - 1)

    def _mixed(self, frames: Frames) -> Iterator[Float32]:
        """The frames mixed down as far as they must be; one channel stays one here."""
        matrix = to_stereo(frames.channels, frames.order) if frames.channels > 2 else None
        buffer = np.empty((_BLOCK_FRAMES, frames.channels), np.float32)
        taken = 0
        while got := _filled(frames, buffer):
            block = buffer[:got]
            if not np.isfinite(block).all():
                raise unreadable("it has samples that are no finite numbers")
            taken += got
            self._tell(taken, frames.promised)
            block = block if matrix is None else block @ matrix
            if self._channels == 1 and block.shape[1] == 2:
                block = block.mean(axis=1, dtype=np.float32)[:, None]
            elif self._channels == 2 and block.shape[1] == 1:
                block = np.repeat(block, 2, axis=1)
            yield block
        if not taken:
            raise unreadable("it has no sound in it")

    def _resampled(self, blocks: Iterator[Float32], frames: Frames) -> Iterator[Float32]:
        """The blocks in the wanted rate; as many frames in all as the length asks for, rounded."""
        stream = soxr.ResampleStream(frames.rate_hz, self._rate_hz, self._channels, dtype="float32", quality=_QUALITY)
        taken = given = 0
        for block in blocks:
            taken += len(block)
            made = stream.resample_chunk(block)
            given += len(made)
            yield made.reshape(-1, self._channels)
        whole = max(1, round(taken * self._rate_hz / frames.rate_hz))
        rest = stream.resample_chunk(np.empty((0, self._channels), np.float32), last=True).reshape(-1, self._channels)
        missing = whole - given - len(rest)
        yield np.pad(rest, ((0, missing), (0, 0))) if missing > 0 else rest[: whole - given]

    def _tell(self, taken: int, promised: int | None) -> None:
        share = min(1.0, taken / promised) if promised else 0.5
        (self._folder / "progress").write_text(f"{(self._pass + share) / self._passes:.4f}")


def _filled(frames: Frames, buffer: Float32) -> int:
    """Fill the buffer as far as the file goes, so that blocks fall the same on every run."""
    filled = 0
    while filled < len(buffer) and (got := frames.read(buffer[filled:])):
        filled += got
    return filled


def _gain(loudness: float | None, peak: float, wanted: float) -> tuple[float, bool]:
    """Gain in dB to the wanted loudness, and whether the peak keeps it from getting there."""
    if loudness is None or not peak:
        return 0.0, False
    to_loudness = round(wanted - loudness, 2)
    to_ceiling = _whole_steps(20 * math.log10(_CEILING / peak))
    return min(to_loudness, to_ceiling), to_ceiling < to_loudness


def _whole_steps(gain_db: float) -> float:
    """Hundredths of a dB, so that the last digits of a measurement do not change the bytes."""
    return math.floor(gain_db * 100) / 100


def _peak(block: Float32) -> float:
    return max(float(block.max()), -float(block.min())) if len(block) else 0.0


def _told(file: Path) -> dict[str, Any]:
    digest, crc32 = hashlib.sha256(), 0
    with file.open("rb") as data:
        while piece := data.read(_READ):
            digest.update(piece)
            crc32 = zlib.crc32(piece, crc32)
        return {"size_bytes": data.tell(), "crc32": crc32, "sha256": digest.hexdigest()}
