"""The demo's own material: the same bytes each time, and sound in them."""

from __future__ import annotations

import hashlib
import wave
from array import array
from pathlib import Path

from tonewright_client.demo_material import RATE_HZ, write_piece


def test_the_piece_is_the_same_each_time(tmp_path: Path) -> None:
    digests = {hashlib.sha256(write_piece(tmp_path / name, bars=1).read_bytes()).hexdigest() for name in ("a", "b")}

    assert len(digests) == 1


def test_the_piece_is_audible_stereo_without_clipping(tmp_path: Path) -> None:
    with wave.open(str(write_piece(tmp_path / "piece.wav", bars=1))) as file:
        samples = array("h", file.readframes(file.getnframes()))
        facts = (file.getnchannels(), file.getframerate(), file.getnframes())

    assert facts == (2, RATE_HZ, 2 * RATE_HZ)
    assert 8_000 < max(abs(sample) for sample in samples) < 32_767
