"""Runs separation jobs in a worker process."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chassis.jobs import JobRunner
from chassis.logs import get_logger
from services.stems.domain import ModelUnusable, Progress, Separation
from services.stems.use_cases import SeparationWork

log = get_logger(__name__)

_LOOK_S = 1.0
# Where Linux says how much memory a container may take: cgroups version 2 and 1.
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

# Decoding, signal processing and encoding of one job at 48 kHz, and the process that decodes: measured, rounded up.
_STUB_JOB_BYTES = 160 << 20


def handler(work: SeparationWork, read: Callable[[Any], Separation]) -> Callable[[Any, Progress], None]:
    """What the runner calls with each claimed row."""

    def handle(row: Any, progress: Progress) -> None:
        work.perform(read(row), progress)

    return handle


def _end_process() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@dataclass(slots=True)
class Worker:
    """Runs jobs; ends the process when an engine's device is lost to it, and closes engines after the last job.

    Args:
        jobs: Runs them.
        engines: What they run on.
        end: Asks the process to end, so that another takes its place.
    """

    jobs: JobRunner[Any]
    engines: Sequence[object]
    end: Callable[[], None] = _end_process
    _stopped: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin."""
        self.jobs.start()
        threading.Thread(target=self._watch, name="engines", daemon=True).start()

    def stop(self, grace_s: float) -> None:
        """Claim no more, let running jobs end within the time, hand the rest back, and let the engines go."""
        self._stopped.set()
        self.jobs.stop(grace_s)
        for engine in self.engines:
            if (close := getattr(engine, "close", None)) is not None:
                close()

    def check(self) -> None:
        """Nothing while every engine works, else `ModelUnusable`."""
        if any(getattr(engine, "is_broken", False) for engine in self.engines):
            raise ModelUnusable("the device answers nothing any more; this worker ends so that another takes its place")

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOK_S):
            try:
                self.check()
            except ModelUnusable as error:
                log.error("device_lost", error=str(error))
                self.end()
                return

    def run_until_idle(self, timeout_s: float) -> bool:
        """Whether no job waits and none runs here, in time."""
        return self.jobs.run_until_idle(timeout_s)


def own_folder(root: Path) -> Path:
    """A folder for this process's running work; what killed workers left under the root is removed."""
    root.mkdir(parents=True, exist_ok=True)
    for left in root.iterdir():
        if left.name.isdigit() and not _is_alive(int(left.name)):
            shutil.rmtree(left, ignore_errors=True)
    mine = root / str(os.getpid())
    shutil.rmtree(mine, ignore_errors=True)
    mine.mkdir()
    return mine


def memory_budget(declared_bytes: int, limits: Sequence[Path] = _LIMITS) -> int:
    """Resident bytes that this process and its children keep below.

    Args:
        declared_bytes: What the operator says; 0 leaves a quarter of the container's limit free, for what the kernel
            counts there besides, and takes the same part of half the machine's memory where there is no limit.
        limits: Files of which the first that holds a number is the container's limit.
    """
    if declared_bytes:
        return declared_bytes
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in limits:
        with suppress(OSError, ValueError):
            limit = int(path.read_text())
            if limit < machine:  # version 1 writes a huge number for none
                return limit * 3 // 4
    return machine // 2 * 3 // 4


def slots_within(slots: int, budget_bytes: int, held_bytes: int) -> int:
    """How many jobs the stub may run at once beside what the process holds already: one at least."""
    return max(1, min(slots, (budget_bytes - held_bytes) // _STUB_JOB_BYTES))


def _is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        # Signal 0 only asks; a foreign process answers with PermissionError and lives.
        with suppress(PermissionError):
            os.kill(pid, 0)
        return True
    return False
