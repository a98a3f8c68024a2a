"""What the smoke test makes and reads."""

from __future__ import annotations

import struct
import wave
from array import array
from pathlib import Path

import pytest

from tonewright_client.smoke import CLIP_S, SmokeFailed, read_float_wav, write_clip


def _wav(kind: int, bits: int, data: bytes) -> bytes:
    fmt = struct.pack("<HHIIHH", kind, 2, 44_100, 44_100 * 8, 8, bits)
    chunks = b"fact\x05\x00\x00\x0012345\x00" + b"fmt " + struct.pack("<I", len(fmt)) + fmt
    chunks += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def test_clip_lasts_three_seconds(tmp_path: Path) -> None:
    with wave.open(str(write_clip(tmp_path / "clip.wav"))) as clip:
        assert clip.getnframes() == int(CLIP_S * clip.getframerate())


@pytest.mark.parametrize("kind", [3, 0xFFFE])
def test_samples_of_float_wav_are_read_past_other_chunks(kind: int) -> None:
    samples = array("f", [0.5, -0.25, 1.0, 0.0])

    assert read_float_wav(_wav(kind, 32, samples.tobytes())) == samples


@pytest.mark.parametrize("data", [b"fLaC", _wav(1, 16, b"\0" * 8), _wav(3, 64, b"\0" * 8), _wav(3, 32, b"")[:40]])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(SmokeFailed):
        read_float_wav(data)
