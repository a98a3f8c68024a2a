"""Workers are killed at random under their work, and each separation ends with one committed result."""

from __future__ import annotations

import random
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.stems_house import StemsHouse
from tonewright.operations.v1 import operations_pb2 as operations
from tonewright.stems.v1 import stems_pb2 as pb

pytestmark = pytest.mark.usefixtures("as_ada")
SEED = 20
# About one second of work, with the processes that decode it and measure its stems.
DURATION_S = 4
KILL_EVERY_S = (0.5, 3.0)
# A kill takes all that its worker runs: a quarter of the jobs is interrupted, or more.
JOBS_PER_KILL = 4
WORKERS = 2
S_PER_JOB = 12.0
ENDED = {operations.STATE_SUCCEEDED, operations.STATE_FAILED, operations.STATE_CANCELLED}
SETTINGS = {
    "TONEWRIGHT_STEMS_ENGINE": "stub",
    "TONEWRIGHT_STEMS_LEASE_S": "3",
    "TONEWRIGHT_STEMS_POLL_S": "1",
    "TONEWRIGHT_LOG_FORMAT": "json",
}
Jobs = Mapping[str, pb.Job]


@pytest.mark.parametrize("backends", ["filesystem", "rabbitmq"])
@pytest.mark.parametrize(
    "count",
    [
        pytest.param(16, marks=pytest.mark.timeout(300)),
        pytest.param(200, marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
    ],
)
def test_each_separation_ends_once_while_workers_are_killed(
    tmp_path: Path, request: pytest.FixtureRequest, figures: Callable[..., None], backends: str, count: int
) -> None:
    environment = {**SETTINGS, **_backends(request, backends)}

    with StemsHouse(tmp_path, environment).running() as house:
        fire = _Fire(house, max_kills=count // JOBS_PER_KILL)
        began_s = time.monotonic()
        with ThreadPoolExecutor(2) as threads:
            asked = [threads.submit(copy_context().run, _ask, house, seed) for seed in range(count)]
            fire.burn(asked, end_s=began_s + S_PER_JOB * max(count, 20))
        duration_s = time.monotonic() - began_s
        jobs, found, kept = house.jobs(), house.separations(), house.kept()
        looked_at = random.Random(SEED).sample(range(count), 2)
        sums = [sum(house.download(stem.asset) for stem in found[asked[seed].result()[1]].stems) for seed in looked_at]
        lines, scratch = house.log_lines("stems-worker"), house.scratch()

    names, sources = [job.result()[1] for job in asked], {job.result()[0] for job in asked}
    stems = [stem.asset for name in names for stem in found[name].stems]
    runs_s = [float(str(line["run_s"])) for line in lines if line["event"] == "job_run"]
    succeeded = Counter(line["job"] for line in lines if line["event"] == "job_run" and line["state"] == "SUCCEEDED")
    figures(
        jobs=count,
        kills=fire.kills,
        interrupted=sum(job.lost_lease_count > 0 for job in jobs.values()),
        attempts=sum(job.attempt for job in jobs.values()),
        lost_leases=sum(job.lost_lease_count for job in jobs.values()),
        lost=len(set(names) - set(found)),
        duplicated=len(stems) - len(set(stems)) + sum(times > 1 for times in succeeded.values()),
        left=sum(job.state not in ENDED for job in jobs.values()),
        run_s_median=statistics.median(runs_s),
        recovery_s_median=statistics.median(fire.recoveries_s),
        recovery_s_max=max(fire.recoveries_s),
        duration_s=duration_s,
    )
    assert {job.state for job in jobs.values()} == {operations.STATE_SUCCEEDED}
    assert set(jobs) == set(found) == set(names)
    assert fire.kills >= 3
    assert fire.recoveries_s
    assert all(job.attempt >= 1 + job.lost_lease_count and job.failure_count == 0 for job in jobs.values())
    # One result each: nothing but the sources and one set of stems, each held once; no run was committed twice.
    assert [len(found[name].stems) for name in names] == [2] * count
    assert not any(found[name].shared_with for name in names)
    assert len(set(stems)) == 2 * count
    assert set(kept) == set(stems) | sources
    assert {asset.hold_count for asset in kept.values()} == {1}
    assert max(succeeded.values()) == 1
    assert max(np.abs(mix - _noise(seed)).max() for seed, mix in zip(looked_at, sums, strict=True)) <= 1e-6
    assert not scratch


@dataclass
class _Fire:
    """Workers that are killed at random moments and started again.

    Attributes:
        kills: How many were killed.
        recoveries_s: Of each run that a kill ended, the time until the job's next run began.
    """

    house: StemsHouse
    max_kills: int
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    kills: int = 0
    recoveries_s: list[float] = field(default_factory=list)
    _struck: dict[str, tuple[int, float]] = field(default_factory=dict)

    def burn(self, asked: list[Future[tuple[str, str]]], *, end_s: float) -> None:
        """Go on until all that is asked for has ended."""
        workers = [self.house.start_worker() for _ in range(WORKERS)]
        next_s, ended_before = time.monotonic() + self.chance.uniform(*KILL_EVERY_S), -1
        while True:
            all_asked = all(job.done() for job in asked)
            jobs = self.house.jobs()
            self._note(jobs)
            if all_asked and len(jobs) == len(asked) and all(job.state in ENDED for job in jobs.values()):
                return
            assert time.monotonic() < end_s, f"{jobs}\n{self.house.logs()}"
            at_work = [worker for worker in workers if _runs(jobs, worker)]
            ended = sum(job.state in ENDED for job in jobs.values())
            # However slow the machine is, some work is done between two kills.
            is_time = time.monotonic() >= next_s and ended > ended_before
            if at_work and is_time and self.kills < self.max_kills:
                victim = self.chance.choice(at_work)
                workers[workers.index(victim)] = self._replace(victim)
                ended_before = ended
                next_s = time.monotonic() + self.chance.uniform(*KILL_EVERY_S)
            time.sleep(max(0.2, len(asked) / 400))

    def _replace(self, victim: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        victim.kill()
        victim.wait()
        now_s = time.monotonic()
        self.kills += 1
        # What is still the dead one's after its death was really interrupted.
        self._struck |= {job.name: (job.attempt, now_s) for job in _runs(self.house.jobs(), victim)}
        return self.house.start_worker()

    def _note(self, jobs: Jobs) -> None:
        for name, (attempt, struck_s) in list(self._struck.items()):
            if jobs[name].attempt > attempt or jobs[name].state in ENDED:
                self.recoveries_s.append(time.monotonic() - struck_s)
                del self._struck[name]


def _runs(jobs: Jobs, worker: subprocess.Popen[bytes]) -> list[pb.Job]:
    running = [job for job in jobs.values() if job.state == operations.STATE_RUNNING]
    return [job for job in running if job.worker.split(":")[1] == str(worker.pid)]


def _ask(house: StemsHouse, seed: int) -> tuple[str, str]:
    """The source, and its separation."""
    source = house.upload(_noise(seed))
    return source, house.separate(source, stem_set=pb.STEM_SET_TWO_STEMS)


def _backends(request: pytest.FixtureRequest, backends: str) -> Mapping[str, str]:
    if backends == "filesystem":
        return {}
    database = request.getfixturevalue("postgres").create_database()
    return {
        "TONEWRIGHT_DATABASE_URL": database.app_url,
        "TONEWRIGHT_MIGRATION_DATABASE_URL": database.owner_url,
        "TONEWRIGHT_BROKER_URL": request.getfixturevalue("rabbitmq").url,
    }


def _noise(seed: int) -> Any:
    made = np.random.default_rng(seed).standard_normal((DURATION_S * 44100, 2)) * 0.1
    return made.astype(np.float32)
