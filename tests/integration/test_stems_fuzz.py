"""Damaged files through real processes: each is refused, fails by name or is separated, and no worker dies."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import AppError
from tests.integration.stems_house import StemsHouse, wav_bytes
from tests.material.mutated import Mutant, mutants
from tonewright.operations.v1 import operations_pb2 as operations
from tonewright.stems.v1 import stems_pb2 as pb

pytestmark = pytest.mark.usefixtures("as_ada")
S_PER_FILE = 6.0
ENDED = {operations.STATE_SUCCEEDED, operations.STATE_FAILED, operations.STATE_CANCELLED}
# What the assets service says of a file, and what a worker says of one that became an asset before it was damaged.
DOOR = ("AUDIO_UNREADABLE", "AUDIO_TRUNCATED", "UNSUPPORTED_MEDIA", "AUDIO_TOO_LONG")
REASONS = (
    "SEPARATION_INPUT_DAMAGED",
    "SEPARATION_INPUT_NOT_FINITE",
    "SEPARATION_INPUT_TOO_LONG",
    "SEPARATION_CHANNELS_UNSUPPORTED",
)
SETTINGS = {"TONEWRIGHT_STEMS_ENGINE": "stub", "TONEWRIGHT_STEMS_SLOTS": "2", "TONEWRIGHT_STEMS_POLL_S": "1"}


@pytest.fixture
def services(tmp_path: Path) -> Iterator[StemsHouse]:
    """The services on the stub engine, without a worker."""
    with StemsHouse(tmp_path, SETTINGS).running() as running:
        yield running


@pytest.mark.parametrize(
    "every",
    [
        pytest.param(47, id="sample", marks=pytest.mark.timeout(180)),
        pytest.param(1, id="all", marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
    ],
)
def test_each_damaged_file_ends_as_stems_or_with_a_reason(
    services: StemsHouse, figures: Callable[..., None], every: int
) -> None:
    files = mutants()[::every]
    worker = services.start_worker()
    with ThreadPoolExecutor(2) as threads:
        asked = [
            threads.submit(copy_context().run, _ask, services, number, mutant) for number, mutant in enumerate(files)
        ]
        refusals, names = zip(*(task.result() for task in asked), strict=True)
    end_s = time.monotonic() + S_PER_FILE * len(files) + 30
    while (jobs := services.jobs()) and any(job.state not in ENDED for job in jobs.values()):
        assert time.monotonic() < end_s, services.logs()
        time.sleep(0.2)
    found, scratch = services.separations(), services.scratch()

    reasons = Counter(found[name].error_reason for name in names)
    figures(
        files=len(files),
        refused_at_the_door=sum(map(bool, refusals)),
        separated=reasons[""],
        **(reasons - Counter([""] * len(files))),
    )
    assert (worker.poll(), scratch) == (None, [])
    assert set(found) == set(names)
    assert {job.lost_lease_count for job in jobs.values()} == {0}
    assert set(refusals) <= {"", *DOOR}
    ends = {(found[name].state, found[name].error_reason) for name in names}
    assert ends <= {(operations.STATE_SUCCEEDED, ""), *((operations.STATE_FAILED, reason) for reason in REASONS)}
    assert all(found[name].error_message for name in names if found[name].state == operations.STATE_FAILED)


def _ask(house: StemsHouse, number: int, mutant: Mutant) -> tuple[str, str]:
    """Why the file was refused, if it was, and its separation.

    A file that does not become an asset takes the place of a sound one's bytes, so that the worker meets it as well.
    """
    refused = ""
    try:
        asset = house.upload_bytes(mutant.data)
    except AppError as error:
        refused = error.reason
        frames = np.random.default_rng(number).standard_normal((4000, 2)) * 0.1
        asset = house.upload_bytes(sound := wav_bytes(frames.astype(np.float32)))
        house.put_bytes(asset, mutant.data or sound[:1])
    return refused, house.separate(asset, stem_set=pb.STEM_SET_TWO_STEMS, labels={"mutant": mutant.name[:200]})
