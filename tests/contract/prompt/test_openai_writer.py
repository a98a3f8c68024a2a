"""The real SDK against a server that speaks its protocol."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from chassis.clock import SystemClock
from chassis.errors import AppError, DependencyUnavailable
from chassis.testing import FakeClock
from services.prompt.domain.captions import ModelBusy, OpenAiRefused, OpenAiThrottled, Prices, Usage
from services.prompt.domain.instructions import BUILT_IN, Exchange, question
from services.prompt.domain.ports import Task
from services.prompt.domain.rules import RuleContext
from services.prompt.openai import Gate, OpenAiTalker, OpenAiWriter, Provider, make_probe
from services.prompt.openai.writer import caption_so_far
from tests.material.fake_openai import KEY_REFUSED, FakeOpenAI


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    fake = FakeOpenAI()
    yield fake
    fake.stop()


@pytest.fixture
async def writer(server: FakeOpenAI) -> AsyncIterator[OpenAiWriter]:
    made = _writer(server)
    yield made
    await made._provider.close()


def _provider(server: FakeOpenAI, *, key: str = "sk-test", timeout_s: float = 5, **limits: Any) -> Provider:
    return Provider(
        api_key=key,
        base_url=server.url,
        timeout_s=timeout_s,
        connect_timeout_s=1,
        max_retries=1,
        gate=Gate(SystemClock(), **limits),
        prices=Prices(0.15, 0.6),
    )


def _writer(server: FakeOpenAI, **more: Any) -> OpenAiWriter:
    return OpenAiWriter(_provider(server, **more), "fake-model")


def _task(tempo_bpm: float = 120) -> Task:
    instruction, projection = BUILT_IN["train-v2"], {"tempo_bpm": tempo_bpm, "profile": {"tone": ["warm"]}}
    messages = question(instruction, projection, tempo_bpm)
    return Task(instruction, messages, projection, tempo_bpm, RuleContext(tempo_bpm=tempo_bpm))


async def _write(writer: OpenAiWriter) -> tuple[list[str], Usage]:
    pieces, usage = [], Usage()
    async for piece in writer.write(_task()):
        if isinstance(piece, Usage):
            usage += piece
        else:
            pieces.append(piece)
    return pieces, usage


async def test_a_structured_answer_comes_as_plain_text_in_pieces(server: FakeOpenAI, writer: OpenAiWriter) -> None:
    server.will_say('Warm "dub" café 🎛️ with pads\\slashes. BPM: 120')

    pieces, usage = await _write(writer)

    assert "".join(pieces) == 'Warm "dub" café 🎛️ with pads\\slashes. BPM: 120'
    assert len(pieces) > 3
    assert usage.prompt_tokens > 50
    asked = server.requests[0]
    assert (asked["model"], asked["stream"], asked["temperature"]) == ("fake-model", True, 0.7)
    assert asked["response_format"]["json_schema"]["strict"] is True
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]


async def test_a_plain_answer_is_taken_as_it_is(server: FakeOpenAI, writer: OpenAiWriter) -> None:
    server.will_say_raw("Warm house.\nBPM: 120")

    assert "".join((await _write(writer))[0]) == "Warm house.\nBPM: 120"


async def test_a_short_failure_is_repeated_by_the_sdk(server: FakeOpenAI, writer: OpenAiWriter) -> None:
    server.will_fail(500)

    assert "".join((await _write(writer))[0]).endswith("BPM: 120")


@pytest.mark.parametrize(
    ("status", "kind", "wait_s"),
    [(500, DependencyUnavailable, 5.0), (503, DependencyUnavailable, 0.5), (429, OpenAiThrottled, 0.5)],
)
async def test_a_lasting_failure_is_typed(
    server: FakeOpenAI, writer: OpenAiWriter, status: int, kind: type[AppError], wait_s: float
) -> None:
    server.will_fail(status, times=2, **({} if status == 500 else {"Retry_After": "0.5"}))

    with pytest.raises(kind) as error:
        await _write(writer)

    assert error.value.retry_after_s == wait_s


@pytest.mark.parametrize("status", [400, 404])
async def test_a_refusal_is_for_the_operator(server: FakeOpenAI, writer: OpenAiWriter, status: int) -> None:
    server.will_fail(status)

    with pytest.raises(OpenAiRefused) as error:
        await _write(writer)

    assert error.value.metadata == {"dependency": "openai", "status": str(status)}


async def test_a_refused_key_is_for_the_operator(server: FakeOpenAI) -> None:
    writer = _writer(server, key=KEY_REFUSED)

    with pytest.raises(OpenAiRefused):
        await _write(writer)
    await writer._provider.close()


async def test_an_absent_server_is_a_typed_outage(server: FakeOpenAI, writer: OpenAiWriter) -> None:
    server.stop()

    with pytest.raises(DependencyUnavailable) as error:
        await _write(writer)

    assert error.value.metadata["dependency"] == "openai"
    assert error.value.retry_after_s
    server.start()
    assert (await _write(writer))[0]


async def test_a_slow_server_is_a_typed_outage(server: FakeOpenAI) -> None:
    server.will_wait(0.6)
    writer = _writer(server, timeout_s=0.1)

    with pytest.raises(DependencyUnavailable):
        await _write(writer)
    await writer._provider.close()


@pytest.mark.parametrize("cleanly", [False, True])
async def test_an_answer_that_breaks_off_is_a_typed_outage(
    server: FakeOpenAI, writer: OpenAiWriter, *, cleanly: bool
) -> None:
    server.will_break_after(3, cleanly=cleanly)

    with pytest.raises(DependencyUnavailable):
        await _write(writer)


def test_health_sees_the_server_and_remembers_it(server: FakeOpenAI) -> None:
    clock = FakeClock()
    probe = make_probe(server.url, "sk-test", clock)
    probe()
    server.stop()
    probe()
    clock.advance(16)

    with pytest.raises(DependencyUnavailable):
        probe()

    server.start()
    clock.advance(6)
    probe()


def test_health_sees_a_refused_key(server: FakeOpenAI) -> None:
    with pytest.raises(DependencyUnavailable, match="401"):
        make_probe(server.url, KEY_REFUSED, FakeClock())()


@pytest.mark.parametrize("text", ['a "b" \\ \n é 🎛️', "", "x" * 300, '\\"\\'])
def test_what_is_shown_only_grows(text: str) -> None:
    for ensure_ascii in (True, False):
        answer = json.dumps({"caption": text}, ensure_ascii=ensure_ascii)
        shown = [caption_so_far(answer[:end]) for end in range(len(answer) + 1)]

        assert shown[-1] == text
        assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(shown))


@pytest.mark.parametrize(
    ("unknown", "form"),
    [
        (("json_schema",), "json_object"),
        (("json_schema", "json_object"), ""),
        (("seed", "stream_options"), "json_schema"),
    ],
)
async def test_a_server_that_knows_less_is_asked_for_less_and_remembered(
    server: FakeOpenAI, writer: OpenAiWriter, unknown: tuple[str, ...], form: str
) -> None:
    server.knows_no(*unknown)

    texts = ["".join((await _write(writer))[0]) for _ in range(2)]

    assert all(text.endswith("BPM: 120") and not text.startswith("{") for text in texts)
    assert len(server.requests) == 2  # only the first question was refused on the way
    assert server.requests[-1].get("response_format", {}).get("type", "") == form
    assert not set(unknown) & set(server.requests[-1])


async def test_a_pause_that_the_provider_asks_for_is_kept(server: FakeOpenAI, writer: OpenAiWriter) -> None:
    server.will_fail(429, Retry_After="0.3")
    started_s = SystemClock().monotonic()

    assert "".join((await _write(writer))[0]).endswith("BPM: 120")

    assert SystemClock().monotonic() - started_s >= 0.3


async def test_a_pause_that_is_too_long_is_told_to_everybody(server: FakeOpenAI, writer: OpenAiWriter) -> None:
    server.will_fail(429, Retry_After="90")

    with pytest.raises(OpenAiThrottled) as first:
        await _write(writer)
    with pytest.raises(ModelBusy) as second:
        await _write(writer)

    assert first.value.retry_after_s == 90
    assert 80 < (second.value.retry_after_s or 0) <= 90
    assert server.requests == []


async def test_no_more_questions_than_allowed_are_under_way(server: FakeOpenAI) -> None:
    server.will_wait(0.05)
    writer = _writer(server, concurrent=2)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(6):
            tasks.create_task(_write(writer))

    assert (len(server.requests), server.most_at_once) == (6, 2)
    await writer._provider.close()


async def test_who_would_wait_too_long_is_told_when_to_come_back(server: FakeOpenAI) -> None:
    writer = _writer(server, per_minute=1, max_wait_s=0.1)
    await _write(writer)

    with pytest.raises(ModelBusy) as error:
        await _write(writer)

    assert 50 < (error.value.retry_after_s or 0) <= 60
    await writer._provider.close()


async def test_an_answer_that_nobody_hears_gives_its_place_back(server: FakeOpenAI) -> None:
    writer = _writer(server, concurrent=1, max_wait_s=1)

    async with aclosing(writer.write(_task())) as pieces:
        await anext(pieces)

    assert (await _write(writer))[0]
    await writer._provider.close()


async def test_a_conversation_is_answered_in_plain_words(server: FakeOpenAI) -> None:
    provider = _provider(server)
    talker = OpenAiTalker(provider, "chat-model", max_tokens=123)
    server.will_say_raw("Start with the kick.")

    said = [piece async for piece in talker.talk([Exchange("system", "s"), Exchange("user", "u")])]

    assert "".join(piece for piece in said if isinstance(piece, str)) == "Start with the kick."
    assert talker.cost_usd_micros(Usage(1_000_000, 1_000_000)) == 750_000
    asked = server.requests[0]
    assert (asked["model"], asked["max_tokens"], "response_format" in asked) == ("chat-model", 123, False)
    await provider.close()


async def test_a_model_that_talks_without_end_is_cut_off(server: FakeOpenAI, writer: OpenAiWriter) -> None:
    server.will_say("word " * 10_000)

    pieces, _usage = await _write(writer)

    assert 2_000 < len("".join(pieces)) < 2_500
