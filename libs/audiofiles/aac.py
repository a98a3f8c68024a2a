"""Decodes AAC of low complexity, whose access units lie anywhere in a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audiofiles.faults import truncated, unsupported

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

RATES_HZ = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
LOW_COMPLEXITY = 2
UNIT_FRAMES = 1024
MAX_UNIT_BYTES = (1 << 13) - 1
_MAX_CHANNELS = 2
# Units that are decoded at once. The noise that the decoder puts in begins anew with each batch, so that the number is
# part of what equal files have equal hashes by.
_BATCH = 512
# The decoder wants more units than one to see a stream.
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Track:
    """Access units of AAC-LC, and which of their frames are the recording.

    Args:
        rate_hz: One of RATES_HZ.
        channels: As the stream's configuration has it; 1 and 2 are read.
        offsets: Where each unit begins in the file.
        sizes: Its bytes.
        skipped: Frames at the beginning that are the encoder's delay.
        frame_count: Frames behind these that are kept; None for all.
    """

    rate_hz: int
    channels: int
    offsets: Int64
    sizes: Int64
    skipped: int = 0
    frame_count: int | None = None

    @property
    def kept_frames(self) -> int:
        """How many frames the recording has."""
        there = max(0, len(self.sizes) * UNIT_FRAMES - self.skipped)
        return there if self.frame_count is None else min(there, self.frame_count)


class AacFrames:
    """The frames of a track, read as `audiofiles.frames.Frames`; writes a file beside the audio while it decodes."""

    order = "wave"

    def __init__(self, audio: Path, track: Track) -> None:
        if not 1 <= track.channels <= _MAX_CHANNELS:
            raise unsupported(f"is AAC with channel configuration {track.channels}; 1 and 2 channels are read")
        self.rate_hz, self.channels = track.rate_hz, track.channels
        self.promised: int | None = track.kept_frames
        self._track = track
        self._audio = audio.open("rb")
        self._batch_file = audio.with_name(audio.name + ".batch.aac")
        self._next = 0
        self._left: Float32 = np.zeros((0, track.channels), np.float32)
        self._skip, self._keep = track.skipped, track.kept_frames

    def __enter__(self) -> AacFrames:
        return self

    def __exit__(self, *_: object) -> None:
        self._audio.close()
        self._batch_file.unlink(missing_ok=True)

    def read(self, into: Float32) -> int:
        """Fill the array with the next frames; gives how many there were. Raises `Unfit`."""
        while not len(self._left) and self._keep and self._next < len(self._track.sizes):
            frames = self._decode()[self._skip :]
            self._skip = max(0, self._skip - _BATCH * UNIT_FRAMES)
            self._left = frames[: self._keep]
            self._keep -= len(self._left)
        taken = min(len(into), len(self._left))
        into[:taken] = self._left[:taken]
        self._left = self._left[taken:]
        return taken

    def _decode(self) -> Float32:
        """The frames of the next batch; the unit before it is decoded with it, because each overlaps the next."""
        first, last = self._next, min(self._next + _BATCH, len(self._track.sizes))
        self._next = last
        lead = min(first, 1)
        units = [self._framed(index) for index in range(first - lead, last)]
        units += [units[-1]] * (_FEWEST - len(units))
        self._batch_file.write_bytes(b"".join(units))
        frames = _decoded(self._batch_file, first)
        if frames.shape != (self.channels, len(units) * UNIT_FRAMES):
            raise truncated(f"access units {first} to {last} are damaged", unit=first)
        return frames[:, lead * UNIT_FRAMES : (lead + last - first) * UNIT_FRAMES].T

    def _framed(self, index: int) -> bytes:
        from audiofiles.adts import adts_header

        self._audio.seek(int(self._track.offsets[index]))
        unit = self._audio.read(int(self._track.sizes[index]))
        return adts_header(self.rate_hz, self.channels, len(unit)) + unit


def _decoded(file: Path, first: int) -> Float32:
    # Only here: it takes a while, and most files are not AAC.
    import sphn

    reader: Any = sphn
    try:
        frames: Float32 = reader.FileReader(str(file)).decode_all()
    except BaseException as error:
        # What it panics with, at bits that it does not expect, is no Exception and has no name to import.
        if not isinstance(error, ValueError) and type(error).__name__ != "PanicException":
            raise
        what = str(error).rpartition('": ')[2]
        raise truncated(f"the decoder stops in the middle, after access unit {first} ({what})") from error
    return frames
