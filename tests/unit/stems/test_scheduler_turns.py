"""Whose windows the device runs next."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from services.stems.demucs.queues import JobQueue, Segment, Turns
from services.stems.domain import Priority
from tests.unit.stems.fake_network import FakeNetwork

NETWORK = FakeNetwork()
BATCH, INTERACTIVE = Priority.BATCH, Priority.INTERACTIVE


def queue(
    priority: Priority = BATCH,
    count: int = 100,
    *,
    network: FakeNetwork = NETWORK,
    emitted: bool = True,
    pinned: bool = False,
    served: float = 0,
) -> JobQueue:
    made = JobQueue(priority, pinned, threading.Condition(), served=served, has_emitted=emitted)
    made.waiting.extend((0.0, Segment(network, np.zeros((2, 1000), np.float32), (0,), place)) for place in range(count))
    return made


def picked(turns: Turns, jobs: Sequence[JobQueue], *, largest: int = 8, now_s: float = 0.0) -> list[int]:
    """The places of the jobs in the next batch."""
    batch = turns.pick(jobs, {id(NETWORK): largest}, now_s)
    return [jobs.index(job) for job, _, _ in batch]


def test_nothing_waits_and_nothing_runs() -> None:
    assert picked(Turns(10), [queue(count=0)]) == []


def test_interactive_jobs_go_before_batch_jobs() -> None:
    jobs = [queue(BATCH), queue(INTERACTIVE, 2), queue(BATCH)]
    turns = Turns(10)

    assert [picked(turns, jobs, largest=1) for _ in range(3)] == [[1], [1], [0]]


def test_a_batch_is_filled_with_interactive_windows_first() -> None:
    jobs = [queue(BATCH), queue(INTERACTIVE, 3)]

    assert picked(Turns(10), jobs, largest=4) == [1, 1, 1, 0]


def test_jobs_of_a_class_share_the_device_window_by_window() -> None:
    jobs = [queue(), queue(), queue()]
    turns = Turns(10)

    first, then = picked(turns, jobs, largest=4), [picked(turns, jobs, largest=1) for _ in range(5)]

    assert first == [0, 1, 2, 0]
    assert then == [[1], [2], [0], [1], [2]]


def test_the_least_served_job_is_next() -> None:
    jobs = [queue(served=5), queue(served=3)]
    turns = Turns(10)

    assert [picked(turns, jobs, largest=1)[0] for _ in range(6)] == [1, 1, 0, 1, 0, 1]


def test_a_batch_never_has_padding() -> None:
    jobs = [queue(count=7)]
    turns = Turns(10)

    assert [len(picked(turns, jobs)) for _ in range(4)] == [4, 2, 1, 0]


def test_a_batch_job_that_has_waited_long_has_a_turn_in_between() -> None:
    jobs = [queue(INTERACTIVE), queue(BATCH)]
    turns = Turns(10)

    order = [picked(turns, jobs, largest=1, now_s=float(now_s))[0] for now_s in range(0, 24)]

    assert [now_s for now_s, place in enumerate(order) if place == 1] == [10, 20]


def test_many_batch_jobs_that_have_waited_long_leave_every_second_turn() -> None:
    jobs = [queue(INTERACTIVE), *(queue(BATCH) for _ in range(30))]
    turns = Turns(10)

    order = [picked(turns, jobs, largest=1, now_s=50 + now_s)[0] for now_s in range(20)]

    assert order[1::2] == [0] * 10
    assert len(set(order[::2])) == 10


def test_batches_grow_until_an_interactive_job_has_sounded() -> None:
    job = queue(INTERACTIVE, emitted=False)
    turns = Turns(10)
    sizes = []
    for done in (0, 1, 3, 7):
        job.done_count = done
        sizes.append(len(picked(turns, [job, queue(BATCH)])))

    job.has_emitted, job.done_count = True, 1

    assert [*sizes, len(picked(turns, [job]))] == [1, 2, 4, 8, 8]


def test_batch_jobs_alone_are_not_held_back() -> None:
    assert len(picked(Turns(10), [queue(BATCH, emitted=False)])) == 8


def test_only_windows_of_one_network_and_length_run_together() -> None:
    other = FakeNetwork()
    jobs = [queue(count=1), queue(network=other), queue(count=1)]
    jobs[2].waiting[0] = (0.0, Segment(NETWORK, np.zeros((2, 500), np.float32), (0,), 0))
    turns = Turns(10)

    assert [picked(turns, jobs) for _ in range(3)] == [[0], [1] * 8, [2]]


def test_a_pinned_job_runs_by_itself_at_the_smallest_size() -> None:
    jobs = [queue(pinned=True), queue(), queue()]
    turns = Turns(10)

    assert [picked(turns, jobs), picked(turns, jobs, largest=4)] == [[0], [1, 2, 1, 2]]


def test_a_job_that_waits_for_memory_is_passed_over() -> None:
    jobs = [queue(), queue()]
    jobs[0].not_before_s = 5.0
    turns = Turns(10)

    assert [set(picked(turns, jobs, now_s=now_s)) for now_s in (0, 6)] == [{1}, {0}]


def test_a_job_that_wanted_nothing_for_a_while_does_not_catch_up() -> None:
    busy, idle = queue(count=400), queue(count=0)
    turns = Turns(10)
    for _ in range(200):
        picked(turns, [busy, idle], largest=1)
    idle.waiting.extend(queue(count=50).waiting)

    turns.join(idle, 0.0)

    places = [picked(turns, [busy, idle], largest=1)[0] for _ in range(10)]
    assert sorted(places[:2]) == [0, 1]
    assert places.count(1) in {5, 6}
