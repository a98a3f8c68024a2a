from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from chassis.db import Database
from chassis.jobs import Jobs
from chassis.testing.clock import FakeClock
from tests.contract.chassis.world import Place, Separation, enqueue, jobs_of


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def jobs(place: Place, clock: FakeClock) -> Iterator[Jobs[Separation]]:
    database: Database = place.open()
    yield jobs_of(database, clock)
    database.close()


def _value(name: str) -> float:
    return REGISTRY.get_sample_value(f"tonewright_trial_job_{name}", {"noun": "separation"}) or 0.0


def test_the_sweeper_tells_how_long_the_oldest_job_waits(jobs: Jobs[Separation], clock: FakeClock) -> None:
    enqueue(jobs)
    clock.advance(40)
    enqueue(jobs)
    clock.advance(2)

    jobs.sweep()

    assert (_value("queue_items"), _value("oldest_wait_seconds")) == (2, 42)


def test_nothing_waits_where_every_job_runs(jobs: Jobs[Separation], clock: FakeClock) -> None:
    enqueue(jobs)
    jobs.claim("worker")
    clock.advance(20)

    jobs.sweep()

    assert (_value("queue_items"), _value("oldest_wait_seconds")) == (0, 0)


def test_a_job_that_was_handed_back_waits_from_then_on(jobs: Jobs[Separation], clock: FakeClock) -> None:
    enqueue(jobs)
    job = jobs.claim("worker")
    assert job is not None
    clock.advance(20)
    jobs.release(job.uid, job.fence)
    clock.advance(3)

    jobs.sweep()

    assert _value("oldest_wait_seconds") == 3


def test_each_lost_lease_is_counted_once(jobs: Jobs[Separation], clock: FakeClock) -> None:
    enqueue(jobs)
    jobs.claim("worker")
    before = _value("lost_leases_total")
    clock.advance(31)

    jobs.sweep()
    jobs.sweep()

    assert _value("lost_leases_total") == before + 1
