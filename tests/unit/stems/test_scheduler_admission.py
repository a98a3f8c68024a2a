"""Jobs are let in while they, the loaded networks and the largest forward stay within the declared memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from chassis.errors import ResourceExhausted, Unavailable
from chassis.testing.clock import FakeClock
from services.stems.demucs.admission import Admission, Key, Needs, Seat
from services.stems.demucs.ports import DeviceMemoryExhausted
from services.stems.domain import ModelUnusable, Priority
from tests.unit.stems.fake_network import FakeNetwork

MIB = 1 << 20
JOB = 64 * MIB  # what every job is counted with besides its windows
ONE, TWO = ("one", 0), ("two", 0)
BATCH, INTERACTIVE = Priority.BATCH, Priority.INTERACTIVE


class Loader:
    """Loads networks of 100 MiB that take 10 MiB per window."""

    def __init__(self) -> None:
        self.loaded: list[Key] = []
        self.limits: list[tuple[Any, int]] = []
        self.made: dict[Key, FakeNetwork] = {}

    def __call__(self, key: Key) -> FakeNetwork:
        self.loaded.append(key)
        self.made[key] = FakeNetwork(memory_bytes=100 * MIB, bytes_per_window=10 * MIB)
        return self.made[key]


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def open_admission(loader: Loader, clock: FakeClock) -> Iterator[Callable[..., Admission]]:
    made: list[Admission] = []

    def open_(budget: int, base: int = 0, slots: int = 2) -> Admission:
        size, limit = (lambda _: 100 * MIB), (lambda network, batch: loader.limits.append((network, batch)))
        made.append(Admission(budget, lambda: base, slots, loader, size, clock, limit))
        return made[-1]

    yield open_
    for each in made:
        each.close()


def needs(*keys: Key, priority: Priority = BATCH, per_window: int = 0) -> Needs:
    def bytes_for(_networks: Sequence[Any], batch: int) -> int:
        return per_window * batch

    return Needs(keys, priority, bytes_for)


def is_in(admission: Admission, seat: Seat) -> bool:
    """Whether it is let in within its next few looks."""
    steps = admission.wait(seat, 0.001)
    return any(next(steps, "in") == "in" for _ in range(300 if not admission._active else 4))


def test_jobs_beyond_the_budget_wait_until_one_leaves(open_admission: Callable[..., Admission]) -> None:
    admission = open_admission(100 * MIB + 10 * MIB + 2 * JOB)
    first, second, third = (admission.ask(needs(ONE)) for _ in range(3))

    before = [is_in(admission, seat) for seat in (first, second, third)]
    admission.leave(first)

    assert before == [True, True, False]
    assert is_in(admission, third)


def test_a_job_that_went_away_while_it_waited_is_forgotten(open_admission: Callable[..., Admission]) -> None:
    admission = open_admission(100 * MIB + 10 * MIB + JOB)
    first, second, third = (admission.ask(needs(ONE)) for _ in range(3))
    assert is_in(admission, first)

    admission.leave(second)
    admission.leave(first)

    assert is_in(admission, third)


def test_a_job_that_never_fits_is_refused_with_numbers(open_admission: Callable[..., Admission]) -> None:
    admission = open_admission(120 * MIB, base=20 * MIB)

    with pytest.raises(ModelUnusable, match="needs 194 MiB for one separation and the worker may have 120 MiB"):
        is_in(admission, admission.ask(needs(ONE)))


def test_what_a_loader_raises_reaches_the_job(clock: FakeClock) -> None:
    def refuse(_: Key) -> FakeNetwork:
        raise ModelUnusable("these weights do not fit")

    admission = Admission(1 << 40, lambda: 0, 1, refuse, lambda _: 0, clock, lambda *_: None)

    with pytest.raises(ModelUnusable, match="do not fit"):
        is_in(admission, admission.ask(needs(ONE)))
    admission.close()


def test_a_network_is_loaded_once(open_admission: Callable[..., Admission], loader: Loader) -> None:
    admission = open_admission(1 << 40)
    for _ in range(3):
        seat = admission.ask(needs(ONE, TWO))
        assert is_in(admission, seat)
        admission.leave(seat)

    assert loader.loaded == [ONE, TWO]
    assert admission.memory_bytes == 200 * MIB


def test_unused_networks_go_when_there_is_no_room(
    open_admission: Callable[..., Admission], loader: Loader, clock: FakeClock
) -> None:
    admission = open_admission(250 * MIB)
    for key in (ONE, TWO, ONE):
        clock.advance(1)
        seat = admission.ask(needs(key))
        assert is_in(admission, seat)
        admission.leave(seat)

    assert loader.loaded == [ONE, TWO, ONE]
    assert admission.memory_bytes == 100 * MIB
    assert (loader.made[TWO], 0) in loader.limits


def test_a_network_in_use_stays(open_admission: Callable[..., Admission], loader: Loader) -> None:
    admission = open_admission(250 * MIB)
    first, second = admission.ask(needs(ONE)), admission.ask(needs(TWO))

    assert [is_in(admission, first), is_in(admission, second)] == [True, False]
    assert loader.loaded == [ONE]


@pytest.mark.parametrize(("budget", "batch"), [(1 << 40, 8), (100 * MIB + 2 * (JOB + 20 * MIB) + 40 * MIB, 4)])
def test_the_largest_batch_is_one_at_which_every_slot_has_room(
    open_admission: Callable[..., Admission], loader: Loader, budget: int, batch: int
) -> None:
    admission = open_admission(budget)
    seat = admission.ask(needs(ONE, per_window=5 * MIB))

    assert is_in(admission, seat)
    assert seat.batch == batch
    assert loader.limits[-1] == (loader.made[ONE], batch)


def test_interactive_jobs_are_let_in_first_but_not_for_ever(
    open_admission: Callable[..., Admission], clock: FakeClock
) -> None:
    admission = open_admission(100 * MIB + 10 * MIB + JOB)
    running, patient = admission.ask(needs(ONE)), admission.ask(needs(ONE))
    assert is_in(admission, running)
    clock.advance(1)
    live = admission.ask(needs(ONE, priority=INTERACTIVE))
    admission.leave(running)

    assert [is_in(admission, patient), is_in(admission, live)] == [False, True]

    clock.advance(60)
    other = admission.ask(needs(ONE, priority=INTERACTIVE))
    admission.leave(live)
    assert [is_in(admission, other), is_in(admission, patient)] == [False, True]


def test_networks_of_another_device_count_there(open_admission: Callable[..., Admission], loader: Loader) -> None:
    def load(key: Key) -> FakeNetwork:
        made = Loader.__call__(loader, key)
        made.device = "cuda:0"
        return made

    admission = open_admission(JOB + 2 * MIB)
    admission.load = load
    seat = admission.ask(needs(ONE))

    assert is_in(admission, seat)
    assert admission.memory_bytes == 100 * MIB
    assert loader.limits == []


def test_a_network_without_room_on_its_device_takes_that_of_an_unused_one(
    open_admission: Callable[..., Admission], loader: Loader
) -> None:
    def load(key: Key) -> FakeNetwork:
        if key == TWO and admission._loaded:
            raise DeviceMemoryExhausted("full")
        return Loader.__call__(loader, key)

    admission = open_admission(1 << 40)
    admission.load = load
    seat = admission.ask(needs(ONE))
    assert is_in(admission, seat)

    with pytest.raises(Unavailable):
        is_in(admission, waiting := admission.ask(needs(TWO)))
    admission.leave(waiting)
    admission.leave(seat)

    assert is_in(admission, admission.ask(needs(TWO)))


def test_a_device_without_room_for_a_network_is_told(open_admission: Callable[..., Admission]) -> None:
    def load(_: Key) -> FakeNetwork:
        raise DeviceMemoryExhausted("full")

    admission = open_admission(1 << 40)
    admission.load = load

    with pytest.raises(ResourceExhausted, match="no memory for model 'one'"):
        is_in(admission, admission.ask(needs(ONE)))


def test_who_waits_when_the_worker_stops_goes_on_elsewhere(open_admission: Callable[..., Admission]) -> None:
    admission = open_admission(100 * MIB + 10 * MIB + JOB)
    assert is_in(admission, admission.ask(needs(ONE)))
    waiting = admission.wait(admission.ask(needs(ONE)), 0.001)
    next(waiting)
    admission.close()

    with pytest.raises(Unavailable, match="stopping"):
        next(waiting)


def test_what_loading_leaves_behind_counts(loader: Loader, clock: FakeClock) -> None:
    resident = iter([50 * MIB, 250 * MIB])
    admission = Admission(1 << 40, lambda: next(resident), 1, loader, lambda _: 0, clock, lambda *_: None)

    assert is_in(admission, admission.ask(needs(ONE)))
    assert admission._sum(None) == (150 + 100 + 80) * MIB + JOB
    admission.close()
