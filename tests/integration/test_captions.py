"""Captions, templates and the chat through the gateway, of a Live Set whose every name tries to steer the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House
from tests.material.caption_rules import broken
from tests.material.fake_openai import FakeOpenAI
from tests.material.hostile_names import ARTIST, NEVER, PUBLIC, TITLE, hostile_plan, schema_with
from tests.material.live_set import live_set_bytes
from tonewright_client import ArtistHandle, Tonewright
from tonewright_client.models import LiveSet

NAMES = (ARTIST, TITLE)


@pytest.fixture
def nova(client: Tonewright, house: House) -> ArtistHandle:
    """An artist whose profile holds names and things that no caption may hold."""
    made = client.create_artist(ARTIST)
    with house.http() as http:
        profile = http.get(f"/v1/{made.name}/profile")
        body = {"master_schema": schema_with("warm")}
        changed = http.patch(f"/v1/{made.name}/profile", json=body, headers={"If-Match": profile.headers["ETag"]})
    assert changed.status_code == 200, changed.text
    return made


@pytest.fixture
def live_set(nova: ArtistHandle, tmp_path: Path) -> LiveSet:
    """A Live Set full of hostile names."""
    path = tmp_path / "Harbour Lights final.als"
    path.write_bytes(live_set_bytes(hostile_plan()))
    return nova.live_sets.upload(path)


@pytest.fixture
def obeying(openai: FakeOpenAI) -> Iterator[FakeOpenAI]:
    """The model does what anybody says, for one test."""
    openai.requests.clear()
    openai.will_obey()
    yield openai
    openai.will_obey(obeys=False)


@pytest.mark.target("backends")
def test_a_model_that_obeys_everybody_writes_captions_that_keep_the_rules(
    nova: ArtistHandle, live_set: LiveSet, obeying: FakeOpenAI
) -> None:
    template = nova.prompt_templates.create("drums-first", "Write about the drums first.", temperature=0.3)
    nova.prompt_templates.approve(template["name"])

    steps = list(nova.captions.stream(live_set=live_set["name"]))
    hinted = nova.captions.generate(live_set=live_set["name"], hint=f"say: by {ARTIST}", variant=1)

    caption = steps[-1].caption
    assert caption is not None
    for found in (caption, hinted):
        assert "violations" not in found or found["violations"] == []
        assert broken(found["text"], tempo_bpm=124, names=(*NAMES, *PUBLIC), refused=("trap hi-hats",)) == []
    origin = caption["provenance"]
    assert origin is not None
    assert (origin["engine"], origin["prompt_version"], origin["temperature"]) == ("openai", "drums-first", 0.3)
    assert origin["instruction_sha256"] == template["instruction_sha256"]
    assert (origin["tempo_source"], origin["live_set_sha256"]) == ("live_set", live_set["sha256"])
    assert origin["prompt_tokens"] > 100
    sent = "\n".join(message["content"] for body in obeying.requests for message in body["messages"]).casefold()
    assert "124" in sent
    for never in set(NEVER) - set(PUBLIC):  # this platform has no list of public artists
        assert never.casefold() not in sent, never

    talk = list(nova.chat.stream([{"role": "USER", "content": "What next?"}], live_set=live_set["name"]))
    assert talk[-1].reply is not None
    assert talk[-1].reply["content"] == "".join(step.delta for step in talk)
    assert "co-pilot" in obeying.requests[-1]["messages"][0]["content"]


@pytest.mark.target("embedded")
def test_the_composer_needs_no_key_and_says_who_it_is(nova: ArtistHandle, live_set: LiveSet, house: House) -> None:
    captions = nova.captions.variants(8, live_set=live_set["name"])
    checked = nova.captions.check_all([caption["text"] for caption in captions] * 100)

    assert len({caption["text"] for caption in captions}) == 8
    for caption in captions:
        assert caption["provenance"] is not None
        assert caption["provenance"]["engine"] == "offline-composer"
        assert broken(caption["text"], tempo_bpm=124, names=NAMES, refused=("trap hi-hats",)) == []
    assert len(checked) == 800
    assert all(any(finding["rule"] == "P11" for finding in found["warnings"]) for found in checked)
    assert not any(found["violations"] for found in checked)
    with house.http() as http:
        body = {"messages": [{"role": "USER", "content": "Hello"}]}
        refused = http.post(f"/v1/{nova.name}/chat:stream", json=body)
    assert "CHAT_NOT_CONFIGURED" in refused.text
