"""One device for all jobs: what one of them does or suffers does not reach the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from chassis.errors import ResourceExhausted, Unavailable
from chassis.testing.clock import FakeClock
from services.stems.demucs.ports import DeviceMemoryExhausted
from services.stems.demucs.queues import Segment
from services.stems.demucs.scheduler import ForwardFailed, Job, Scheduler
from services.stems.domain import Priority
from tests.unit.stems.fake_network import FakeNetwork

Float32 = npt.NDArray[np.float32]
BATCH, INTERACTIVE = Priority.BATCH, Priority.INTERACTIVE
WAIT_S = 10.0


class Told:
    """Remembers what an observer is told."""

    def __init__(self) -> None:
        self.batches: list[Any] = []

    def batch_done(self, waits_s: Any) -> None:
        self.batches.append(waits_s)


@pytest.fixture
def gate() -> threading.Semaphore:
    return threading.Semaphore(0)


@pytest.fixture
def scheduler(gate: threading.Semaphore) -> Iterator[Scheduler]:
    made = Scheduler()
    yield made
    gate.release(1000)
    made.close()


def segment(network: FakeNetwork, value: float, tag: Any = None) -> Segment:
    frames = np.full((2, network.segment_frames), value, np.float32)
    return Segment(network, frames, (0, 1, 2, 3), value if tag is None else tag)


def collected(job: Job, count: int) -> list[tuple[Any, Float32]]:
    made = [job.collect(WAIT_S) for _ in range(count)]
    assert None not in made
    return [result for result in made if result]


def until(fact: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not fact():
        assert time.monotonic() < end_s
        time.sleep(0.002)


def test_windows_of_all_jobs_run_in_one_batch_and_come_back_to_their_own(
    scheduler: Scheduler, gate: threading.Semaphore
) -> None:
    network = FakeNetwork(gate=gate)
    with scheduler.open(BATCH) as first, scheduler.open(BATCH) as second:
        first.submit(segment(network, 1))
        network.entered.wait(WAIT_S)
        for value in (2, 3):
            first.submit(segment(network, value))
            second.submit(segment(network, 10 * value))
        gate.release(2)

        mine, theirs = collected(first, 3), collected(second, 2)

    assert [sorted(batch) for batch in network.batches] == [[1], [2, 3, 20, 30]]
    assert [tag for tag, _ in mine] == [1, 2, 3]
    assert [float(made[0, 0, 0]) for _, made in theirs] == [10, 15]


def test_only_the_wanted_sources_come_back(scheduler: Scheduler) -> None:
    network = FakeNetwork()
    with scheduler.open(BATCH) as job:
        frames = np.ones((2, 1000), np.float32)
        job.submit(Segment(network, frames, (3, 1), "a"))

        [(_, made)] = collected(job, 1)

    assert made.shape == (2, 2, 1000)
    assert made[:, 0, 0].tolist() == [0.125, 0.25]


def test_results_do_not_hold_on_to_a_whole_batch(scheduler: Scheduler, gate: threading.Semaphore) -> None:
    network = FakeNetwork(gate=gate)
    with scheduler.open(BATCH) as job:
        for value in range(5):
            job.submit(segment(network, value))
        gate.release(5)

        made = collected(job, 5)

    assert max(map(len, network.batches)) > 1
    assert all(result.base is None or result.base.nbytes <= result.nbytes for _, result in made)


def test_closing_a_job_drops_what_waits_and_nothing_else(scheduler: Scheduler, gate: threading.Semaphore) -> None:
    network = FakeNetwork(gate=gate, batch_sizes=(1,))
    with scheduler.open(BATCH) as other:
        with scheduler.open(BATCH) as gone:
            gone.submit(segment(network, 1))
            network.entered.wait(WAIT_S)
            for value in (2, 3, 4):
                gone.submit(segment(network, value))
            other.submit(segment(network, 9))
        gate.release(2)

        assert collected(other, 1)[0][0] == 9

    assert network.batches == [[1], [9]]


def test_an_interactive_job_waits_for_no_more_than_the_batch_that_runs(
    scheduler: Scheduler, gate: threading.Semaphore
) -> None:
    network = FakeNetwork(gate=gate, batch_sizes=(1,))
    with scheduler.open(BATCH) as slow, scheduler.open(INTERACTIVE) as live:
        for value in (1, 2, 3):
            slow.submit(segment(network, value))
        network.entered.wait(WAIT_S)
        live.submit(segment(network, 9))
        gate.release(4)

        collected(live, 1), collected(slow, 3)

    assert network.batches == [[1], [9], [2], [3]]


def test_a_job_that_comes_later_does_not_catch_up(scheduler: Scheduler, gate: threading.Semaphore) -> None:
    network = FakeNetwork(gate=gate, batch_sizes=(1,))
    with scheduler.open(BATCH) as first:
        gate.release(20)
        for value in range(20):
            first.submit(segment(network, value))
        collected(first, 20)
        network.batches.clear()
        network.entered.clear()

        with scheduler.open(BATCH) as second:
            first.submit(segment(network, 0))
            network.entered.wait(WAIT_S)
            for _ in range(3):
                first.submit(segment(network, 1))
                second.submit(segment(network, 2))
            gate.release(10)
            collected(first, 4), collected(second, 3)

    assert sorted(network.batches[1:3]) == sorted(network.batches[3:5]) == [[1], [2]]


def test_a_window_that_fails_by_itself_fails_only_its_job(scheduler: Scheduler, gate: threading.Semaphore) -> None:
    bad = ValueError("no such window")
    network = FakeNetwork(gate=gate, fails=lambda windows: bad if (windows == 13).any() else None)
    with scheduler.open(BATCH) as first, scheduler.open(BATCH) as broken, scheduler.open(BATCH) as third:
        first.submit(segment(network, 1))
        network.entered.wait(WAIT_S)
        for job, value in ((first, 2), (broken, 13), (third, 3), (third, 4)):
            job.submit(segment(network, value))
        gate.release(100)

        assert [tag for tag, _ in collected(first, 2)] == [1, 2]
        assert [tag for tag, _ in collected(third, 2)] == [3, 4]
        with pytest.raises(ForwardFailed) as failure:
            broken.collect(WAIT_S)

    assert failure.value.__cause__ is bad
    assert len(network.batches[1]) == 4


def test_without_memory_batches_become_smaller(scheduler: Scheduler, gate: threading.Semaphore) -> None:
    network = FakeNetwork(gate=gate, fails=lambda windows: DeviceMemoryExhausted("full") if len(windows) > 2 else None)
    with scheduler.open(BATCH) as job:
        job.submit(segment(network, 0))
        network.entered.wait(WAIT_S)
        for value in range(1, 9):
            job.submit(segment(network, value))
        gate.release(100)

        tags = [tag for tag, _ in collected(job, 9)]

    assert tags == list(range(9))
    assert list(map(len, network.batches)) == [1, 8, 4, 2, 2, 2, 2]


def test_a_job_waits_for_memory_and_then_goes_on(gate: threading.Semaphore) -> None:
    tries = iter([DeviceMemoryExhausted("full"), DeviceMemoryExhausted("full")])
    network, clock = FakeNetwork(fails=lambda _: next(tries, None)), FakeClock()
    scheduler = Scheduler(clock=clock)
    with scheduler.open(BATCH) as job:
        job.submit(segment(network, 7))
        until(lambda: len(network.batches) == 1)
        clock.advance(0.6)
        until(lambda: len(network.batches) == 2)
        clock.advance(1.1)

        assert collected(job, 1)[0][0] == 7
    scheduler.close()


def test_a_job_for_which_there_is_never_memory_fails_and_the_rest_lives(gate: threading.Semaphore) -> None:
    clock = FakeClock()
    small, large = FakeNetwork(), FakeNetwork(fails=lambda _: DeviceMemoryExhausted("full"))
    scheduler = Scheduler(clock=clock)
    with scheduler.open(BATCH) as job, scheduler.open(BATCH) as other:
        job.submit(segment(large, 7))
        for count in range(1, 5):
            until(lambda count=count: len(large.batches) == count)  # type: ignore[misc]
            clock.advance(10)

        with pytest.raises(ResourceExhausted):
            job.collect(WAIT_S)
        other.submit(segment(small, 1))
        assert collected(other, 1)[0][0] == 1
    scheduler.close()


def test_a_broken_observer_ends_nothing() -> None:
    class Broken:
        def batch_done(self, waits_s: Any) -> None:
            raise RuntimeError(waits_s)

    scheduler, network = Scheduler(Broken()), FakeNetwork()
    with scheduler.open(BATCH) as job:
        job.submit(segment(network, 1))
        assert collected(job, 1)
    with scheduler.open(BATCH) as job:
        job.submit(segment(network, 2))
        assert collected(job, 1)
    scheduler.close()


def test_every_batch_is_told_with_its_classes() -> None:
    told, network = Told(), FakeNetwork()
    scheduler = Scheduler(told)
    with scheduler.open(INTERACTIVE) as job:
        job.submit(segment(network, 1))
        collected(job, 1)
    scheduler.close()

    [[(priority, wait_s)]] = told.batches
    assert priority is INTERACTIVE
    assert wait_s >= 0


def test_nothing_yet_is_told_in_time(scheduler: Scheduler) -> None:
    with scheduler.open(BATCH) as job:
        assert job.collect(0.01) is None


def test_jobs_end_with_the_scheduler() -> None:
    scheduler, gate = Scheduler(), threading.Semaphore(0)
    network = FakeNetwork(gate=gate)
    with scheduler.open(BATCH) as job:
        job.submit(segment(network, 1))
        network.entered.wait(WAIT_S)
        job.submit(segment(network, 2))
        closing = threading.Thread(target=scheduler.close)
        closing.start()

        with pytest.raises(Unavailable):
            job.collect(WAIT_S)
        gate.release(9)
        closing.join()

    assert network.batches == [[1]]


def test_a_device_that_fails_on_silence_is_broken_and_no_job_is_at_fault() -> None:
    faults: list[Exception | None] = [RuntimeError("illegal access"), RuntimeError("illegal access")]
    network = FakeNetwork(fails=lambda _: faults.pop(0) if faults else None)
    scheduler = Scheduler()
    with scheduler.open(BATCH) as job:
        job.submit(segment(network, 1))
        with pytest.raises(Unavailable):
            job.collect(WAIT_S)
    was_broken = scheduler.is_broken
    with scheduler.open(BATCH) as job:
        job.submit(segment(network, 1))
        collected(job, 1)
    scheduler.close()

    assert [was_broken, scheduler.is_broken] == [True, False]
