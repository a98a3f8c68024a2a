"""A worker is killed in the middle of each separation, and each ends with one committed result."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.stems_house import PARENT, StemsHouse
from tonewright.assets.v1 import assets_pb2 as assets
from tonewright.operations.v1 import operations_pb2 as operations
from tonewright.stems.v1.stems_pb2 import STEM_SET_TWO_STEMS

pytestmark = pytest.mark.usefixtures("as_ada")
SEED = 20
DURATION_S = 8
RECOVERY_S = 30.0
S_PER_JOB = 12.0
SETTINGS = {
    "TONEWRIGHT_STEMS_ENGINE": "stub",
    "TONEWRIGHT_STEMS_LEASE_S": "5",
    "TONEWRIGHT_STEMS_SLOTS": "4",
    "TONEWRIGHT_STEMS_POLL_S": "0.5",
}


@pytest.mark.parametrize("backends", ["filesystem", "rabbitmq"])
@pytest.mark.parametrize(
    "jobs",
    [
        pytest.param(20, marks=pytest.mark.timeout(300)),
        pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(1800)]),
    ],
)
def test_each_job_whose_worker_was_killed_has_one_result(
    tmp_path: Path, request: pytest.FixtureRequest, backends: str, jobs: int
) -> None:
    environment = {**SETTINGS, **_backends(request, backends)}

    with StemsHouse(tmp_path, environment).running() as house:
        with ThreadPoolExecutor(2) as threads:
            uploads = [threads.submit(copy_context().run, house.upload, _noise(seed)) for seed in range(jobs)]
            sources = [upload.result() for upload in uploads]
        names = [house.separate(source, stem_set=STEM_SET_TWO_STEMS) for source in sources]
        killed = _kill_a_worker_in_each(house, names)
        last_kill_s = time.monotonic()
        for _ in range(2):
            house.start_worker()
        recovered_s = _wait_until(house, lambda found: not _running_since_kill(found, killed)) - last_kill_s
        _wait_until(house, lambda found: all(job.state == operations.STATE_SUCCEEDED for job in found.values()))
        found = house.separations()
        kept = house.assets.ListAssets(assets.ListAssetsRequest(parent=PARENT, page_size=1000)).assets
        mix, stems = _noise(0), [house.download(stem.asset) for stem in found[names[0]].stems]

    assert killed == set(names)
    assert recovered_s < RECOVERY_S
    assert [len(found[name].stems) for name in names] == [2] * jobs
    assert min(found[name].attempt for name in names) >= 2
    assert all(not found[name].shared_with for name in names)
    # Nothing but the sources and one set of stems for each: what killed workers had made was not kept beside it.
    stem_assets = {stem.asset for job in found.values() for stem in job.stems}
    assert {asset.name for asset in kept} == stem_assets | set(sources)
    assert len(stem_assets) == 2 * jobs
    assert np.abs(sum(stems) - mix).max() <= 1e-6


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


def _kill_a_worker_in_each(house: StemsHouse, names: list[str]) -> set[str]:
    """Kill one worker after the other, each in the middle of jobs that no worker was killed in, until none is left."""
    chance = random.Random(SEED)
    killed: set[str] = set()
    end = time.monotonic() + S_PER_JOB * len(names)
    while len(killed) < len(names):
        worker = house.start_worker()
        percent = chance.uniform(5, 80)
        caught: dict[str, float] = {}
        while max(caught.values(), default=0) <= percent:
            assert time.monotonic() < end, f"{len(killed)} killed\n{house.logs()}"
            assert worker.poll() is None, house.logs()
            caught = {name: done for name, done in _in_the_middle(house).items() if name not in killed}
        _kill(worker)
        # The progress that was seen is older than the kill: only what is still running was really interrupted.
        killed |= {name for name in caught if house.separations()[name].state == operations.STATE_RUNNING}
    return killed


def _in_the_middle(house: StemsHouse) -> dict[str, float]:
    return {
        job.name: job.progress_percent
        for job in house.separations().values()
        if job.state == operations.STATE_RUNNING and job.stage in {"separating", "encoding", "storing"}
    }


def _kill(worker: subprocess.Popen[bytes]) -> None:
    worker.send_signal(signal.SIGKILL)
    worker.wait()


def _running_since_kill(found: dict[str, Any], killed: set[str]) -> set[str]:
    """Jobs that still look as a killed worker left them: running in their first attempt."""
    return {name for name in killed if found[name].state == operations.STATE_RUNNING and found[name].attempt < 2}


def _wait_until(house: StemsHouse, is_so: Any) -> float:
    end = time.monotonic() + S_PER_JOB * 20
    while not is_so(house.separations()):
        assert time.monotonic() < end, f"{house.separations()}\n{house.logs()}"
        time.sleep(0.1)
    return time.monotonic()
