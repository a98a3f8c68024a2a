import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.errors import FieldInvalid
from services.datasets.domain import jsontext, validation
from services.datasets.domain.conversations import (
    Context,
    Conversation,
    DocumentKind,
    EmotionalArc,
    Persona,
    TrainingTopic,
)
from services.datasets.domain.enrichment import background_of, enrich, tier_of, valence_of
from services.datasets.domain.splicing import score_of

NOW = datetime(2026, 2, 11, tzinfo=UTC)


def turn(number: int, role: str, content: str = "What should I do about rent?", **emotion: Any) -> dict[str, Any]:
    context = {"primary_emotion": "worry", "secondary_emotion": "doubt", "intensity": 0.5, **emotion}
    return {"turn_number": number, "role": role, "content": content, "emotional_context": context}


def document(*turns: dict[str, Any], **extra: Any) -> dict[str, Any]:
    metadata = {"client_persona": "Ada", "session_context": "Rent is due.", "conversation_phase": "opening"}
    metadata["expected_outcome"] = "One step."
    return {
        "conversation_metadata": metadata,
        "turns": list(turns) or [turn(1, "user"), turn(2, "assistant", "That is a heavy week, Ada.")],
        **extra,
    }


def conversation(context: Context | None = None) -> Conversation:
    name = "3f6c1d52-8a41-4c0e-9b7d-51c2a9e40f11"
    return Conversation("lab", "0" * 32, name, "", DocumentKind.RAW, "", "", 0, 2, NOW, NOW, NOW, context or Context())


def codes(value: Any) -> list[str]:
    return [issue.code for issue in validation.check(value).issues]


def test_a_clean_document_has_no_findings() -> None:
    assert codes(document()) == []


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ({}, "MISSING_CONVERSATION_METADATA"),
        ({"conversation_metadata": {"client_persona": " "}}, "MISSING_CLIENT_PERSONA"),
        (document(turn(1, "user")), "INSUFFICIENT_TURNS"),
        ({**document(), "turns": "no"}, "MISSING_TURNS_ARRAY"),
        ({**document(), "turns": [None, turn(2, "assistant")]}, "INVALID_TURN"),
        (document(turn(1, "user"), turn(3, "assistant")), "TURN_NUMBER_MISMATCH"),
        (document(turn(1, "user"), turn(1, "assistant")), "DUPLICATE_TURN_NUMBER"),
        (document(turn(1, "user"), turn(2, "user")), "ROLE_NOT_ALTERNATING"),
        (document(turn(1, "user"), turn(2, "robot")), "INVALID_ROLE"),
        (document(turn(1, "user"), turn(2, "assistant", " ")), "MISSING_CONTENT"),
        (document(turn(1, "user"), turn(2, "assistant", "Ok.")), "SHORT_CONTENT"),
        (document(turn(1, "user"), turn(2, "assistant", intensity=1.5)), "INTENSITY_OUT_OF_RANGE"),
        (document(turn(1, "user"), turn(2, "assistant", intensity=True)), "MISSING_INTENSITY"),
        (document(turn(1, "user"), turn(2, "assistant", intensity=1)), "EXTREME_INTENSITY"),
        (document(turn(1, "user"), turn(2, "assistant", primary_emotion="")), "MISSING_PRIMARY_EMOTION"),
        (document(turn(1, "user"), turn(2, "assistant", secondary_emotion=None)), "MISSING_SECONDARY_EMOTION"),
        (document(input_parameters={"persona_key": 3}), "INVALID_INPUT_PARAMETERS"),
        (None, "INVALID_JSON_SYNTAX"),
        ({"training_pairs": []}, "MISSING_TRAINING_PAIRS"),
    ],
)
def test_a_broken_document_is_reported_with_its_code(broken: Any, code: str) -> None:
    assert code in codes(broken)


def test_every_finding_is_reported_at_once() -> None:
    report = validation.check({"conversation_metadata": {}, "turns": [turn(1, "robot", ""), turn(2, "user", "")]})

    assert [issue.field for issue in report.blockers] == [
        "conversation_metadata",
        "turns[0].role",
        "turns[0].content",
        "turns[1].content",
    ]


@pytest.mark.parametrize("text", ["{", "NaN", '{"a": "\\ud800"}', "[" * 200 + "]" * 200, "[" * 100_000, "1" * 5000])
def test_what_is_not_json_is_a_blocker(text: str) -> None:
    report, _ = validation.check_text(text)

    assert [issue.code for issue in report.blockers] == ["INVALID_JSON_SYNTAX"]


@pytest.mark.parametrize(
    ("demographics", "background", "expected"),
    [
        (
            {"age": 52, "gender": "female", "location": "Coastal town", "family_status": "widowed"},
            "Pension plus part-time work",
            "Age 52, female, Coastal town, widowed; Pension plus part-time work",
        ),
        ("Aged 29, renting", "First salary", "Aged 29, renting; First salary"),
        ({"age": 61}, "Owns a bakery", "Age 61; Owns a bakery"),
        ({"age": 0}, None, "Age 0"),
        ({"age": None, "gender": 5, "location": "Harbour", "income": "9"}, "", "Harbour"),
        ({}, None, "Client profile: Ada"),
        (["a"], {"x": 1}, '{"x":1}'),
        (42, 7, "Client profile: Ada"),
        ({"age": {"years": 3}}, None, "Client profile: Ada"),
    ],
)
def test_the_clients_background_is_told_in_words(demographics: Any, background: Any, expected: str) -> None:
    context = Context(persona=Persona(demographics=demographics, background=background))

    assert background_of(context, "Ada") == expected


def test_every_pair_carries_the_scaffolding_of_the_context_and_nothing_empty() -> None:
    context = Context(
        persona=Persona(key="steady_builder", display_name="Priya Nair", archetype="The Steady Builder"),
        emotional_arc=EmotionalArc(key="doubt_to_trust", display_name="Doubt → Trust"),
        training_topic=TrainingTopic(key="rent"),
    )

    enriched = enrich(conversation(context), document())

    for pair in enriched["training_pairs"]:
        metadata = pair["conversation_metadata"]
        assert metadata["client_persona"] == "Priya Nair - The Steady Builder"
        assert metadata["persona_archetype"] == "steady_builder"
        assert metadata["emotional_arc_key"] == "doubt_to_trust"
        assert "training_topic" not in metadata
    assert enriched["input_parameters"]["training_topic_key"] == "rent"


def test_parameters_of_the_document_fill_what_the_context_leaves_open() -> None:
    source = document(input_parameters={"persona_key": "night_owl", "training_topic_key": "debt"})

    enriched = enrich(conversation(Context(training_topic=TrainingTopic(key="rent"))), source)

    metadata = enriched["training_pairs"][0]["conversation_metadata"]
    assert (metadata["persona_archetype"], metadata["training_topic_key"]) == ("night_owl", "rent")
    assert enriched["training_pairs"][0]["training_metadata"]["key_learning_objective"] == "rent"


def test_enriching_twice_gives_the_same_bytes() -> None:
    first, second = (jsontext.write(enrich(conversation(), document())) for _ in range(2))

    assert first == second


def test_an_enriched_document_passes_its_own_check() -> None:
    enriched = json.loads(jsontext.write(enrich(conversation(), document())))

    assert validation.check(enriched).is_valid
    assert validation.kind_of(enriched) == "ENRICHED"


@pytest.mark.parametrize(
    ("emotion", "valence"),
    [("hope", "positive"), ("Deep worry", "negative"), ("hopelessness", "negative"), ("overconfidence", "mixed")],
)
def test_valence_goes_by_whole_words(emotion: str, valence: str) -> None:
    assert valence_of(emotion) == valence


@pytest.mark.parametrize(
    ("score", "tier"),
    [
        (4.5, "seed_dataset"),
        (3.5, "production"),
        (2.5, "experimental"),
        (2.4, "rejected"),
        (None, "experimental"),
    ],
)
def test_tiers_follow_the_score(score: float | None, tier: str) -> None:
    assert tier_of(score) == tier


def test_a_conversations_score_counts_its_assistant_pairs_only_without_one_of_its_own() -> None:
    pairs: list[dict[str, Any]] = [
        {"target_response": None, "training_metadata": {"quality_score": 1}},
        {"target_response": "a", "training_metadata": {"quality_score": 4}},
        {"target_response": "b", "training_metadata": {"quality_score": 5}},
    ]

    assert score_of(None, pairs) == 4.5
    assert score_of(2.0, pairs) == 2.0
    assert score_of(None, pairs[:1]) is None


def test_a_score_outside_0_to_5_is_refused() -> None:
    with pytest.raises(FieldInvalid):
        replace(Context(), quality_score=8.5)
