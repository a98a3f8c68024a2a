"""What goes wrong with one separation stays with it, and none is lost when its worker must go."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from chassis.context import acting_as
from chassis.errors import AppError
from tests.integration.stems_house import ADA, StemsHouse, wav_bytes
from tonewright.operations.v1 import operations_pb2 as operations
from tonewright.stems.v1 import stems_pb2 as pb

pytestmark = pytest.mark.usefixtures("as_ada")
RATE_HZ = 44100
# The stub engine gives sources of this rate in stretches of so many frames.
LOW_RATE_HZ, STRETCH_FRAMES = 5000, 256 * 128
SLOTS = 2
REST_S = 0.3  # before each stretch
POISON_FRAMES = RATE_HZ + 99
SETTINGS = {
    "TONEWRIGHT_STEMS_ENGINE": "stub",
    "TONEWRIGHT_STEMS_SLOTS": str(SLOTS),
    "TONEWRIGHT_STEMS_LEASE_S": "2",
    "TONEWRIGHT_STEMS_POLL_S": "0.5",
    "TONEWRIGHT_STEMS_GRACE_S": "60",
}
# What costs least.
DRUMS: Any = {"stem_set": pb.STEM_SET_SUBSET, "wanted_stems": ["drums"]}
ENDED = {operations.STATE_SUCCEEDED, operations.STATE_FAILED, operations.STATE_CANCELLED}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StemsHouse]:
    """The services on the stub engine, without a worker."""
    with StemsHouse(tmp_path_factory.mktemp("faults"), SETTINGS).running() as running:
        yield running


@pytest.fixture(scope="module")
def workers() -> list[subprocess.Popen[bytes]]:
    """Those that were started so far."""
    return []


@pytest.fixture
def worker(services: StemsHouse, workers: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """A slow worker that stumbles over poison; it may have worked for other tests before."""
    if not workers or workers[-1].poll() is not None:
        workers.append(services.start_faulty_worker(f"slow:{REST_S}", f"raise:{POISON_FRAMES}"))
    return workers[-1]


def noise(frames: int, seed: int, channels: int = 2) -> npt.NDArray[np.float32]:
    """A recording that no other seed gives."""
    made = np.random.default_rng(seed).standard_normal((frames, channels)) * 0.1
    return made.astype(np.float32)


def upload_stretches(house: StemsHouse, count: int, seed: int) -> str:
    """A recording of so many stretches."""
    return house.upload(noise(count * STRETCH_FRAMES, seed, channels=1), LOW_RATE_HZ)


def until(house: StemsHouse, is_so: Callable[[dict[str, pb.Job]], bool], *, within_s: float = 60) -> dict[str, pb.Job]:
    """All jobs as soon as it is so."""
    end_s = time.monotonic() + within_s
    while not is_so(jobs := house.jobs()):
        assert time.monotonic() < end_s, f"{jobs}\n{house.logs()}"
        time.sleep(0.05)
    return jobs


def is_running(name: str, *, percent: float = 5) -> Callable[[dict[str, pb.Job]], bool]:
    """Whether the engine has given that much of it."""
    return lambda jobs: jobs[name].state == operations.STATE_RUNNING and jobs[name].progress_percent > percent


def test_what_cannot_be_separated_fails_alone(services: StemsHouse, worker: subprocess.Popen[bytes]) -> None:
    healthy = [noise(RATE_HZ + seed, seed) for seed in range(5)]
    spoilt = noise(RATE_HZ, 10)
    bad = services.upload(spoilt)
    spoilt[RATE_HZ // 2, 1] = np.nan
    services.put_bytes(bad, wav_bytes(spoilt))
    short = services.upload(noise(RATE_HZ, 11))
    services.put_bytes(short, wav_bytes(noise(RATE_HZ, 11))[:-4000])
    names = [services.separate(services.upload(mix), output_format=pb.OUTPUT_FORMAT_WAV_FLOAT) for mix in healthy[:2]]
    not_finite, damaged = services.separate(bad), services.separate(short)
    poison = services.separate(services.upload(noise(POISON_FRAMES, 12)))
    names += [services.separate(services.upload(mix), output_format=pb.OUTPUT_FORMAT_WAV_FLOAT) for mix in healthy[2:]]
    mine = {*names, not_finite, damaged, poison}

    jobs = until(services, lambda jobs: all(jobs[name].state in ENDED for name in mine))
    found = services.separations()
    sums = [sum(services.download(stem.asset) for stem in found[name].stems) for name in names]
    assert {jobs[name].state for name in names} == {operations.STATE_SUCCEEDED}
    assert {jobs[name].attempt for name in names} == {1}
    assert max(np.abs(total - mix).max() for total, mix in zip(sums, healthy, strict=True)) <= 1e-6
    ends = {name: (jobs[name].error_reason, jobs[name].attempt) for name in (not_finite, damaged, poison)}
    assert ends == {
        not_finite: ("SEPARATION_INPUT_NOT_FINITE", 1),
        damaged: ("SEPARATION_INPUT_DAMAGED", 1),
        poison: ("INTERNAL", 3),
    }
    assert "export" in found[not_finite].error_message
    assert bad in found[not_finite].error_message
    assert "out of order" not in found[poison].error_message
    assert (services.scratch(), worker.poll()) == ([], None)


def test_a_recording_that_is_not_finite_is_refused_at_the_door(services: StemsHouse) -> None:
    spoilt = noise(RATE_HZ, 20)
    spoilt[5, 0] = np.inf

    with pytest.raises(AppError) as caught:
        services.upload(spoilt)

    assert caught.value.reason in {"AUDIO_UNREADABLE", "AUDIO_NOT_FINITE"}
    assert "finite" in caught.value.message


def test_many_cancelled_separations_leave_nothing_and_make_room(
    services: StemsHouse, worker: subprocess.Popen[bytes], figures: Callable[..., None]
) -> None:
    stretches = 20
    sources = [upload_stretches(services, stretches, 30 + seed) for seed in range(6)]
    before = set(services.kept())
    names = [services.separate(source) for source in sources]
    jobs = until(services, lambda jobs: all(is_running(name)(jobs) for name in names[:SLOTS]))

    at_cancel = {name: jobs[name].progress_percent for name in names}
    asked_s = time.monotonic()
    for name in names:
        services.stems.CancelSeparation(pb.CancelSeparationRequest(name=name))
    jobs = until(services, lambda jobs: all(jobs[name].state in ENDED for name in names))
    ended_s = time.monotonic() - asked_s
    short = services.finished(services.separate(services.upload(noise(RATE_HZ, 40))))
    kept, scratch = services.kept(), services.scratch()
    for name in names:
        services.stems.DeleteSeparation(pb.DeleteSeparationRequest(name=name))
    left = services.kept()

    figures(cancelled=len(names), ended_within_s=ended_s)
    assert {jobs[name].state for name in names} == {operations.STATE_CANCELLED}
    # 80 % of the progress are the stretches; the one under work is finished and no other begun.
    assert all(jobs[name].progress_percent <= at_cancel[name] + 2 * 80 / stretches for name in names)
    assert [jobs[name].attempt for name in names] == [1] * SLOTS + [0] * (len(names) - SLOTS)
    assert short.state == operations.STATE_SUCCEEDED
    assert scratch == []
    assert set(kept) - before - {short.asset, *(stem.asset for stem in short.stems)} == set()
    # A cancelled one can be queued again by an operator, so that it holds its source until it is deleted.
    assert {kept[source].hold_count for source in sources} == {1}
    assert {left[source].hold_count for source in sources} == {0}
    assert worker.poll() is None


def test_who_waits_for_an_equal_separation_takes_its_work_over_when_it_is_cancelled(
    services: StemsHouse, worker: subprocess.Popen[bytes]
) -> None:
    source = upload_stretches(services, 10, 50)
    first, second, third = (services.separate(source) for _ in range(3))
    until(services, is_running(first))
    until(services, lambda jobs: jobs[second].attempt > 0)

    services.stems.CancelSeparation(pb.CancelSeparationRequest(name=first))
    services.stems.CancelSeparation(pb.CancelSeparationRequest(name=third))
    done = services.finished(second)
    found, kept = services.separations(), services.kept()

    assert [found[name].state for name in (first, third)] == [operations.STATE_CANCELLED] * 2
    assert (done.state, done.shared_with, len(done.stems)) == (operations.STATE_SUCCEEDED, "", 4)
    assert {kept[stem.asset].hold_count for stem in done.stems} == {1}
    assert worker.poll() is None


def test_what_somebody_waits_for_goes_before_batches_and_artists_take_turns(
    services: StemsHouse, worker: subprocess.Popen[bytes]
) -> None:
    sources = [upload_stretches(services, 4, 70 + seed) for seed in range(5)]
    with acting_as(replace(ADA, artist="vega")):
        theirs = upload_stretches(services, 4, 76)
    batch = [services.separate(source, **DRUMS) for source in sources[1:]]
    until(services, lambda jobs: sum(jobs[name].state == operations.STATE_RUNNING for name in batch) == SLOTS)
    with acting_as(replace(ADA, artist="vega")):
        other = services.separate(theirs, **DRUMS)
    wanted = services.separate(sources[0], priority=pb.PRIORITY_INTERACTIVE, **DRUMS)

    mine = {*batch, other, wanted}
    jobs = until(services, lambda jobs: all(jobs[name].state in ENDED for name in mine))

    begun = sorted(mine, key=lambda name: jobs[name].start_time.ToNanoseconds())
    assert begun[SLOTS : SLOTS + 2] == [wanted, other]
    assert {jobs[name].state for name in begun} == {operations.STATE_SUCCEEDED}
    assert worker.poll() is None


def test_a_worker_that_must_go_ends_what_it_can_and_begins_nothing(
    services: StemsHouse, worker: subprocess.Popen[bytes]
) -> None:
    running = [services.separate(upload_stretches(services, 4, 80 + seed), **DRUMS) for seed in range(SLOTS)]
    waiting = services.separate(upload_stretches(services, 1, 85))
    until(services, lambda jobs: all(is_running(name)(jobs) for name in running))

    worker.terminate()
    assert worker.wait(timeout=60) == 0
    jobs = services.jobs()
    services.stems.CancelSeparation(pb.CancelSeparationRequest(name=waiting))

    assert [(jobs[name].state, jobs[name].attempt) for name in running] == [(operations.STATE_SUCCEEDED, 1)] * SLOTS
    assert (jobs[waiting].state, jobs[waiting].attempt) == (operations.STATE_QUEUED, 0)


def test_what_a_worker_cannot_end_in_time_is_handed_back_at_once(services: StemsHouse) -> None:
    source = upload_stretches(services, 60, 90)
    hasty = services.start_faulty_worker(f"slow:{REST_S}", TONEWRIGHT_STEMS_GRACE_S="0.2")
    name = services.separate(source)
    until(services, is_running(name))

    hasty.terminate()
    assert hasty.wait(timeout=60) == 0
    handed = services.jobs()[name]
    with services.worker():
        done = until(services, lambda jobs: jobs[name].state in ENDED)[name]
    found, kept = services.separations()[name], services.kept()

    assert (handed.state, handed.attempt, handed.worker) == (operations.STATE_QUEUED, 1, "")
    assert (done.state, done.attempt, done.lost_lease_count) == (operations.STATE_SUCCEEDED, 2, 0)
    assert [kept[stem.asset].hold_count for stem in found.stems] == [1] * 4
    assert services.scratch() == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_kills_its_worker_each_time_fails_after_ten(
    services: StemsHouse, workers: list[subprocess.Popen[bytes]], figures: Callable[..., None]
) -> None:
    for other in workers:
        other.terminate()
        other.wait(timeout=30)
    deadly_frames = RATE_HZ + 98
    deadly = services.separate(services.upload(noise(deadly_frames, 90)))
    others = [services.separate(services.upload(noise(3 * RATE_HZ, 91 + seed))) for seed in range(8)]
    deaths = 0
    worker = services.start_faulty_worker(f"die:{deadly_frames}")

    end_s = time.monotonic() + 500
    while (jobs := services.jobs()) and any(jobs[name].state not in ENDED for name in (deadly, *others)):
        assert time.monotonic() < end_s, services.logs()
        if worker.poll() is not None:
            deaths += 1
            worker = services.start_faulty_worker(f"die:{deadly_frames}")
        time.sleep(0.1)
    found = services.separations()
    worker.terminate()

    figures(deaths=deaths, lost_leases_of_others=sum(jobs[name].lost_lease_count for name in others))
    assert (jobs[deadly].state, jobs[deadly].error_reason) == (operations.STATE_FAILED, "WORKER_LOST")
    assert (deaths, jobs[deadly].lost_lease_count) == (10, 10)
    assert {jobs[name].state for name in others} == {operations.STATE_SUCCEEDED}
    # Only the first death can take neighbours along: from then on it runs alone.
    assert max(jobs[name].lost_lease_count for name in others) <= 1
    assert not any(found[name].shared_with for name in others)
