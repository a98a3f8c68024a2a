"""The demucs package and this repository's engine, each in a process of its own, given the same recordings."""

from __future__ import annotations

import functools
import multiprocessing
import resource
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
MODEL = "random"


@dataclass(frozen=True, slots=True)
class Setup:
    """What both contenders are made of."""

    models: Path  # folder with the model called MODEL
    device: str
    precision: str
    runtime: str
    threads: int
    segments: int  # the most that a contender holds of separations at once


@dataclass(frozen=True, slots=True)
class Job:
    """Recordings to separate at once; float32 frames in files, (n_frames, 2) at 44,100 Hz."""

    mixes: tuple[Path, ...]
    is_pinned: bool = False  # one window at a time
    keep: Path | None = None  # takes the first recording's sources, (sources, n_frames, 2)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run took."""

    cpu_s: float
    wall_s: float
    first_s: float  # until the first stretch of any recording was there


class Contender:
    """One of the two in its own process."""

    def __init__(self, name: str, setup: Setup) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, name, setup), daemon=True)
        self._process.start()
        self.load_s: float = self._line.recv()

    def run(self, job: Job) -> Figures:
        """Let it do the job."""
        self._line.send(job)
        figures: Figures = self._line.recv()
        return figures

    def close(self) -> Mapping[str, float]:
        """End it; gives the most memory that it had, in MiB, by device."""
        self._line.send(None)
        peaks: Mapping[str, float] = self._line.recv()
        self._process.join()
        return peaks


def _serve(line: Connection, name: str, setup: Setup) -> None:
    import torch

    torch.set_num_threads(setup.threads)
    began_s = time.perf_counter()
    perform = _ours(setup) if name == "ours" else _theirs(setup)
    line.send(time.perf_counter() - began_s)
    while (job := line.recv()) is not None:
        line.send(_timed(perform, job))
    peaks = {"cpu": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    if torch.cuda.is_available() and setup.device.startswith("cuda"):
        peaks["cuda"] = torch.cuda.max_memory_reserved() / (1 << 20)
    line.send(peaks)


def _timed(perform: Callable[[Job, Callable[[], None]], Float32], job: Job) -> Figures:
    firsts: list[float] = []
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    first = perform(job, lambda: firsts.append(time.perf_counter()))
    now_s, cpu_now_s = time.perf_counter(), time.process_time()
    if job.keep is not None:
        np.save(job.keep, first)
    return Figures(cpu_now_s - cpu_s, now_s - wall_s, min(firsts) - wall_s)


def _theirs(setup: Setup) -> Callable[[Job, Callable[[], None]], Float32]:
    """The demucs package: one recording after another, which is its way."""
    import torch
    from demucs.apply import apply_model

    from services.stems.demucs.mounted import find_models
    from services.stems.demucs.network_weights import load_module

    network: Any = load_module(find_models(setup.models)[MODEL].networks[0], None).to(setup.device)
    torch.backends.cudnn.allow_tf32 = setup.precision != "float32"

    def perform(job: Job, tell_first: Callable[[], None]) -> Float32:
        made = []
        for path in job.mixes:
            mix = torch.from_numpy(np.fromfile(path, np.float32).reshape(-1, 2).T.copy())
            middle = mix.mean(0)
            mean, deviation = middle.mean(), middle.std() + 1e-8
            given = ((mix - mean) / deviation)[None]
            out = apply_model(network, given, shifts=0, split=True, overlap=0.25, device=setup.device)[0] * deviation
            out[list(network.sources).index("other")] += mean
            tell_first()
            made.append(out)
        return made[0].transpose(1, 2).numpy()

    return perform


def _ours(setup: Setup) -> Callable[[Job, Callable[[], None]], Float32]:
    """The service's engine: all recordings at once."""
    from services.stems.demucs.engine import DemucsEngine
    from services.stems.demucs.mounted import find_models
    from services.stems.demucs.network import load_network
    from services.stems.domain import Parameters, Priority, Recording, Task

    mounted = find_models(setup.models)
    load = functools.partial(load_network, runtime=setup.runtime)
    engine = DemucsEngine(
        mounted, setup.device, setup.precision, memory_budget_bytes=64 << 30, slots=setup.segments, load=load
    )
    engine.load(MODEL)
    model = mounted[MODEL].model

    def separate(path: Path, is_pinned: bool, tell_first: Callable[[], None], into: list[Float32]) -> None:
        mix = Recording(path, 44100, 2, path.stat().st_size // 8)
        parameters = Parameters(deterministic=is_pinned)
        task = Task(mix, model, model.sources, parameters, Priority.INTERACTIVE, path.parent)
        out = np.empty((len(model.sources), mix.frame_count, 2), np.float32)
        done = 0
        blocks: Any = engine.separate(task)
        with closing(blocks):
            for block in blocks:
                for index, name in enumerate(block):
                    out[index, done : done + len(block[name])] = block[name]
                if block:
                    done += len(next(iter(block.values())))
                    tell_first()
        into.append(out)

    def perform(job: Job, tell_first: Callable[[], None]) -> Float32:
        made: list[list[Float32]] = [[] for _ in job.mixes]
        threads = [
            threading.Thread(target=separate, args=(path, job.is_pinned, tell_first, into))
            for path, into in zip(job.mixes, made, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return made[0][0]

    return perform


def least(runs: Sequence[Figures]) -> Figures:
    """The smallest of each figure."""
    return Figures(min(run.cpu_s for run in runs), min(run.wall_s for run in runs), min(run.first_s for run in runs))
