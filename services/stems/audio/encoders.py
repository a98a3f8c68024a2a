"""Encoders of single files; each takes frames in pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import soundfile

from audiofiles.mp3 import Mp3Encoder
from services.stems.audio.wav import WavEncoder
from services.stems.domain import Float32, OutputFormat

Int32 = npt.NDArray[np.int32]

_PIECE_FRAMES = 1 << 14
STEPS = 2.0**23  # of full scale in 24 bits
SUFFIXES = {OutputFormat.FLAC_24: ".flac", OutputFormat.WAV_FLOAT: ".wav", OutputFormat.MP3: ".mp3"}


class Encoder(Protocol):
    """Writes one file."""

    def write(self, frames: Float32) -> None:
        """Take the next frames, shape (n_frames, n_channels)."""

    def close(self) -> None:
        """Finish the file; a repeat does nothing."""


def quantised(frames: Float32) -> Int32:
    """The frames as whole steps of 24 bits, what lies beyond full scale clipped to it."""
    steps = np.rint(frames.astype(np.float64) * STEPS)
    return np.clip(steps, -STEPS, STEPS - 1).astype(np.int32)


def open_encoder(path: Path, rate_hz: int, channels: int, frame_count: int, output_format: OutputFormat) -> Encoder:
    """Begin a file of this many frames."""
    match output_format:
        case OutputFormat.MP3:
            return Mp3Encoder(path, rate_hz, channels)
        case OutputFormat.WAV_FLOAT:
            return WavEncoder(path, rate_hz, channels, frame_count)
    return _FlacEncoder(path, rate_hz, channels)


def chunk_file(frames: Float32, rate_hz: int, output_format: OutputFormat, stem: Path) -> Path:
    """The frames as a file of their own: WAV for WAV_FLOAT, else FLAC with 24 bits."""
    kind = OutputFormat.WAV_FLOAT if output_format is OutputFormat.WAV_FLOAT else OutputFormat.FLAC_24
    path = stem.with_name(stem.name + SUFFIXES[kind])
    encoder = open_encoder(path, rate_hz, frames.shape[1], len(frames), kind)
    encoder.write(frames)
    encoder.close()
    return path


class _FlacEncoder:
    def __init__(self, path: Path, rate_hz: int, channels: int) -> None:
        self._file = soundfile.SoundFile(path, "w", rate_hz, channels, format="FLAC", subtype="PCM_24")

    def write(self, frames: Float32) -> None:
        # In pieces, so that what is made of each stays small.
        for start in range(0, len(frames), _PIECE_FRAMES):
            # The upper 24 of 32 bits count, so that rounding stays ours.
            self._file.write(quantised(frames[start : start + _PIECE_FRAMES]) << 8)

    def close(self) -> None:
        self._file.close()
