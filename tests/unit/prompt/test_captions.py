"""Captions from question to row."""

from __future__ import annotations

import pytest

from chassis.context import in_request
from chassis.errors import FieldInvalid, NotFound, RequestIdReused
from services.prompt.domain.captions import CaptionRequest, Hints, Prices, PromptVersionUnknown, Retry, Usage
from services.prompt.domain.instructions import BUILT_IN, NEWEST
from services.prompt.domain.likeness import near_copies
from services.prompt.domain.live_sets import LiveSetNotFound
from services.prompt.domain.profile_shape import digest
from services.prompt.use_cases.checks import Text
from tests.unit.prompt.house import House, ScriptedWriter, ada, is_replayed
from tests.unit.prompt.test_rules import GOOD

ASKED = CaptionRequest(artist="nova", hints=Hints(tempo_bpm=120))
BAD = GOOD.replace("Warm", "Nova Tide's warm")


async def test_the_offline_composer_writes_and_says_so(nova: House) -> None:
    live_set = nova.add_live_set()

    caption = await nova.captions().generate(ada(), CaptionRequest(artist="nova", live_set=live_set.uid))

    assert caption.text.endswith("BPM: 120")
    assert (caption.violations, caption.provenance.engine) == ((), "offline-composer")
    assert caption.provenance.live_set == live_set.name
    assert caption.provenance.principal == "ada"
    assert nova.captions().get("nova", caption.uid) == caption
    assert nova.captions().list("nova", 0, "").items == [caption]


async def test_a_broken_rule_is_named_and_asked_again(nova: House) -> None:
    writer = ScriptedWriter(BAD, GOOD)

    steps = [step async for step in nova.captions(writer).stream(ada(), ASKED)]

    assert [step.violations[0].rule for step in steps if isinstance(step, Retry)] == ["P8"]
    again = writer.tasks[1].messages
    assert [message.role for message in again] == ["system", "user", "assistant", "user"]
    assert "P8: the caption names '[name]'" in again[-1].content
    assert "Nova Tide" not in "".join(message.content for message in again)
    caption = steps[-1]
    assert not isinstance(caption, str | Retry)
    assert (caption.text, caption.violations, caption.provenance.attempts) == (GOOD, (), 2)
    assert caption.provenance.usage == Usage(20, 10)


async def test_after_three_attempts_the_best_comes_with_its_violations(nova: House) -> None:
    worse = BAD.replace("BPM: 120", "BPM: 99")
    writer = ScriptedWriter(worse, BAD, worse)

    caption = await nova.captions(writer).generate(ada(), ASKED)

    assert caption.text == BAD
    assert [finding.rule for finding in caption.violations] == ["P8"]
    assert caption.provenance.attempts == 3


async def test_text_comes_in_pieces(nova: House) -> None:
    writer = ScriptedWriter(GOOD.replace(" ", " |"))

    steps = [step async for step in nova.captions(writer).stream(ada(), ASKED)]

    assert "".join(step for step in steps if isinstance(step, str)) == GOOD


async def test_the_same_request_writes_one_caption(nova: House) -> None:
    asked = CaptionRequest(artist="nova", hints=Hints(tempo_bpm=120), request_id="r1")
    writer = ScriptedWriter(GOOD)
    with in_request():
        first = await nova.captions(writer).generate(ada(), asked)
        assert not is_replayed()
        assert await nova.captions(writer).generate(ada(), asked) == first
        assert is_replayed()
    with pytest.raises(RequestIdReused):
        await nova.captions(writer).generate(ada(), CaptionRequest(artist="nova", request_id="r1"))


async def test_without_a_tempo_the_tag_is_left_to_a_person(nova: House) -> None:
    writer = ScriptedWriter(GOOD)

    caption = await nova.captions(writer).generate(ada(), CaptionRequest(artist="nova"))

    assert caption.text == GOOD.removesuffix(" BPM: 120")
    assert [finding.rule for finding in caption.violations] == ["P4"]
    assert caption.provenance.attempts == 1
    assert "TEMPO_TAG: unknown" in writer.tasks[0].messages[1].content


async def test_the_asset_is_looked_up(nova: House) -> None:
    writer = ScriptedWriter(GOOD)
    known = CaptionRequest(artist="nova", asset="artists/nova/assets/known", hints=Hints(tempo_bpm=120))

    caption = await nova.captions(writer).generate(ada(), known)

    assert writer.tasks[0].projection["audio"] == {"seconds": 12.5}
    assert caption.provenance.asset == known.asset
    with pytest.raises(NotFound):
        await nova.captions(writer).generate(ada(), CaptionRequest(artist="nova", asset="artists/nova/assets/gone"))


async def test_unknown_live_sets_and_versions_are_refused(nova: House) -> None:
    with pytest.raises(LiveSetNotFound):
        await nova.captions().generate(ada(), CaptionRequest(artist="nova", live_set="missing"))
    with pytest.raises(PromptVersionUnknown):
        await nova.captions().generate(ada(), CaptionRequest(artist="nova", prompt_version="train-v0"))


def test_hints_are_checked_together() -> None:
    with pytest.raises(FieldInvalid) as error:
        Hints(tempo_bpm=5, genres=("x",) * 11, notes="x" * 1001)

    assert len(error.value.violations) == 3


async def test_the_tempo_comes_from_hints_then_the_set_then_the_audio(nova: House) -> None:
    live_set = nova.add_live_set()
    asset = "artists/nova/assets/known"
    asked = [
        CaptionRequest("nova", live_set.uid, asset, Hints(tempo_bpm=90)),
        CaptionRequest("nova", live_set.uid, asset),
        CaptionRequest("nova", asset=asset),
    ]

    captions = [await nova.captions().generate(ada(), request) for request in asked]

    found = [(c.provenance.tempo_bpm, c.provenance.tempo_source) for c in captions]
    assert found == [(90, "hints"), (120, "live_set"), (174.02, "audio")]
    assert [c.text.rpartition("BPM: ")[2] for c in captions] == ["90", "120", "174"]
    assert all(c.violations == () for c in captions)


async def test_provenance_is_whole(nova: House) -> None:
    live_set = nova.add_live_set()
    writer = ScriptedWriter(BAD, GOOD)
    asked = CaptionRequest("nova", live_set.uid, hint="darker", variant=3)

    origin = (await nova.captions(writer).generate(ada(), asked)).provenance

    assert (origin.hint, origin.variant, origin.live_set_sha256) == ("darker", 3, live_set.sha256)
    assert origin.instruction_sha256 == BUILT_IN[NEWEST].sha256
    assert origin.cost_usd_micros == Prices(0.15, 0.6).cost_usd_micros(Usage(20, 10))
    assert origin.seed == writer.tasks[0].seed > 0
    assert origin.seed % 8 == 3
    assert origin.input_sha256 == digest(writer.tasks[0].projection)
    assert writer.tasks[0].projection["wish"] == "darker"


async def test_each_variant_is_another_text_and_always_the_same(nova: House) -> None:
    live_set = nova.add_live_set()

    async def texts() -> list[str]:
        asked = [CaptionRequest("nova", live_set.uid, variant=variant) for variant in range(8)]
        return [(await nova.captions().generate(ada(), request)).text for request in asked]

    first = await texts()

    assert near_copies(first) == set()
    assert await texts() == first


async def test_a_caption_repeats_no_sibling(nova: House) -> None:
    live_set = nova.add_live_set()
    siblings: list[str] = []

    for _ in range(8):
        asked = CaptionRequest("nova", live_set.uid, siblings=tuple(siblings))
        caption = await nova.captions().generate(ada(), asked)
        assert caption.violations == caption.warnings == ()
        siblings.append(caption.text)

    assert near_copies(siblings) == set()
    writer = ScriptedWriter(GOOD, GOOD.replace("Warm melodic house", "Cold broken techno"))
    asked = CaptionRequest("nova", hints=Hints(tempo_bpm=120), siblings=(GOOD,))
    caption = await nova.captions(writer).generate(ada(), asked)
    assert (caption.provenance.attempts, caption.warnings) == (2, ())


async def test_captions_are_found_by_live_set_and_asset(nova: House) -> None:
    live_set = nova.add_live_set()
    asset = "artists/nova/assets/known"
    of_set = await nova.captions().generate(ada(), CaptionRequest("nova", live_set.uid))
    of_asset = await nova.captions().generate(ada(), CaptionRequest("nova", asset=asset))
    captions = nova.captions()

    assert captions.list("nova", 0, "", live_set=live_set.name).items == [of_set]
    assert captions.list("nova", 0, "", asset=asset).items == [of_asset]
    assert captions.list("nova", 0, "", live_set=live_set.name, asset=asset).items == []
    assert len(captions.list("nova", 0, "").items) == 2


@pytest.mark.parametrize("field", [{"variant": 8}, {"hint": "x" * 301}, {"siblings": ("x",) * 1001}])
def test_a_request_is_checked(field: dict[str, object]) -> None:
    with pytest.raises(FieldInvalid):
        CaptionRequest("nova", **field)  # type: ignore[arg-type]


def test_many_texts_are_checked_at_once(nova: House) -> None:
    live_set = nova.add_live_set()
    texts = [Text(GOOD.replace("Warm", f"Warm {place} {place * 7919} tape"), live_set.uid) for place in range(198)]
    texts += [Text(BAD, live_set.uid), Text(GOOD.replace("120", "90"), tempo_bpm=90)]

    alone = nova.checks.check_all("nova", texts, compare_each_other=False)
    together = nova.checks.check_all("nova", texts, compare_each_other=True)

    assert [f.rule for c in alone for f in c.verdict.violations] == ["P8"]
    assert not any(f.rule == "P11" for c in alone for f in c.verdict.warnings)
    assert all(any(f.rule == "P11" for f in c.verdict.warnings) for c in together)
    with pytest.raises(LiveSetNotFound):
        nova.checks.check_all("nova", [Text(GOOD, "gone")], compare_each_other=False)
    with pytest.raises(FieldInvalid):
        nova.checks.check_all("nova", [], compare_each_other=False)


def test_a_text_is_checked_without_being_kept(nova: House) -> None:
    live_set = nova.add_live_set()

    checked = nova.checks.check("nova", Text(f'"{BAD}"', live_set.uid))

    assert (checked.text, [finding.rule for finding in checked.verdict.violations]) == (BAD, ["P8"])
    assert [finding.rule for finding in checked.fixes] == ["P7"]
    assert nova.captions().list("nova", 0, "").items == []
