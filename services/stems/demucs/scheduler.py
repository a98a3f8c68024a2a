"""One thread that owns the device and runs the windows of all jobs in batches."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from chassis.clock import Clock, SystemClock
from chassis.errors import ResourceExhausted, Unavailable
from chassis.logs import get_logger
from services.stems.demucs.admission import stopping
from services.stems.demucs.ports import DeviceMemoryExhausted, Network
from services.stems.demucs.queues import Batch, JobQueue, Segment, Turns
from services.stems.domain import Float32, Priority

log = get_logger(__name__)

# A batch job that waits behind interactive ones has a turn this often; a window takes about 2 s on two cores.
_AGEING_S = 10.0
# How often a job waits for memory of the device before it fails, and how long the first time.
_STRIKES = 4
_PAUSE_S = 0.5
# How long batches stay smaller after the device had no room.
_CAUTION_S = 60.0


class Observer(Protocol):
    """Is told what the device does."""

    def batch_done(self, waits_s: Sequence[tuple[Priority, float]]) -> None:
        """A batch has run; by window, whose it was and how long it had waited."""


class Job:
    """One job's way to the device; closing it drops what still waits."""

    def __init__(self, scheduler: Scheduler, queue: JobQueue) -> None:
        self._scheduler, self._queue = scheduler, queue

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *_: object) -> None:
        self._scheduler.leave(self._queue)

    def submit(self, segment: Segment) -> None:
        """Hand in a segment; those of one network come back in this order."""
        self._scheduler.submit(self._queue, segment)

    def collect(self, timeout_s: float) -> tuple[Any, Float32] | None:
        """A segment's tag and its wanted sources, (n_sources, n_channels, n_frames); None when there is none yet.

        Raises:
            ResourceExhausted: The device had no memory for it for a while.
            Unavailable: The scheduler was closed, or the device is broken.
            ForwardFailed: The network raised on it.
        """
        return self._scheduler.collect(self._queue, timeout_s)

    def tell_emitted(self) -> None:
        """Its first sound is out: batches may grow."""
        self._queue.has_emitted = True


class ForwardFailed(RuntimeError):
    """A network raised on a segment that it ran by itself."""


class Scheduler:
    """Batches the segments of all jobs; `close` ends its thread.

    Args:
        observer: Is told of every batch, in the scheduler's thread.
        clock: For waiting times.
        ageing_s: How often a batch job has a turn while interactive jobs keep the device busy.
    """

    def __init__(
        self, observer: Observer | None = None, clock: Clock | None = None, *, ageing_s: float = _AGEING_S
    ) -> None:
        self._observer, self._clock = observer, clock or SystemClock()
        self._turns = Turns(ageing_s)
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._jobs: list[JobQueue] = []
        self._allowed: dict[int, int] = {}  # batch size by network
        self._cautious: dict[int, tuple[int, float]] = {}  # the same, and until when
        self._is_closed = False
        self.is_broken = False  # the device failed on silence, and has done nothing since
        self._thread = threading.Thread(target=self._run, name="stems-device", daemon=True)
        self._thread.start()

    def open(self, priority: Priority, *, is_pinned: bool = False) -> Job:
        """A new job; a pinned one always runs at the smallest batch size and by itself."""
        with self._lock:
            job = JobQueue(priority, is_pinned, threading.Condition(self._lock))
            self._jobs.append(job)
        return Job(self, job)

    def limit(self, network: Network, batch: int) -> None:
        """Run no more windows of the network at once; 0 when it goes, and no job uses it."""
        with self._lock:
            if batch:
                self._allowed[id(network)] = batch
            else:
                self._allowed.pop(id(network), None)
                self._cautious.pop(id(network), None)

    def close(self) -> None:
        """End the thread after the batch that runs; jobs that are left fail with `Unavailable`."""
        with self._lock:
            self._is_closed = True
            for job in self._jobs:
                _fail(job, stopping())
            self._work.notify_all()
        self._thread.join()

    def submit(self, job: JobQueue, segment: Segment) -> None:
        """See `Job.submit`."""
        with self._lock:
            if self._is_closed:
                _fail(job, stopping())
                return
            now_s = self._clock.monotonic()
            if not job.waiting:
                self._turns.join(job, now_s)
            job.waiting.append((now_s, segment))
            self._work.notify()

    def collect(self, job: JobQueue, timeout_s: float) -> tuple[Any, Float32] | None:
        """See `Job.collect`."""
        with self._lock:
            if not job.results and job.failure is None:
                job.news.wait(timeout_s)
            if job.failure is None and not self._thread.is_alive():
                job.failure = stopping()
            if job.failure is not None:
                raise job.failure
            return job.results.popleft() if job.results else None

    def leave(self, job: JobQueue) -> None:
        """The job is over."""
        with self._lock:
            job.is_closed = True
            job.waiting.clear()
            job.results.clear()
            if job in self._jobs:
                self._jobs.remove(job)
            self._work.notify()

    def _run(self) -> None:
        while batch := self._next():
            try:
                self._perform(batch)
            except Exception as error:
                # The thread lives on for the other jobs, and theirs tell what happened.
                with self._lock:
                    for job, _, _ in batch:
                        _fail(job, _forward_failed(error))
            del batch

    def _next(self) -> Batch:
        with self._lock:
            while not self._is_closed:
                now_s = self._clock.monotonic()
                if batch := self._turns.pick(self._jobs, self._limits(now_s), now_s):
                    return batch
                # Jobs that wait for memory are looked at again by themselves.
                self._work.wait(_PAUSE_S / 2 if any(job.waiting for job in self._jobs) else None)
        return []

    def _limits(self, now_s: float) -> dict[int, int]:
        cautious = {network: size for network, (size, until_s) in self._cautious.items() if until_s > now_s}
        return self._allowed | {
            network: min(size, self._allowed.get(network, size)) for network, size in cautious.items()
        }

    def _perform(self, batch: Batch) -> None:
        began_s = self._clock.monotonic()
        network = batch[0][2].network
        try:
            frames = [segment.frames for _, _, segment in batch]
            out = network.forward(np.stack(frames) if len(frames) > 1 else frames[0][None])
        except DeviceMemoryExhausted as error:
            self._without_memory(batch, error)
        except Exception as error:
            self._without_result(batch, error)
        else:
            self.is_broken = False
            self._deliver(batch, out, is_kept=len(batch) == 1 and network.device == "cpu")
            self._tell([(job.priority, began_s - since_s) for job, since_s, _ in batch])

    def _tell(self, waits_s: Sequence[tuple[Priority, float]]) -> None:
        try:
            if self._observer is not None:
                self._observer.batch_done(waits_s)
        except Exception as error:  # the batch is done all the same
            log.error("batch_not_observed", error=repr(error))

    def _deliver(self, batch: Batch, out: Float32, *, is_kept: bool) -> None:
        made = []
        for (_, _, segment), sources in zip(batch, out, strict=True):
            every = segment.wanted == tuple(range(len(sources)))
            part = sources if every else sources[list(segment.wanted)]
            # A job may be slow to take its windows: none may hold the memory of a whole batch.
            made.append(part if is_kept or not every else part.copy())
        with self._lock:
            for (job, _, segment), sources in zip(batch, made, strict=True):
                job.done_count += 1
                job.strikes = 0
                if not job.is_closed:
                    job.results.append((segment.tag, sources))
                    job.news.notify()

    def _without_memory(self, batch: Batch, error: DeviceMemoryExhausted) -> None:
        """Try again with fewer at once, and at the smallest size later."""
        network = batch[0][2].network
        smaller = [size for size in network.batch_sizes if size < len(batch)]
        log.warning("device_memory_exhausted", batch=len(batch), error=str(error))
        now_s = self._clock.monotonic()
        with self._lock:
            if smaller:
                self._cautious[id(network)] = (smaller[-1], now_s + _CAUTION_S)
            for job in {id(job): job for job, _, _ in batch}.values():
                job.back((since_s, segment) for owner, since_s, segment in batch if owner is job)
                if job.is_closed:
                    job.waiting.clear()
                elif not smaller:
                    self._strike(job, error, now_s)

    def _strike(self, job: JobQueue, error: DeviceMemoryExhausted, now_s: float) -> None:
        job.strikes += 1
        job.not_before_s = now_s + _PAUSE_S * job.strikes
        if job.strikes >= _STRIKES:
            failure = ResourceExhausted(
                "the device has no memory for a single window; give the worker more, or stop what else uses it"
            )
            failure.__cause__ = error
            _fail(job, failure)

    def _without_result(self, batch: Batch, error: Exception) -> None:
        """Only a window that fails by itself fails its job."""
        if len(batch) > 1:
            log.warning("batch_repeated_one_by_one", batch=len(batch), error=repr(error))
            for place in batch:
                if not place[0].is_closed:
                    self._perform([place])
            return
        job, _, segment = batch[0]
        self.is_broken = not self._runs_silence(segment.network)
        with self._lock:
            _fail(job, _broken(error) if self.is_broken else _forward_failed(error))

    def _runs_silence(self, network: Network) -> bool:
        """Whether the network runs at all, at its ordinary length: if not, no job is at fault."""
        shape = (1, network.channels, network.valid_frames(network.segment_frames))
        try:
            network.forward(np.zeros(shape, np.float32))
        except DeviceMemoryExhausted:
            return True
        except Exception as error:
            log.error("device_broken", device=network.device, error=repr(error))
            return False
        return True


def _broken(error: Exception) -> Unavailable:
    failure = Unavailable("the device of this worker fails on everything; it needs a new process", retry_after_s=30)
    failure.__cause__ = error
    return failure


def _forward_failed(error: Exception) -> ForwardFailed:
    failure = ForwardFailed(f"the network raised {type(error).__name__} on a window")
    failure.__cause__ = error
    return failure


def _fail(job: JobQueue, failure: Exception) -> None:
    job.failure = job.failure or failure
    job.waiting.clear()
    job.news.notify_all()
