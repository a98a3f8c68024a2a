"""The training-file format against documents that were made by executing the reference's rules on invented content."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.datasets.domain import jsontext, validation
from services.datasets.domain.conversations import (
    Context,
    Conversation,
    DocumentKind,
    EmotionalArc,
    Persona,
    PromptTemplate,
    TrainingTopic,
)
from services.datasets.domain.enrichment import enrich
from services.datasets.domain.splicing import Fragments, fragments_of, write_json, write_jsonl
from services.datasets.domain.training_files import Member, TrainingFile, statistics_of

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
PROFILE = {"name": "Elena Morales, CFP", "business": "Pathways Financial Planning"}
PLACEHOLDER = "__CONSULTANT_PROFILE__"


def read(name: str) -> Any:
    return json.loads((HERE / name).read_bytes())


def conversation(index: int) -> Conversation:
    rows = read("00_db_rows.json")
    row, persona, arc = rows["conversations"][index], rows["personas"][0], rows["emotional_arcs"][0]
    topic, template = rows["training_topics"][0], rows["prompt_templates"][0]
    context = Context(
        persona=Persona(
            persona["persona_key"],
            persona["name"],
            persona["archetype"],
            persona["demographics"],
            persona["financial_background"],
        ),
        emotional_arc=EmotionalArc(arc["arc_key"], arc["name"], arc["starting_emotion"], arc["ending_emotion"]),
        training_topic=TrainingTopic(topic["topic_key"], topic["name"], topic["complexity_level"]),
        template=PromptTemplate(template["template_name"], template["category"], tuple(template["suitable_personas"])),
        system_prompt=rows["generation_logs"][index]["request_payload"]["system_prompt"],
        profile=PROFILE,
        quality_score=row["quality_score"],
    )
    created = datetime.fromisoformat(row["created_at"])
    return Conversation(
        "lab",
        "0" * 32,
        row["conversation_id"],
        "",
        DocumentKind.PARSED,
        "",
        "",
        0,
        4,
        created,
        created,
        created,
        context,
    )


def member(of: Conversation, fragments: Fragments, position: int) -> Member:
    chosen = fragments.scaffolding
    return Member(
        of.uid,
        of.name,
        of.conversation_id,
        position,
        1,
        fragments.score,
        fragments.quality_tier,
        fragments.pair_count,
        fragments.trainable_pair_count,
        fragments.human_reviewed_count,
        chosen.persona_key,
        chosen.arc_key,
        chosen.topic_key,
        "",
        "",
        "",
        len(fragments.member_json),
        len(fragments.member_jsonl),
    )


def pieces(data: bytes) -> Iterator[bytes]:
    yield from (data[at : at + 100] for at in range(0, len(data), 100))


@pytest.fixture
def training_file() -> TrainingFile:
    return TrainingFile("lab", "1" * 32, "Harbour Lane pilot", NOW, NOW, jsonl_header=True)


def test_a_parsed_conversation_is_enriched_to_the_golden_document_byte_for_byte() -> None:
    report, document = validation.check_text((HERE / "01_parsed_A.json").read_bytes())

    enriched = enrich(conversation(0), document)

    assert report.is_valid
    enriched["consultant_profile"] = PLACEHOLDER
    assert jsontext.write_indented(enriched) == (HERE / "02_enriched_A.json").read_bytes()


def test_the_json_training_file_is_the_golden_one_byte_for_byte(training_file: TrainingFile) -> None:
    source = conversation(0)
    fragments = fragments_of(source, read("02_enriched_A.json"))
    statistics = statistics_of([member(source, fragments, 1)])

    built = b"".join(write_json(training_file, PLACEHOLDER, statistics, [pieces(fragments.member_json)], built_at=NOW))

    instant = b"<now, ISO-8601 ms Z>"
    assert built.replace(b"2026-03-01T12:00:00.500Z", instant) == (HERE / "03_training_create_A.json").read_bytes()


def test_the_jsonl_training_file_is_the_golden_one_byte_for_byte(training_file: TrainingFile) -> None:
    source = conversation(0)
    fragments = fragments_of(source, read("02_enriched_A.json"))
    statistics = statistics_of([member(source, fragments, 1)])

    built = b"".join(write_jsonl(training_file, statistics, [pieces(fragments.member_jsonl)]))

    assert built == (HERE / "03_training_create_A.jsonl").read_bytes()


def test_without_a_header_every_line_is_a_pair(training_file: TrainingFile) -> None:
    fragments = fragments_of(conversation(0), read("02_enriched_A.json"))
    nobody_answers: list[bytes] = []

    built = b"".join(
        write_jsonl(
            replace(training_file, jsonl_header=False),
            statistics_of([]),
            [nobody_answers, pieces(fragments.member_jsonl), nobody_answers, pieces(fragments.member_jsonl)],
        )
    )

    lines = [json.loads(line) for line in built.split(b"\n")]
    assert [line["turn_number"] for line in lines] == [2, 4, 2, 4]


def test_json_and_rows_tell_one_truth_about_quality() -> None:
    sources = [conversation(0), conversation(1)]
    documents = [read("02_enriched_A.json"), read("02_enriched_B.json")]
    fragments = [fragments_of(*pair) for pair in zip(sources, documents, strict=True)]

    numbers = statistics_of(member(*pair, 1) for pair in zip(sources, fragments, strict=True))

    assert (numbers.mean_score, numbers.min_score, numbers.max_score) == (3.8, 3.0, 4.6)
    assert (numbers.pair_count, numbers.trainable_pair_count) == (7, 3)
    assert numbers.personas == {"steady_builder": 2}
    assert numbers.quality_tiers == {"experimental": 1, "seed_dataset": 1}
