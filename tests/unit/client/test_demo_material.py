"""The demo's own material: the same bytes each time, and sound in them."""

from __future__ import annotations

import wave
from array import array
from pathlib import Path

from tonewright_client.demo_material import RATE_HZ, write_piece


def test_the_piece_is_audible_stereo_and_the_same_each_time(tmp_path: Path) -> None:
    first, second = (write_piece(tmp_path / name, bars=1) for name in ("first.wav", "second.wav"))
    with wave.open(str(first)) as file:
        samples = array("h", file.readframes(file.getnframes()))
        facts = (file.getnchannels(), file.getframerate(), file.getnframes())

    assert first.read_bytes() == second.read_bytes()
    assert facts == (2, RATE_HZ, 2 * RATE_HZ)
    assert 8_000 < max(abs(sample) for sample in samples) < 32_767
