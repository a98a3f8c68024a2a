"""Many jobs, faults and ends at random: who is not meant gets every frame as it should be."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.stems.demucs.mixes import Level, MixReader
from services.stems.demucs.passes import Pass, Run, windows_ahead
from services.stems.demucs.ports import DeviceMemoryExhausted
from services.stems.demucs.scheduler import ForwardFailed, Scheduler
from services.stems.domain import Priority, Recording, SeparationInputNotFinite
from tests.unit.stems.fake_network import FakeNetwork

Float32 = npt.NDArray[np.float32]
JOBS = 120
POISON = np.float32(1000)


class Faulty(FakeNetwork):
    """Has no memory now and then, and raises on poison."""

    draw = random.Random(1)
    lock = threading.Lock()

    def forward(self, windows: Float32, bucket: int = 0) -> Float32:
        with self.lock:
            is_full = len(windows) > 4 and self.draw.random() < 0.3
        if is_full:
            raise DeviceMemoryExhausted("full")
        if (windows == POISON).any():
            raise ValueError("poison")
        return super().forward(windows, bucket)


def outcome(scheduler: Scheduler, networks: list[FakeNetwork], index: int, folder: Path) -> str:
    """What becomes of one job; its number decides what is wrong with it."""
    draw = random.Random(index)
    frame_count = draw.randint(1, 30_000)
    frames = np.random.default_rng(index).standard_normal((frame_count, 2)).astype(np.float32)
    kind = draw.choice(["well", "well", "well", "poison", "nan", "leaves"])
    if kind == "poison":
        frames[draw.randrange(frame_count)] = POISON
    path = folder / f"{index}.f32"
    frames.tofile(path)
    if kind == "nan":
        frames[draw.randrange(frame_count)] = np.nan
        frames.tofile(path)
    passes = tuple(Pass(place, -draw.randint(0, 500), {"drums": 0.5}) for place in range(2))
    overlap = draw.choice([0.0, 0.25, 0.6])
    run = Run(passes, dict(enumerate(networks)), ("drums",), frame_count=frame_count, overlap=overlap, scale=1.0)
    made = []
    priority = draw.choice([Priority.BATCH, Priority.INTERACTIVE])
    mix = MixReader(Recording(path, 44100, 2, frame_count), Level(0.0, 1.0), 2)
    with closing(mix), scheduler.open(priority, is_pinned=draw.random() < 0.2) as job:
        stretches = run.stretches(job, mix, windows_ahead(8), 5.0)
        try:
            for stretch in stretches:
                if stretch:
                    made.append(stretch["drums"])
                if kind == "leaves" and draw.random() < 0.3:
                    return "leaves"
        except (ForwardFailed, SeparationInputNotFinite) as error:
            return f"{kind} {type(error).__name__}"
    is_right = np.abs(np.concatenate(made) - 0.5 * frames).max() <= 1e-5
    return "well" if is_right and kind in {"well", "leaves"} else f"{kind} wrong"


def test_jobs_are_right_whatever_happens_to_others(tmp_path: Path) -> None:
    scheduler = Scheduler(ageing_s=0.01)
    networks: list[FakeNetwork] = [Faulty(segment_frames=1000), Faulty(segment_frames=700)]

    with ThreadPoolExecutor(12) as threads:
        ends = list(threads.map(lambda index: outcome(scheduler, networks, index, tmp_path), range(JOBS)))

    scheduler.close()
    assert set(ends) == {"well", "leaves", "poison ForwardFailed", "nan SeparationInputNotFinite"}
    assert max(max(map(len, network.batches)) for network in networks) >= 4
    assert not scheduler._jobs
