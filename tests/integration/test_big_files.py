"""A gigabyte goes in and comes out again while every process stays small."""

from __future__ import annotations

import hashlib
import threading
import time
import wave
from pathlib import Path

import psutil
import pytest

from tests.house import House
from tonewright_client import ArtistHandle

pytestmark = pytest.mark.target("embedded", "backends")  # reads the sizes of processes
GIB = 1 << 30
ALLOWED_GROWTH = 64 << 20


def test_a_gigabyte_up_and_down_keeps_every_process_small(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    source = _big_wav(tmp_path / "big.wav", GIB)
    idle = _sizes(house)
    watch = _Watch(house)

    asset = artist.assets.upload(source)
    back = artist.assets.download(asset["name"], tmp_path / "back.wav")

    peaks = watch.stop()
    grown = {name: peaks[name] - idle[name] for name in idle if peaks.get(name, 0) - idle[name] > ALLOWED_GROWTH}
    assert not grown, {name: f"{size / 2**20:.0f} MiB" for name, size in grown.items()}
    assert back.stat().st_size == source.stat().st_size
    assert _sha256(back) == asset["sha256"]


class _Watch:
    """Keeps the largest resident size of each process, children counted with it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._peaks: dict[str, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> dict[str, int]:
        self._ended.set()
        self._thread.join()
        return self._peaks

    def _look(self) -> None:
        while not self._ended.is_set():
            for name, size in _sizes(self._house).items():
                self._peaks[name] = max(size, self._peaks.get(name, 0))
            time.sleep(0.1)


def _sizes(house: House) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for name, process in house.processes().items():
        try:
            sizes[name] = process.memory_info().rss
        except psutil.NoSuchProcess:
            pytest.fail(f"{name} ended")
    return sizes


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
