"""WAV with 32-bit floats; equal frames give equal bytes, to which libsndfile would add the time of day."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from services.stems.domain import Float32

_FLOAT = 3
# What the 32-bit sizes say where those of 64 bits count.
_ELSEWHERE = 0xFFFFFFFF


class WavEncoder:
    """Writes one WAV file of a number of frames that is known; RF64 (EBU Tech 3306) where 32-bit sizes do not do."""

    def __init__(self, path: Path, rate_hz: int, channels: int, frame_count: int) -> None:
        self._file = path.open("wb")
        self._file.write(_header(rate_hz, channels, frame_count))

    def write(self, frames: Float32) -> None:
        """Take the next frames, shape (n_frames, n_channels)."""
        self._file.write(np.ascontiguousarray(frames, "<f4").data)

    def close(self) -> None:
        """Finish the file; a repeat does nothing."""
        self._file.close()


def _header(rate_hz: int, channels: int, frame_count: int) -> bytes:
    frame_bytes = 4 * channels
    data_bytes = frame_count * frame_bytes
    form = struct.pack("<HHIIHHH", _FLOAT, channels, rate_hz, rate_hz * frame_bytes, frame_bytes, 32, 0)
    body = _chunk(b"fmt ", form) + _chunk(b"fact", struct.pack("<I", min(frame_count, _ELSEWHERE)))
    whole_bytes = 4 + len(body) + 8 + data_bytes
    if whole_bytes < _ELSEWHERE:
        return b"RIFF" + struct.pack("<I", whole_bytes) + b"WAVE" + body + b"data" + struct.pack("<I", data_bytes)
    sizes = _chunk(b"ds64", struct.pack("<QQQI", whole_bytes + 36, data_bytes, frame_count, 0))
    elsewhere = struct.pack("<I", _ELSEWHERE)
    return b"RF64" + elsewhere + b"WAVE" + sizes + body + b"data" + elsewhere


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body
