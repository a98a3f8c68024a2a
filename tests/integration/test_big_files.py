"""A gigabyte goes in and comes out again while every process stays small."""

from __future__ import annotations

import hashlib
import wave
from pathlib import Path

import pytest

from tests.house import House
from tests.sizes import Watch, grown, sizes
from tonewright_client import ArtistHandle

pytestmark = pytest.mark.target("embedded", "backends")  # reads the sizes of processes
GIB = 1 << 30
ALLOWED_GROWTH_MIB = 64


def test_a_gigabyte_up_and_down_keeps_every_process_small(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    source = _big_wav(tmp_path / "big.wav", GIB)
    idle = sizes(house)
    watch = Watch(house)

    asset = artist.assets.upload(source)
    back = artist.assets.download(asset["name"], tmp_path / "back.wav")

    growth = grown(idle, watch.stop())
    assert max(growth.values()) <= ALLOWED_GROWTH_MIB, growth
    assert back.stat().st_size == source.stat().st_size
    assert _sha256(back) == asset["sha256"]


def _big_wav(path: Path, size_bytes: int) -> Path:
    """Noise-like samples that no file system stores for nothing; under 4 GiB, so a plain WAV header holds."""
    block = hashlib.shake_256(b"tonewright").digest(1 << 20)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        for _ in range(size_bytes >> 20):
            file.writeframesraw(block)
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
