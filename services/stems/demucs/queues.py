"""Windows that wait for the device, and whose turn it is."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.stems.demucs.ports import Network
from services.stems.domain import Float32, Priority


@dataclass(frozen=True, slots=True)
class Segment:
    """A window of a job for one network."""

    network: Network
    frames: Float32  # (n_channels, n_frames), at the network's rate and level
    wanted: tuple[int, ...]  # indices of the network's sources
    tag: Any  # for the job to know it again

    @property
    def kind(self) -> tuple[int, int]:
        """What segments of one batch have in common."""
        return id(self.network), self.frames.shape[1]


@dataclass(slots=True, eq=False)
class JobQueue:
    """What one job has handed in and not got back; guarded by the scheduler's lock."""

    priority: Priority
    is_pinned: bool
    news: threading.Condition
    served: float = 0.0  # windows, as if it had been there from the first
    done_count: int = 0
    has_emitted: bool = False
    is_closed: bool = False
    strikes: int = 0
    not_before_s: float = 0.0
    turn_s: float = 0.0  # when it had its last turn, or began to wait
    waiting: deque[tuple[float, Segment]] = field(default_factory=deque)
    results: deque[tuple[Any, Float32]] = field(default_factory=deque)
    failure: Exception | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether somebody waits for the first sound of it."""
        return self.priority is Priority.INTERACTIVE and not self.has_emitted

    def back(self, segments: Iterable[tuple[float, Segment]]) -> None:
        """Put segments to the front again, in their order."""
        self.waiting.extendleft(reversed(list(segments)))


# The jobs of a batch and their segments, each with the time at which it was handed in.
Batch = list[tuple[JobQueue, float, Segment]]


@dataclass(slots=True)
class Turns:
    """Decides what runs next: by priority, within it who had least; who waits too long has a turn in between."""

    ageing_s: float
    _was_aged: bool = False
    _come_to: dict[Priority, float] = field(default_factory=dict)  # the most that a job had when its turn came

    def join(self, job: JobQueue, now_s: float) -> None:
        """A job wants something again: time in which it wanted nothing is not saved up."""
        job.turn_s = now_s
        job.served = max(job.served, self._come_to.get(job.priority, 0.0))

    def pick(self, jobs: Sequence[JobQueue], largest: dict[int, int], now_s: float) -> Batch:
        """The next batch, taken off the queues; empty when nothing can run now.

        Args:
            jobs: All of them.
            largest: Batch size that a network may have for now, by its id; others go up to their largest.
            now_s: Time on the scheduler's clock.
        """
        able = [job for job in jobs if job.waiting and job.not_before_s <= now_s]
        if not able:
            return []
        able.sort(key=lambda job: (-job.priority, job.served))
        head = self._aged(able, now_s) or able[0]
        segment = head.waiting[0][1]
        limit = self._limit(head, segment.network, largest, jobs)
        order = [head, *(job for job in able if job is not head)]
        places = _dealt(order, segment.kind, limit, alone=head.is_pinned)
        sizes = [size for size in segment.network.batch_sizes if size <= len(places)]
        return self._taken(places[: max(sizes, default=len(places))], now_s)

    def _aged(self, able: Sequence[JobQueue], now_s: float) -> JobQueue | None:
        """The one that has waited longest and too long; no two such turns while somebody of a higher class waits."""
        behind = [job for job in able if job.priority < able[0].priority and now_s - job.turn_s >= self.ageing_s]
        if not behind or self._was_aged:
            self._was_aged = False
            return None
        self._was_aged = True
        return min(behind, key=lambda job: job.turn_s)

    def _limit(self, head: JobQueue, network: Network, largest: dict[int, int], jobs: Sequence[JobQueue]) -> int:
        if head.is_pinned:
            return network.batch_sizes[0]
        limit = largest.get(id(network), network.batch_sizes[-1])
        # A large batch would delay the first sound: 1 window, then 2, 4 and so on until there is one.
        ramps = [max(1, 2 * job.done_count) for job in jobs if job.is_fresh and job.waiting]
        return max(1, min([limit, *ramps]))

    def _taken(self, places: Sequence[JobQueue], now_s: float) -> Batch:
        batch = []
        for job in places:
            job.turn_s = now_s
            self._come_to[job.priority] = max(self._come_to.get(job.priority, 0.0), job.served)
            job.served += 1
            since_s, segment = job.waiting.popleft()
            batch.append((job, since_s, segment))
        return batch


def _dealt(order: Sequence[JobQueue], kind: tuple[int, int], limit: int, *, alone: bool) -> list[JobQueue]:
    """Whose segments fill the places of a batch: the first job has one, then who had least, higher classes first."""
    fitting = [order[0]] if alone else [job for job in order if not job.is_pinned]
    left = [_run_length(job, kind, limit) for job in fitting]
    served = [job.served for job in fitting]
    places: list[JobQueue] = []
    able = [0]
    while able and len(places) < limit:
        index = min(able, key=lambda index: (-fitting[index].priority, served[index]))
        places.append(fitting[index])
        left[index] -= 1
        served[index] += 1
        able = [index for index, count in enumerate(left) if count]
    return places


def _run_length(job: JobQueue, kind: tuple[int, int], limit: int) -> int:
    count = 0
    for _, segment in job.waiting:
        if segment.kind != kind or count == limit:
            break
        count += 1
    return count
