"""The co-pilot: what it is told, what it hears, what it says."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence

import pytest

from chassis.errors import FieldInvalid
from services.prompt.domain.captions import ChatNotConfigured, Prices, Usage
from services.prompt.domain.chat import ChatMode, Conversation, HistoryLimit, Line, Reply
from services.prompt.domain.instructions import Exchange
from services.prompt.domain.live_sets import LiveSetNotFound
from services.prompt.use_cases.chat import Chat
from tests.material.hostile_names import NEVER, PUBLIC, hostile_plan
from tests.material.live_set import live_set_bytes
from tests.unit.prompt.house import House, run_here
from tests.unit.prompt.test_rules import GOOD

HELLO = (Line(is_person=True, content="How do I start?"),)


class Parrot:
    """A model that says the same to everything."""

    model = "parrot-1"

    def __init__(self) -> None:
        self.heard: list[Sequence[Exchange]] = []

    def cost_usd_micros(self, usage: Usage) -> int:
        return Prices(1, 2).cost_usd_micros(usage)

    async def talk(self, messages: Sequence[Exchange]) -> AsyncGenerator[str | Usage, None]:
        self.heard.append(messages)
        for piece in ("Begin ", "with the kick."):
            yield piece
        yield Usage(100, 10)


async def _say(chat: Chat, conversation: Conversation) -> Reply:
    steps = [step async for step in chat.stream(conversation)]
    reply = steps[-1]
    assert isinstance(reply, Reply)
    assert "".join(str(step) for step in steps[:-1]) == reply.content
    return reply


async def test_an_answer_comes_in_pieces_with_its_cost(nova: House) -> None:
    reply = await _say(nova.chat(Parrot()), Conversation("nova", ChatMode.PRODUCTION, HELLO))

    assert (reply.content, reply.model, reply.cost_usd_micros) == ("Begin with the kick.", "parrot-1", 120)
    assert (reply.usage, reply.dropped_messages) == (Usage(100, 10), 0)


@pytest.mark.parametrize(
    ("mode", "word"), [(ChatMode.PRODUCTION, "co-pilot"), (ChatMode.TRAIN, "dataset"), (ChatMode.GENERATE, "generate")]
)
async def test_each_mode_has_its_own_behaviour(nova: House, mode: ChatMode, word: str) -> None:
    parrot = Parrot()

    await _say(nova.chat(parrot), Conversation("nova", mode, HELLO))

    opening, said = parrot.heard[0]
    assert (opening.role, said) == ("system", Exchange("user", "How do I start?"))
    assert word in opening.content


async def test_the_project_is_data_between_marks_without_its_names(nova: House) -> None:
    live_set = nova.add_live_set(live_set_bytes(hostile_plan()))
    parrot = Parrot()
    conversation = Conversation("nova", ChatMode.PRODUCTION, HELLO, live_set=live_set.uid)

    await _say(Chat(nova.store, parrot, run_here, public_names=PUBLIC), conversation)

    told = parrot.heard[0][0].content
    fence = re.search(r"DATA-[0-9a-f]{20}", told)
    assert fence is not None
    assert told.count(fence[0]) == 3
    data = told.split(fence[0])[2]
    assert '"tempo_bpm":124' in data
    assert "sub bass" in data
    for never in NEVER:
        assert never.casefold() not in told.casefold(), never


async def test_the_words_of_captions_are_there_to_suggest(nova: House) -> None:
    parrot = Parrot()
    captions = (GOOD, GOOD.replace("Warm", "Nova Tide's warm"))

    await _say(nova.chat(parrot), Conversation("nova", ChatMode.GENERATE, HELLO, captions=captions))

    told = parrot.heard[0][0].content
    assert '"WORDS_MOST_SHARED":["airy","bass"' in told
    assert "TRAINED_CAPTIONS" in told
    assert "Nova Tide" not in told


async def test_the_newest_of_a_long_conversation_is_heard(nova: House) -> None:
    lines = tuple(Line(is_person=place % 2 == 0, content=f"{place} " + "x" * 50) for place in range(21))
    parrot = Parrot()

    few = await _say(nova.chat(parrot, HistoryLimit(messages=4)), Conversation("nova", ChatMode.PRODUCTION, lines))
    short = await _say(
        nova.chat(parrot, HistoryLimit(characters=120)), Conversation("nova", ChatMode.PRODUCTION, lines)
    )

    assert [message.content.split()[0] for message in parrot.heard[0][1:]] == ["18", "19", "20"]
    assert [message.content.split()[0] for message in parrot.heard[1][1:]] == ["20"]
    assert (few.dropped_messages, short.dropped_messages) == (18, 20)


async def test_without_a_model_it_says_what_to_set(nova: House) -> None:
    with pytest.raises(ChatNotConfigured, match="TONEWRIGHT_PROMPT_OPENAI_API_KEY"):
        await _say(nova.chat(), Conversation("nova", ChatMode.TRAIN, HELLO))
    with pytest.raises(LiveSetNotFound):
        await _say(nova.chat(Parrot()), Conversation("nova", ChatMode.TRAIN, HELLO, live_set="gone"))


@pytest.mark.parametrize(
    "lines",
    [(), (Line(is_person=False, content="x"),), (Line(is_person=True, content=" "),), HELLO * 201],
    ids=["none", "assistant last", "blank", "many"],
)
def test_a_conversation_is_checked(lines: tuple[Line, ...]) -> None:
    with pytest.raises(FieldInvalid):
        Conversation("nova", ChatMode.PRODUCTION, lines)
