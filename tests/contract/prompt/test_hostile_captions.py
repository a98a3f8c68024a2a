"""Names that try to steer the model, against a server that obeys them, through the real SDK."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chassis.clock import SystemClock
from chassis.context import Role, acting_as
from chassis.testing import FakeClock, caller_for
from chassis.testing.data import sqlite_database
from services.prompt.domain.captions import Caption, CaptionRequest, Hints
from services.prompt.domain.live_sets import LiveSet
from services.prompt.openai import Gate, OpenAiWriter, Provider
from services.prompt.store.tables import Base
from tests.material.caption_rules import broken
from tests.material.fake_openai import FakeOpenAI
from tests.material.hostile_names import (
    ARTIST,
    HOSTILE_NAMES,
    LABEL,
    MEMBERS,
    NEVER,
    PAYLOAD,
    PUBLIC,
    REMIXER,
    TITLE,
    schema_with,
    summary_with,
)
from tests.unit.prompt.house import House, ada

NAMES = (ARTIST, *MEMBERS, TITLE, REMIXER, LABEL, *PUBLIC)
REFUSED = ("trap hi-hats", "EDM drops")


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    fake = FakeOpenAI()
    fake.will_obey()
    yield fake
    fake.stop()


@pytest.fixture
async def writer(server: FakeOpenAI) -> AsyncIterator[OpenAiWriter]:
    provider = Provider(
        api_key="sk-test",
        base_url=server.url,
        timeout_s=5,
        connect_timeout_s=1,
        max_retries=0,
        gate=Gate(SystemClock()),
    )
    yield OpenAiWriter(provider, "fake-model")
    await provider.close()


@pytest.fixture
async def nova(tmp_path: Path) -> AsyncIterator[House]:
    database = sqlite_database(tmp_path, Base)
    house = House(database, FakeClock())
    with acting_as(caller_for("-")):
        house.artists.create(caller_for("-"), "nova", ARTIST, "", "")
    house.profiles.update("nova", "", {"master_schema": schema_with("warm")})
    with acting_as(caller_for("nova", role=Role.OWNER)):
        yield house
    database.close()


def _name_everything(house: House, live_set: LiveSet, name: str) -> None:
    with house.store.of_artist("nova") as transaction:
        transaction.change_live_set("nova", live_set.uid, "", summary=summary_with(name, live_set.summary))


def _check_accepted(caption: Caption) -> None:
    rules = broken(caption.text, tempo_bpm=120, names=NAMES, refused=REFUSED)
    assert bool(rules) <= bool(caption.violations), (caption.text, rules)


def _sent(server: FakeOpenAI) -> str:
    return "\n".join(message["content"] for body in server.requests for message in body["messages"])


async def test_no_name_in_a_live_set_reaches_the_model_or_the_caption(
    nova: House, server: FakeOpenAI, writer: OpenAiWriter
) -> None:
    live_set = nova.add_live_set()
    captions = nova.captions(writer, public_names=PUBLIC)

    for name in HOSTILE_NAMES:
        _name_everything(nova, live_set, name)
        caption = await captions.generate(ada(), CaptionRequest("nova", live_set.uid))

        assert caption.violations == (), (name, caption.text)
        assert broken(caption.text, tempo_bpm=120, names=NAMES, refused=REFUSED) == []
    assert len(HOSTILE_NAMES) >= 40
    sent = _sent(server).casefold()
    for never in NEVER:
        assert never.casefold() not in sent, never


@pytest.mark.parametrize("place", ["profile", "hints"])
async def test_what_people_write_about_their_music_leads_to_no_broken_rule(
    nova: House, server: FakeOpenAI, writer: OpenAiWriter, place: str
) -> None:
    captions = nova.captions(writer, public_names=PUBLIC)
    accepted = 0
    for name in HOSTILE_NAMES:
        clean = "".join(c for c in name if c >= " " and c != "\x7f")
        hints = Hints(tempo_bpm=120)
        hint = ""
        if place == "profile":
            nova.profiles.update("nova", "", {"master_schema": schema_with(name), "notes": clean[:4000]})
        else:
            hints = Hints(tempo_bpm=120, notes=clean[:1000], genres=(clean[:60],), instruments=(clean[:60],))
            hint = clean[:300]
        caption = await captions.generate(ada(), CaptionRequest("nova", hints=hints, hint=hint))
        _check_accepted(caption)
        accepted += not caption.violations

    assert accepted >= len(HOSTILE_NAMES) * 3 // 4
    sent = _sent(server)
    for never in (PAYLOAD, *NAMES, "jane", "kick_final_v3", "hook.als", "evil.example"):
        assert never.casefold() not in sent.casefold(), never


async def test_a_model_that_never_keeps_a_rule_is_asked_three_times_and_refused(
    nova: House, server: FakeOpenAI, writer: OpenAiWriter
) -> None:
    bad = f"**{ARTIST}** plays EDM drops in the style of {PUBLIC[0]}, kick_final_v3.wav. BPM: 99"
    server.will_always_say(bad)

    caption = await nova.captions(writer).generate(ada(), CaptionRequest("nova", hints=Hints(tempo_bpm=120)))

    assert caption.provenance.attempts == 3 == len(server.requests)
    assert {finding.rule for finding in caption.violations} == {"P5", "P8", "P9"}
    again = json.dumps(server.requests[-1]["messages"], ensure_ascii=False)
    assert all(rule in again for rule in ("P5:", "P8:", "P9:"))
    assert ARTIST not in again


async def test_the_composer_keeps_the_error_rules_for_every_name(nova: House) -> None:
    live_set = nova.add_live_set()
    captions = nova.captions(public_names=PUBLIC)

    for name in HOSTILE_NAMES:
        _name_everything(nova, live_set, name)
        nova.profiles.update("nova", "", {"master_schema": schema_with(name)})
        clean = "".join(c for c in name if c >= " " and c != "\x7f")[:60].strip()
        hints = Hints(instruments=(clean,), moods=(clean,)) if clean else Hints()
        caption = await captions.generate(ada(), CaptionRequest("nova", live_set.uid, hints=hints, hint=clean))

        assert caption.violations == (), (name, caption.text)
        assert broken(caption.text, tempo_bpm=120, names=NAMES, refused=REFUSED) == []
        assert not any(never.casefold() in caption.text.casefold() for never in NEVER), caption.text
