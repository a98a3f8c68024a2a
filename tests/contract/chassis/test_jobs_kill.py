"""Workers killed in the middle of their work: every job ends once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.clock import SystemClock
from chassis.db import system_scope
from chassis.queue import Queue
from tests.contract.chassis.world import Effect, Place, Separation, enqueue, jobs_of, migrated_place

ROOT = Path(__file__).parents[3]
JOBS, KILLS, LEASE_S = 6, 4, 1.5


@pytest.fixture(params=["embedded", "backends"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Place, str]]:
    if request.param == "embedded":
        yield migrated_place("sqlite", tmp_path, None), f"filesystem://{tmp_path}/queue"
    else:
        server = request.getfixturevalue("postgres")
        yield migrated_place("postgres", tmp_path, server), request.getfixturevalue("rabbitmq").url


def test_killed_workers_leave_one_result_per_job(home: tuple[Place, str]) -> None:
    place, broker_url = home
    db, queue = place.open(), Queue(broker_url)
    jobs = jobs_of(db, SystemClock(), lease_s=LEASE_S, queue=queue)
    command = [sys.executable, "-m", "tests.contract.chassis.worker_process"]
    command += [place.owner_url, place.app_url, broker_url, str(LEASE_S)]
    chance = random.Random(7)
    uids = [enqueue(jobs) for _ in range(JOBS)]

    def busy(pid: int) -> int:
        mine = (Separation.state == "RUNNING", Separation.lease_owner.contains(f":{pid}:"))
        with db.transaction(system_scope("test"), write=False) as session:
            return session.scalar(sa.select(sa.func.count()).where(*mine)) or 0

    with ExitStack() as stack:
        for kill in range(KILLS + 1):
            worker = stack.enter_context(subprocess.Popen(command, cwd=ROOT))
            stack.callback(worker.kill)
            end = time.monotonic() + (60 if kill == KILLS else 15)
            while time.monotonic() < end and jobs.count()[1]:
                if jobs.sweep():
                    jobs.announce()
                if kill < KILLS and busy(worker.pid):
                    time.sleep(chance.uniform(0.05, 0.4))
                    worker.kill()
                    break
                time.sleep(0.1)

    with db.transaction(system_scope("test"), write=False) as session:
        rows = {row.uid: row for row in session.scalars(sa.select(Separation))}
        effects = session.scalars(sa.select(Effect)).all()
    assert {rows[uid].state for uid in uids} == {"SUCCEEDED"}
    assert sorted(effect.job for effect in effects) == sorted(uids)
    assert all(rows[effect.job].fence == effect.fence for effect in effects)
    assert sum(row.lost_leases for row in rows.values()) >= KILLS
    queue.close()
    db.close()
