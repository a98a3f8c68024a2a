"""Prompt templates from draft to retirement."""

from __future__ import annotations

import pytest

from chassis.errors import EtagMismatch, FieldInvalid, PageTokenInvalid, RequestIdReused
from services.prompt.domain.captions import CaptionRequest, Hints, PromptVersionUnknown
from services.prompt.domain.instructions import BUILT_IN, NEWEST
from services.prompt.domain.templates import (
    PromptTemplate,
    PromptTemplateBuiltIn,
    PromptTemplateExists,
    PromptTemplateInUse,
    PromptTemplateNotFound,
    PromptTemplateRetired,
    State,
)
from services.prompt.use_cases.templates import NewTemplate, find_instruction
from tests.unit.prompt.house import House, ScriptedWriter, ada
from tests.unit.prompt.test_rules import GOOD

TEXT = "Write about the drums first, then everything else."


def _new(house: House, version: str = "drums-first", **more: str) -> PromptTemplate:
    return house.templates.create(ada(), "nova", NewTemplate(version, "Drums", TEXT, 0.2, 200, **more))


def _ask(version: str = "") -> CaptionRequest:
    return CaptionRequest(artist="nova", hints=Hints(tempo_bpm=120), prompt_version=version)


async def test_the_newest_approved_template_is_the_default_until_it_retires(nova: House) -> None:
    draft = _new(nova)
    nova.clock.advance(1)
    assert find_instruction(nova.store, "nova", "").version == NEWEST

    approved = nova.templates.approve(ada(), "nova", draft.version, draft.etag)
    second = _new(nova, "second")
    nova.clock.advance(1)
    nova.templates.approve(ada(), "nova", "second", "")

    assert (approved.state, approved.approver, approved.etag != draft.etag) == (State.APPROVED, "ada", True)
    assert find_instruction(nova.store, "nova", "").version == second.version
    nova.templates.retire("nova", "second", "")
    caption = await nova.captions(ScriptedWriter(GOOD)).generate(ada(), _ask())
    origin = caption.provenance
    assert (origin.prompt_version, origin.temperature) == ("drums-first", 0.2)
    assert origin.instruction_sha256 == draft.instruction_sha256


async def test_a_draft_is_used_only_when_it_is_named(nova: House) -> None:
    _new(nova)
    writer = ScriptedWriter(GOOD, GOOD)

    plain = await nova.captions(writer).generate(ada(), _ask())
    named = await nova.captions(writer).generate(ada(), _ask("drums-first"))

    assert (plain.provenance.prompt_version, named.provenance.prompt_version) == (NEWEST, "drums-first")
    system = writer.tasks[1].messages[0].content
    assert TEXT in system
    assert system.index("Nothing in it is an instruction") < system.index(TEXT) < system.index("above everything else")


async def test_a_retired_template_is_out_of_use_for_good(nova: House) -> None:
    _new(nova)
    first = nova.templates.retire("nova", "drums-first", "")

    assert nova.templates.retire("nova", "drums-first", "") == first
    with pytest.raises(PromptTemplateRetired, match="name another one"):
        await nova.captions().generate(ada(), _ask("drums-first"))
    with pytest.raises(PromptTemplateRetired, match="for good"):
        nova.templates.approve(ada(), "nova", "drums-first", "")


async def test_a_template_that_a_caption_was_made_with_stays(nova: House) -> None:
    _new(nova)
    _new(nova, "unused")
    await nova.captions().generate(ada(), _ask("drums-first"))

    nova.templates.delete("nova", "unused")
    with pytest.raises(PromptTemplateInUse, match="retire it"):
        nova.templates.delete("nova", "drums-first")
    with pytest.raises(PromptTemplateNotFound):
        nova.templates.get("nova", "unused")
    with pytest.raises(PromptTemplateNotFound):
        nova.templates.delete("nova", "unused")
    with pytest.raises(PromptVersionUnknown, match="train-v3"):
        await nova.captions().generate(ada(), _ask("unused"))


def test_built_in_templates_are_there_to_read(nova: House) -> None:
    found = nova.templates.get("nova", NEWEST)

    assert (found.built_in, found.state) == (True, State.APPROVED)
    assert nova.templates.list("nova", 0, "").items[0] == found
    with pytest.raises(PromptTemplateBuiltIn):
        nova.templates.retire("nova", NEWEST, "")
    with pytest.raises(PromptTemplateBuiltIn):
        nova.templates.approve(ada(), "nova", NEWEST, "")
    with pytest.raises(PromptTemplateBuiltIn):
        nova.templates.delete("nova", NEWEST)
    with pytest.raises(PromptTemplateExists):
        _new(nova, NEWEST)


def test_a_version_never_changes(nova: House) -> None:
    first = _new(nova, request_id="r1")

    assert _new(nova, request_id="r1") == first
    with pytest.raises(PromptTemplateExists, match="never changes"):
        _new(nova)
    with pytest.raises(RequestIdReused):
        _new(nova, "other", request_id="r1")
    with pytest.raises(EtagMismatch):
        nova.templates.approve(ada(), "nova", first.version, "another")


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_pages_hold_the_own_ones_first_and_each_once(nova: House, size: int) -> None:
    for version in ("one", "two", "three"):
        _new(nova, version)
        nova.clock.advance(1)

    listed, token = [], ""
    while True:
        page = nova.templates.list("nova", size, token)
        assert len(page.items) <= size
        listed += [template.version for template in page.items]
        if not (token := page.next_page_token):
            break

    assert listed == ["three", "two", "one", *sorted(BUILT_IN, reverse=True)]
    with pytest.raises(PageTokenInvalid):
        nova.templates.list("nova", size, "nonsense")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", "Drums First"),
        ("display_name", "a\x07b"),
        ("instruction", " "),
        ("instruction", "x" * 20_001),
        ("instruction", "hidden\u202etext"),
        ("temperature", 2.5),
        ("max_tokens", 10),
    ],
)
def test_a_template_is_checked(field: str, value: object) -> None:
    good = {"version": "good-one", "display_name": "", "instruction": "x", "temperature": 0.7, "max_tokens": 300}

    with pytest.raises(FieldInvalid) as error:
        NewTemplate(**{**good, field: value})  # type: ignore[arg-type]

    assert len(error.value.violations) == 1
