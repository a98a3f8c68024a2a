"""How many questions go to the model, and when it is left alone."""

from __future__ import annotations

import asyncio

import pytest

from chassis.errors import DependencyUnavailable
from chassis.testing import FakeClock
from services.prompt.domain.captions import ModelBusy
from services.prompt.openai.dialect import Dialect
from services.prompt.openai.limits import Gate


def _gate(clock: FakeClock, *, concurrent: int = 4, per_minute: int = 0, max_wait_s: float = 20.0) -> Gate:
    async def pause(seconds: float) -> None:
        clock.advance(seconds)

    return Gate(clock, concurrent=concurrent, per_minute=per_minute, max_wait_s=max_wait_s, pause=pause)


async def test_who_finds_all_places_taken_is_told_when_to_come_back(clock: FakeClock) -> None:
    gate = _gate(clock, concurrent=1, max_wait_s=0.01)

    async with gate.turn():
        with pytest.raises(ModelBusy, match="repeat it in") as error:
            async with gate.turn():
                raise AssertionError("the place is taken")
    assert error.value.retry_after_s == 0.1
    async with gate.turn():
        pass


async def test_a_place_that_becomes_free_is_taken(clock: FakeClock) -> None:
    gate = _gate(clock, concurrent=1, max_wait_s=5)
    order: list[str] = []

    async def work(name: str) -> None:
        async with gate.turn():
            order.append(name)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        for name in "abc":
            tasks.create_task(work(name))

    assert order == ["a", "b", "c"]


async def test_questions_of_a_minute_are_counted(clock: FakeClock) -> None:
    gate = _gate(clock, per_minute=2, max_wait_s=30)
    await gate.start()
    clock.advance(35)
    await gate.start()

    await gate.start()  # waits until the first is a minute old

    assert clock.monotonic() == 60
    clock.advance(5)
    gate._max_wait_s = 10
    with pytest.raises(ModelBusy) as error:
        await gate.start()
    assert error.value.retry_after_s == 30


async def test_the_provider_may_ask_for_a_pause(clock: FakeClock) -> None:
    gate = _gate(clock, max_wait_s=10)
    gate.hold(8)
    await gate.start()
    assert clock.monotonic() == 8

    gate.hold(60)
    with pytest.raises(ModelBusy) as error:
        await gate.start()
    assert error.value.retry_after_s == 60


async def test_a_model_that_fails_again_and_again_is_left_alone_for_a_while(clock: FakeClock) -> None:
    gate = _gate(clock)
    for _ in range(5):
        await gate.start()
        gate.failed()
    with pytest.raises(DependencyUnavailable) as error:
        await gate.start()
    assert error.value.retry_after_s == 15

    clock.advance(15)
    await gate.start()
    gate.failed()
    with pytest.raises(DependencyUnavailable):
        await gate.start()
    clock.advance(15)
    await gate.start()
    gate.answered()
    gate.failed()
    await gate.start()


@pytest.mark.parametrize(
    ("complaint", "changed"),
    [
        ("Invalid parameter: 'response_format' of type 'json_schema' is not supported", {"form": "json_object"}),
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'", {"limit": "max_completion_tokens"}),
        ("Unrecognized request argument supplied: stream_options", {"usage": False}),
        ("extra field seed", {"seed": False}),
        ("Unsupported value: 'temperature' does not support 0.7", {"temperature": False}),
    ],
)
def test_what_a_server_does_not_know_is_left_out(complaint: str, changed: dict[str, object]) -> None:
    assert Dialect().without(complaint) == Dialect(**changed)  # type: ignore[arg-type]


def test_other_complaints_change_nothing() -> None:
    assert Dialect().without("the model does not exist") is None
    assert Dialect(form="plain").without("response_format is not supported") is None
