"""Files of every kind as loops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from services.realtime.audio import LoopLoader

AUDIO = Path(__file__).parents[2] / "golden" / "audio"


@pytest.mark.parametrize("name", ["mix-44100-mono.aac", "mix-48000-stereo.aac"])
def test_aac_is_a_loop(name: str) -> None:
    loop = LoopLoader().load(AUDIO / name, limit_s=240)

    assert loop.shape[1] == 2
    assert len(loop) % 9600 == 0
    assert np.abs(loop).max() > 0.1


def test_the_centre_of_five_channels_and_one_is_heard(tmp_path: Path) -> None:
    frames = np.zeros((48_000, 6), np.float32)
    frames[:, 2] = 0.5
    soundfile.write(tmp_path / "surround.wav", frames, 48_000, subtype="FLOAT")

    loop = LoopLoader().load(tmp_path / "surround.wav", limit_s=240)

    assert loop == pytest.approx(np.full((48_000, 2), 0.5 * 2**-0.5), abs=1e-6)


def test_no_more_is_read_than_asked_for(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", np.zeros((144_000, 1)), 48_000)

    assert LoopLoader().load(tmp_path / "long.wav", limit_s=2).shape == (96_000, 2)
