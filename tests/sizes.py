"""How large the processes of a house are, and how large they became."""

from __future__ import annotations

import threading
import time

import psutil
import pytest

from tests.house import House


def sizes(house: House) -> dict[str, int]:
    """Resident bytes of each process."""
    found: dict[str, int] = {}
    for name, process in house.processes().items():
        try:
            found[name] = process.memory_info().rss
        except psutil.NoSuchProcess:
            pytest.fail(f"{name} ended")
    return found


class Watch:
    """Keeps the largest resident size of each process until it is stopped."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._peaks: dict[str, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> dict[str, int]:
        """The peaks in bytes, by process."""
        self._ended.set()
        self._thread.join()
        return self._peaks

    def _look(self) -> None:
        while not self._ended.is_set():
            for name, size in sizes(self._house).items():
                self._peaks[name] = max(size, self._peaks.get(name, 0))
            time.sleep(0.1)


def grown(idle: dict[str, int], peaks: dict[str, int]) -> dict[str, float]:
    """By how many MiB each process grew."""
    return {name: max(0, peaks.get(name, 0) - size) / (1 << 20) for name, size in idle.items()}
