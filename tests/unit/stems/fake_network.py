"""A network without torch: its sources are shares of what it is given."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
SHARES = (0.5, 0.25, 0.125, 0.125)


@dataclass(slots=True, eq=False)
class FakeNetwork:
    """Gives each source its share of the mix; windows of which `fails` says so raise what it gives."""

    segment_frames: int = 1000
    batch_sizes: tuple[int, ...] = (1, 2, 4, 8)
    sources: tuple[str, ...] = ("drums", "bass", "other", "vocals")
    rate_hz: int = 44100
    channels: int = 2
    device: str = "cpu"
    memory_bytes: int = 1 << 20
    bytes_per_window: int = 1 << 20
    fails: Callable[[Float32], Exception | None] = lambda _: None
    gate: threading.Semaphore | None = None  # a forward waits for it
    batches: list[list[float]] = field(default_factory=list)  # first value of each window
    entered: threading.Event = field(default_factory=threading.Event)

    def peak_bytes(self, batch: int) -> int:
        return batch * self.bytes_per_window

    def valid_frames(self, frames: int) -> int:
        del frames
        return self.segment_frames

    def forward(self, windows: Float32, bucket: int = 0) -> Float32:
        del bucket
        self.batches.append([float(window[0, 0]) for window in windows])
        self.entered.set()
        if self.gate is not None:
            self.gate.acquire()
        if failure := self.fails(windows):
            raise failure
        shares = np.array(SHARES[: len(self.sources)], np.float32)
        out: Float32 = windows[:, None] * shares[None, :, None, None]
        out[~np.isfinite(out).all(axis=(1, 2, 3))] = np.nan
        return out
