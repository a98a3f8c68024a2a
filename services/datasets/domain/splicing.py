"""The files of a training file: JSON and JSONL, spliced from bytes that each conversation brings along.

Source of every field and its order: spec of training files, sections 2.5 to 2.7.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.datasets.domain import jsontext
from services.datasets.domain.conversations import Conversation
from services.datasets.domain.enrichment import VERTICAL, Scaffolding, scaffolding_of, tier_of
from services.datasets.domain.training_files import Statistics, TrainingFile

FORMAT_VERSION, FORMAT_SPEC, DEFAULT_TARGET_MODEL = "4.0.0", "brightrun-lora-v4", "claude-sonnet-4-5"
_MEMBER_LEVEL = 2  # a conversation stands two levels deep in the JSON file
LINE_KEYS = (
    "id",
    "conversation_id",
    "turn_number",
    "conversation_metadata",
    "system_prompt",
    "conversation_history",
    "current_user_input",
    "emotional_context",
    "target_response",
    "training_metadata",
)


@dataclass(frozen=True, slots=True)
class Fragments:
    """What one conversation contributes: its place in the JSON, its lines of the JSONL, and its numbers."""

    member_json: bytes
    member_jsonl: bytes
    pair_count: int
    trainable_pair_count: int
    human_reviewed_count: int
    score: float | None
    quality_tier: str
    scaffolding: Scaffolding


def fragments_of(conversation: Conversation, enriched: dict[str, Any]) -> Fragments:
    """The bytes that training files splice in, from an enriched document."""
    pairs: list[dict[str, Any]] = enriched["training_pairs"]
    score = score_of(conversation.context.quality_score, pairs)
    chosen = scaffolding_of(conversation.context, enriched.get("input_parameters", {}))
    first = pairs[0]["conversation_metadata"]
    metadata = {
        "conversation_id": conversation.conversation_id,
        "source_file": f"fp_conversation_{conversation.conversation_id}.json",
        "created_date": conversation.generate_time.astimezone(UTC).date().isoformat(),
        "total_turns": len(pairs),
        "quality_tier": tier_of(score),
        "scaffolding": {
            "persona_key": chosen.persona_key,
            "persona_name": chosen.persona_name or _text(first.get("client_persona")),
            "emotional_arc_key": chosen.arc_key,
            "emotional_arc": chosen.arc_name or _text(first.get("emotional_arc")),
            "training_topic_key": chosen.topic_key,
            "training_topic": chosen.topic_name or _text(first.get("training_topic")),
        },
    }
    member = {"conversation_metadata": metadata, "training_pairs": pairs}
    answers = [pair for pair in pairs if pair["target_response"] is not None]
    lines = [jsontext.write(_line(pair, conversation.conversation_id)) for pair in answers]
    return Fragments(
        member_json=jsontext.write_indented(member, level=_MEMBER_LEVEL),
        member_jsonl=b"\n".join(lines),
        pair_count=len(pairs),
        trainable_pair_count=len(answers),
        human_reviewed_count=sum(pair["training_metadata"].get("human_reviewed") is True for pair in answers),
        score=score,
        quality_tier=tier_of(score),
        scaffolding=chosen,
    )


def _line(pair: dict[str, Any], conversation_id: str) -> dict[str, Any]:
    line = {key: pair[key] for key in LINE_KEYS}
    return line | {"id": f"{pair['id']}_{conversation_id[:8]}", "conversation_id": conversation_id}


def score_of(own: float | None, pairs: Sequence[dict[str, Any]]) -> float | None:
    """A conversation's score: its own, else the mean of its assistant pairs' scores; None when there is none.

    Source: spec of training files, section 2.6, the one definition that JSON, rows and API share.
    """
    if own:
        return own
    scores = [
        pair["training_metadata"].get("quality_score") for pair in pairs if pair.get("target_response") is not None
    ]
    known = [float(score) for score in scores if isinstance(score, int | float) and not isinstance(score, bool)]
    return sum(known) / len(known) if known else None


def write_json(
    file: TrainingFile, profile: Any, statistics: Statistics, members: Iterable[Iterable[bytes]], *, built_at: datetime
) -> Iterator[bytes]:
    """The hierarchical file, in pieces: a head that is made here, and the members' bytes as they are.

    Args:
        file: Whose file it is.
        profile: The consultant of the file.
        statistics: Numbers of the members.
        members: The pieces of `Fragments.member_json` of each member, in order.
        built_at: When this version is built; `created_date` is when the file was made.
    """
    head = {
        "training_file_metadata": _metadata(file, statistics, built_at),
        "consultant_profile": profile,
        "conversations": [],
    }
    yield jsontext.write_indented(head).removesuffix(b"[]\n}") + b"[\n    "
    for place, pieces in enumerate(members):
        if place:
            yield b",\n    "
        yield from pieces
    yield b"\n  ]\n}"


def write_jsonl(file: TrainingFile, statistics: Statistics, members: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    """The flat file, in pieces: one line per pair with an answer, no newline at the end."""
    started = file.jsonl_header
    if started:
        meta = {"file_name": file.display_name, "total_pairs": statistics.pair_count, "version": FORMAT_VERSION}
        yield jsontext.write({"_meta": meta})
    for pieces in members:
        before = b"\n" if started else b""
        for piece in pieces:  # none when nobody answers in the conversation
            yield before + piece
            before, started = b"", True


def _metadata(file: TrainingFile, statistics: Statistics, built_at: datetime) -> dict[str, Any]:
    return {
        "file_name": file.display_name,
        "version": FORMAT_VERSION,
        "created_date": _instant(file.create_time),
        "last_updated": _instant(built_at),
        "format_spec": FORMAT_SPEC,
        "target_model": file.target_model or DEFAULT_TARGET_MODEL,
        "vertical": VERTICAL,
        "total_conversations": statistics.conversation_count,
        "total_training_pairs": statistics.pair_count,
        "quality_summary": {
            "avg_quality_score": jsontext.number(statistics.mean_score),
            "min_quality_score": jsontext.number(statistics.min_score),
            "max_quality_score": jsontext.number(statistics.max_score),
            "human_reviewed_count": statistics.human_reviewed_count,
            "human_reviewed_percentage": jsontext.number(statistics.human_reviewed_percent),
        },
        "scaffolding_distribution": {
            "personas": statistics.personas,
            "emotional_arcs": statistics.emotional_arcs,
            "training_topics": statistics.training_topics,
        },
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
