"""The broker and the database are restarted while separations run: none is lost, none is made twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import Unavailable
from tests.integration.stems_house import StemsHouse
from tonewright.operations.v1 import operations_pb2 as operations
from tonewright.stems.v1 import stems_pb2 as pb
from tools.backends import Backend, Postgres

pytestmark = pytest.mark.usefixtures("as_ada")
RATE_HZ = 5000
FRAMES = 4 * 256 * 128  # four stretches of the stub engine
JOBS = 6
SETTINGS = {
    "TONEWRIGHT_STEMS_ENGINE": "stub",
    "TONEWRIGHT_STEMS_SLOTS": "2",
    "TONEWRIGHT_STEMS_LEASE_S": "3",
    "TONEWRIGHT_STEMS_POLL_S": "1",
}
ENDED = {operations.STATE_SUCCEEDED, operations.STATE_FAILED, operations.STATE_CANCELLED}


@pytest.mark.timeout(300)
def test_broker_and_database_may_restart_while_separations_run(
    tmp_path: Path, postgres: Postgres, rabbitmq: Backend, figures: Callable[..., None]
) -> None:
    database = postgres.create_database()
    urls = {
        "TONEWRIGHT_DATABASE_URL": database.app_url,
        "TONEWRIGHT_MIGRATION_DATABASE_URL": database.owner_url,
        "TONEWRIGHT_BROKER_URL": rabbitmq.url,
    }

    with StemsHouse(tmp_path, {**SETTINGS, **urls}).running() as house:
        sources = [house.upload(_noise(seed), RATE_HZ) for seed in range(JOBS)]
        worker = house.start_faulty_worker("slow:0.5")
        names = [house.separate(source) for source in sources[:4]]
        _until(house, lambda jobs: sum(_is_at_work(job) for job in jobs.values()) == 2)
        rabbitmq.pause()
        names += [house.separate(source) for source in sources[4:]]
        rabbitmq.resume()
        _until(house, lambda jobs: sum(_is_at_work(job) for job in jobs.values()) == 2)
        postgres.pause()
        time.sleep(1)
        postgres.resume()
        back_s = time.monotonic()
        jobs = _until(house, lambda jobs: all(job.state in ENDED for job in jobs.values()))
        ended_s = time.monotonic() - back_s
        found, kept = house.separations(), house.kept()
        worker.terminate()
        assert worker.wait(timeout=20) == 0

    stems = [stem.asset for name in names for stem in found[name].stems]
    figures(
        jobs=len(names),
        attempts=sum(job.attempt for job in jobs.values()),
        lost_leases=sum(job.lost_lease_count for job in jobs.values()),
        ended_after_s=ended_s,
    )
    assert {job.state for job in jobs.values()} == {operations.STATE_SUCCEEDED}
    assert set(jobs) == set(names)
    assert {job.failure_count for job in jobs.values()} == {0}
    assert not any(found[name].shared_with for name in names)
    assert len(set(stems)) == 4 * JOBS
    assert set(kept) == set(stems) | set(sources)
    assert {asset.hold_count for asset in kept.values()} == {1}


def _noise(seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((FRAMES, 1)) * 0.1).astype(np.float32)


def _is_at_work(job: pb.Job) -> bool:
    return job.state == operations.STATE_RUNNING and job.progress_percent > 5


def _until(
    house: StemsHouse, is_so: Callable[[dict[str, pb.Job]], bool], *, within_s: float = 120
) -> dict[str, pb.Job]:
    """All jobs as soon as it is so; a database that is away for a moment is waited for."""
    end_s = time.monotonic() + within_s
    while True:
        assert time.monotonic() < end_s, house.logs()
        try:
            if is_so(jobs := house.jobs()):
                return jobs
        except Unavailable:
            pass
        time.sleep(0.1)
