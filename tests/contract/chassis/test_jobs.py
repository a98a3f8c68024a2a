"""One suite for jobs on both databases."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from chassis.context import caller
from chassis.db import Database, artist_scope, system_scope
from chassis.errors import DependencyUnavailable, InvalidArgument
from chassis.jobs import JobCancelled, JobRunner, Jobs, LeaseLost, Progress, maintenance
from chassis.queue import Queue
from chassis.testing import FakeClock
from tests.contract.chassis.test_queue import poll_until
from tests.contract.chassis.world import Effect, Place, Separation, enqueue, jobs_of, read

Row = Separation


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(name="jobs")
def jobs_in_still_time(db: Database, clock: FakeClock) -> Jobs[Row]:
    return jobs_of(db, clock)


def claimed(jobs: Jobs[Row], worker: str = "w") -> Row:
    row = jobs.claim(worker)
    assert row is not None
    return row


def finish(jobs: Jobs[Row], row: Row, result: str = "made") -> None:
    with jobs.db.transaction(artist_scope(row.artist)) as session:
        session.add(Effect(artist=row.artist, job=row.uid, fence=row.fence))
        jobs.finish(session, row.uid, row.fence, result=result)


def cancel(jobs: Jobs[Row], uid: str, artist: str = "ada") -> Row | None:
    with jobs.db.transaction(artist_scope(artist)) as session:
        return jobs.request_cancel(session, artist, uid)


def test_a_job_runs_from_queued_to_succeeded(jobs: Jobs[Row], clock: FakeClock) -> None:
    uid = enqueue(jobs)
    assert read(jobs, uid).state == "QUEUED"

    row = claimed(jobs)
    assert (row.uid, row.state, row.fence, row.attempt, row.lease_owner) == (uid, "RUNNING", 1, 1, "w")
    clock.advance(5)
    jobs.heartbeat(uid, 1, percent=40, stage="split", eta_s=3)
    shown = read(jobs, uid)
    assert (shown.progress_percent, shown.stage, shown.eta_s) == (40, "split", 3)
    finish(jobs, row)

    done = read(jobs, uid)
    assert (done.state, done.result, done.progress_percent, done.lease_owner) == ("SUCCEEDED", "made", 100, None)
    assert done.end_time == clock.now()
    assert jobs.claim("w") is None


def test_the_oldest_of_the_highest_priority_is_first(jobs: Jobs[Row], clock: FakeClock) -> None:
    uids = []
    for priority in (0, 0, 5):
        uids.append(enqueue(jobs, priority=priority))
        clock.advance(1)

    assert [claimed(jobs).uid for _ in range(3)] == [uids[2], uids[0], uids[1]]


def test_the_many_jobs_of_one_artist_do_not_hold_up_anothers(jobs: Jobs[Row], clock: FakeClock) -> None:
    for _ in range(100):
        enqueue(jobs)
    clock.advance(1)
    for _ in range(3):
        enqueue(jobs, artist="bob")

    artists = [claimed(jobs).artist for _ in range(8)]

    # Two slots go to each in turn, until bob has no more.
    assert artists[0] == "ada"
    assert artists.count("bob") == 3
    assert artists[6:] == ["ada", "ada"]


def test_a_job_that_waited_long_goes_before_urgent_ones_but_only_one_at_a_time(
    jobs: Jobs[Row], clock: FakeClock
) -> None:
    old = [enqueue(jobs) for _ in range(2)]
    clock.advance(601)
    urgent = [enqueue(jobs, priority=10) for _ in range(2)]

    first = claimed(jobs)
    rest = [claimed(jobs).uid for _ in range(2)]
    finish(jobs, first)
    enqueue(jobs, priority=10)

    assert (first.uid, rest) == (old[0], urgent)
    assert claimed(jobs).uid == old[1]


def test_a_job_that_waited_less_goes_after_urgent_ones(jobs: Jobs[Row], clock: FakeClock) -> None:
    low = enqueue(jobs)
    clock.advance(599)
    urgent = enqueue(jobs, priority=10)

    assert [claimed(jobs).uid for _ in range(2)] == [urgent, low]


def test_each_job_is_claimed_by_one_worker(jobs: Jobs[Row]) -> None:
    uids = {enqueue(jobs) for _ in range(12)}

    with ThreadPoolExecutor(6) as pool:
        rows = list(pool.map(lambda number: jobs.claim(f"w{number}"), range(18)))

    assert sorted(row.uid for row in rows if row) == sorted(uids)


def test_a_lost_lease_cannot_commit(jobs: Jobs[Row], clock: FakeClock) -> None:
    uid = enqueue(jobs)
    first = claimed(jobs)
    clock.advance(31)
    assert jobs.sweep() == 1
    second = claimed(jobs, "other")

    with pytest.raises(LeaseLost):
        finish(jobs, first)
    with pytest.raises(LeaseLost):
        jobs.heartbeat(uid, first.fence)
    with pytest.raises(LeaseLost):
        jobs.fail(uid, first.fence, ValueError())
    finish(jobs, second)

    with jobs.db.transaction(artist_scope("ada")) as session:
        assert session.scalars(sa.select(Effect.fence)).all() == [2]
    with pytest.raises(LeaseLost):
        finish(jobs, second)


def test_a_heartbeat_keeps_the_lease(jobs: Jobs[Row], clock: FakeClock) -> None:
    uid = enqueue(jobs)
    row = claimed(jobs)
    for _ in range(5):
        clock.advance(20)
        jobs.heartbeat(uid, row.fence)
        assert jobs.sweep() == 0

    assert read(jobs, uid).state == "RUNNING"


def test_ten_lost_leases_fail_the_job_and_later_runs_are_alone(jobs: Jobs[Row], clock: FakeClock) -> None:
    uid = enqueue(jobs)
    for lost in range(10):
        assert (jobs.claim("w", idle=False) is None) == (lost > 0)
        if lost:
            claimed(jobs)
        clock.advance(31)
        jobs.sweep()

    row = read(jobs, uid)
    assert (row.state, row.error_reason, row.lost_leases) == ("FAILED", "WORKER_LOST", 10)


def test_a_job_that_lost_its_lease_is_not_passed_for_ever(jobs: Jobs[Row], clock: FakeClock) -> None:
    lost = enqueue(jobs)
    claimed(jobs)
    clock.advance(31)
    jobs.sweep()
    others = [enqueue(jobs) for _ in range(2)]

    passed = jobs.claim("busy", idle=False)
    assert passed is not None
    finish(jobs, passed)
    clock.advance(31)

    assert passed.uid == others[0]
    assert jobs.claim("busy", idle=False) is None
    assert claimed(jobs).uid == lost
    later = jobs.claim("busy", idle=False)
    assert later is not None
    assert later.uid == others[1]


def test_urgent_jobs_pass_one_that_lost_its_lease(jobs: Jobs[Row], clock: FakeClock) -> None:
    enqueue(jobs)
    claimed(jobs)
    clock.advance(31)
    jobs.sweep()
    clock.advance(601)
    urgent = enqueue(jobs, priority=10)

    row = jobs.claim("busy", idle=False)

    assert row is not None
    assert row.uid == urgent


def test_the_same_error_three_times_fails_the_job(jobs: Jobs[Row], clock: FakeClock) -> None:
    uid = enqueue(jobs)
    states = []
    for error in (ValueError("a"), KeyError("b"), ValueError("c"), ValueError("d"), ValueError("e")):
        states.append(jobs.fail(uid, claimed(jobs).fence, error))
        clock.advance(10)

    row = read(jobs, uid)
    assert states == ["QUEUED", "QUEUED", "QUEUED", "QUEUED", "FAILED"]
    assert (row.error_reason, row.end_time is not None) == ("INTERNAL", True)
    assert "e" not in (row.error_message or "").split()  # the text of an unexpected error stays inside


def test_a_failed_job_waits_before_it_runs_again(jobs: Jobs[Row], clock: FakeClock) -> None:
    uid = enqueue(jobs)
    jobs.fail(uid, claimed(jobs).fence, ValueError())

    assert jobs.claim("w") is None
    clock.advance(1.1)
    assert claimed(jobs).attempt == 2


def test_the_callers_fault_fails_at_once(jobs: Jobs[Row]) -> None:
    uid = enqueue(jobs)

    assert jobs.fail(uid, claimed(jobs).fence, InvalidArgument("not audio")) == "FAILED"
    row = read(jobs, uid)
    assert (row.error_reason, row.error_message) == ("INVALID_ARGUMENT", "not audio")


def test_what_is_unavailable_is_tried_again_without_counting(jobs: Jobs[Row], clock: FakeClock) -> None:
    uid = enqueue(jobs)
    for _ in range(5):
        assert jobs.fail(uid, claimed(jobs).fence, DependencyUnavailable("objects")) == "QUEUED"
        clock.advance(2.1)

    finish(jobs, claimed(jobs))
    row = read(jobs, uid)
    assert (row.state, row.failures, row.error_reason) == ("SUCCEEDED", 0, None)


def test_cancel_is_immediate_for_what_waits_and_soon_for_what_runs(jobs: Jobs[Row]) -> None:
    waiting = enqueue(jobs)
    assert getattr(cancel(jobs, waiting), "state", None) == "CANCELLED"
    assert jobs.claim("w") is None
    running = enqueue(jobs)
    row = claimed(jobs)
    asked = cancel(jobs, running)
    assert asked is not None
    assert (asked.state, asked.cancel_requested) == ("RUNNING", True)

    with pytest.raises(JobCancelled) as caught:
        jobs.heartbeat(running, row.fence)
    assert jobs.fail(running, row.fence, caught.value) == "CANCELLED"

    again = cancel(jobs, running)
    assert again is not None
    assert again.state == "CANCELLED"
    assert cancel(jobs, running, artist="bob") is None


def test_a_cancelled_job_whose_worker_died_is_cancelled(jobs: Jobs[Row], clock: FakeClock) -> None:
    uid = enqueue(jobs)
    claimed(jobs)
    cancel(jobs, uid)
    clock.advance(31)

    assert jobs.sweep() == 0
    assert read(jobs, uid).state == "CANCELLED"


def test_an_operator_may_queue_a_failed_job_again(jobs: Jobs[Row]) -> None:
    uid = enqueue(jobs)
    jobs.fail(uid, claimed(jobs).fence, InvalidArgument("x"))

    with jobs.db.transaction(system_scope("operator")) as session:
        assert jobs.retry(session, uid)
        assert not jobs.retry(session, uid)
    assert claimed(jobs).uid == uid


def test_a_job_handed_back_is_uncounted(jobs: Jobs[Row]) -> None:
    uid = enqueue(jobs)
    jobs.release(uid, claimed(jobs).fence)

    row = claimed(jobs)
    assert (row.fence, row.lost_leases, row.failures) == (2, 0, 0)


def runner_of(place: Place, handle: object, **options: object) -> tuple[Jobs[Row], JobRunner[Row]]:
    from chassis.clock import SystemClock

    jobs = jobs_of(place.open(), SystemClock(), lease_s=2)
    return jobs, JobRunner(jobs, handle, poll_s=0.1, **options)  # type: ignore[arg-type]


def test_a_runner_works_through_everything(place: Place) -> None:
    callers: set[tuple[str, str, str]] = set()

    def handle(row: Row, progress: Progress[Row]) -> None:
        callers.add((caller().artist, caller().principal, caller().service))
        progress.report(50, "half")
        finish(jobs, row)

    jobs, runner = runner_of(place, handle, slots=3)
    uids = [enqueue(jobs, artist) for artist in ("ada", "ada", "bob", "ada")]
    runner.start()
    try:
        assert runner.run_until_idle(20)
    finally:
        runner.stop(1)

    assert [read(jobs, uid, artist).state for uid, artist in zip(uids, ("ada", "ada", "bob", "ada"), strict=True)] == [
        "SUCCEEDED"
    ] * 4
    assert callers == {("ada", "p", "trial"), ("bob", "p", "trial")}
    jobs.db.close()


def test_a_running_job_shows_progress_outlives_its_lease_and_hears_of_cancel(place: Place) -> None:
    began = threading.Event()

    def handle(_row: Row, progress: Progress[Row]) -> None:
        began.set()
        while True:
            progress.report(25, "split", 9)
            began.wait(0.01)

    jobs, runner = runner_of(place, handle)
    uid = enqueue(jobs)
    runner.start()
    try:
        assert began.wait(10)
        poll_until(lambda: read(jobs, uid).stage == "split")
        first_lease = read(jobs, uid).lease_expires_at
        assert first_lease is not None
        poll_until(lambda: jobs.clock.now() > first_lease + timedelta(seconds=0.5))
        jobs.sweep()
        assert (read(jobs, uid).state, read(jobs, uid).fence) == ("RUNNING", 1)
        cancel(jobs, uid)
        poll_until(lambda: read(jobs, uid).state == "CANCELLED", 3)
    finally:
        runner.stop(1)
    jobs.db.close()


def test_a_stopping_runner_hands_its_job_back(place: Place) -> None:
    began, ended = threading.Event(), threading.Event()
    outcomes: list[str] = []

    def handle(row: Row, progress: Progress[Row]) -> None:
        began.set()
        ended.wait(20)
        try:
            finish(jobs, row)
        except LeaseLost:
            outcomes.append("lost")
            raise

    jobs, runner = runner_of(place, handle)
    uid = enqueue(jobs)
    runner.start()
    assert began.wait(10)
    runner.stop(0.2)
    ended.set()
    poll_until(lambda: outcomes == ["lost"])

    row = read(jobs, uid)
    assert (row.state, row.lost_leases, row.result) == ("QUEUED", 0, None)
    jobs.db.close()


def test_a_handler_without_a_result_is_a_failure(place: Place) -> None:
    jobs, runner = runner_of(place, lambda _row, _progress: None)
    uid = enqueue(jobs)
    runner.start()
    try:
        poll_until(lambda: read(jobs, uid).failures == 1)
    finally:
        runner.stop(1)
    assert read(jobs, uid).state == "QUEUED"
    jobs.db.close()


def test_a_worker_is_idle_while_others_run_what_is_left(place: Place) -> None:
    jobs, runner = runner_of(place, lambda *_: None)
    enqueue(jobs)
    claimed(jobs, "other")
    runner.start()
    try:
        assert runner.run_until_idle(5)
    finally:
        runner.stop(1)
    jobs.db.close()


def test_a_worker_that_stops_hands_back_what_it_runs_and_one_result_is_committed(place: Place) -> None:
    began, release = threading.Event(), threading.Event()

    def handle(row: Row, progress: Progress[Row]) -> None:
        began.set()
        release.wait(10)
        finish(jobs, row, "late")

    jobs, runner = runner_of(place, handle)
    uid = enqueue(jobs)
    runner.start()
    assert began.wait(10)

    runner.stop(0.2)
    handed_back = read(jobs, uid)
    second = claimed(jobs, "other")
    release.set()
    poll_until(lambda: not runner._runs)
    finish(jobs, second, "made")

    assert (handed_back.state, handed_back.attempt, handed_back.failures, handed_back.lost_leases) == (
        "QUEUED",
        1,
        0,
        0,
    )
    assert (second.attempt, read(jobs, uid).result) == (2, "made")
    with jobs.db.transaction(artist_scope("ada"), write=False) as session:
        assert session.scalars(sa.select(Effect.fence)).all() == [second.fence]
    jobs.db.close()


async def test_every_process_shows_what_waits_and_runs(place: Place) -> None:
    jobs, _runner = runner_of(place, lambda *_: None)
    enqueue(jobs)
    claimed(jobs)
    enqueue(jobs)
    end = asyncio.Event()

    def shown(name: str) -> float | None:
        return REGISTRY.get_sample_value(f"tonewright_trial_job_{name}_items", {"noun": "separation"})

    with jobs.db.exclusively("maintenance"):  # held by another process
        jobs._depth.labels("separation").set(99)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(maintenance([jobs])(end))
            await asyncio.to_thread(poll_until, lambda: shown("queue") == 1)
            end.set()

    assert shown("unfinished") == 2
    jobs.db.close()


async def test_maintenance_takes_back_and_wakes(place: Place, queue: Queue) -> None:
    jobs, _runner = runner_of(place, lambda *_: None)
    jobs.queue, jobs.topic = queue, f"trial.{place.app_url[-12:].replace('/', '')}"
    uid = enqueue(jobs)
    claimed(jobs)
    woken, stop, end = threading.Event(), threading.Event(), asyncio.Event()
    listener = threading.Thread(target=queue.listen, args=([jobs.topic], woken.set, stop))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(maintenance([jobs])(end))
        await asyncio.to_thread(poll_until, lambda: read(jobs, uid).state == "QUEUED")
        listener.start()
        woken.clear()
        assert await asyncio.to_thread(woken.wait, 10)
        end.set()
    stop.set()
    await asyncio.to_thread(listener.join)

    assert read(jobs, uid).lost_leases == 1
    jobs.db.close()
