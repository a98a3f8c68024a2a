"""Training files v4.0: hierarchical JSON and flat JSONL, spliced from bytes that each conversation brings along.

Source of every field and its order: spec of training files, sections 2.5 to 2.7.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chassis.errors import AlreadyExists, FailedPrecondition, NotFound, Violation, require
from chassis.ids import format_name
from services.datasets.domain import jsontext
from services.datasets.domain.conversations import Conversation
from services.datasets.domain.enrichment import VERTICAL, Scaffolding, scaffolding_of, tier_of
from services.datasets.domain.exports import JobState

NAME = "artists/{artist}/training-files/{training_file}"
VERSION_NAME = NAME + "/versions/{version}"
COLLECTION = "training-file-builds"
FORMAT_VERSION, FORMAT_SPEC, DEFAULT_TARGET_MODEL = "4.0.0", "brightrun-lora-v4", "claude-sonnet-4-5"
MAX_MEMBERS = 10_000
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


class TrainingFileNotFound(NotFound):
    """There is no such training file."""

    REASON = "TRAINING_FILE_NOT_FOUND"


class TrainingFileVersionNotFound(NotFound):
    """The training file never had that version."""

    REASON = "TRAINING_FILE_VERSION_NOT_FOUND"


class TrainingFileNameTaken(AlreadyExists):
    """The artist has a training file of that name."""

    REASON = "TRAINING_FILE_NAME_TAKEN"


class ConversationsNotEligible(FailedPrecondition):
    """Some of the conversations cannot be taken; none was."""

    REASON = "CONVERSATIONS_NOT_ELIGIBLE"


class TrainingFileNotBuilt(FailedPrecondition):
    """There is no finished version to read."""

    REASON = "TRAINING_FILE_NOT_BUILT"


class TrainingFileBusy(FailedPrecondition):
    """A version is being built; wait for it."""

    REASON = "TRAINING_FILE_BUSY"


class TrainingFileStateInvalid(FailedPrecondition):
    """The training file's state does not allow this."""

    REASON = "TRAINING_FILE_STATE_INVALID"


class TrainingFileState(enum.StrEnum):
    """Where a training file stands."""

    PROCESSING = "PROCESSING"
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    FAILED = "FAILED"


class Finding(enum.StrEnum):
    """Whether a conversation can be taken."""

    ELIGIBLE = "ELIGIBLE"
    NOT_FOUND = "NOT_FOUND"
    NOT_ENRICHED = "NOT_ENRICHED"
    MISSING_DOCUMENT = "MISSING_DOCUMENT"
    DUPLICATE = "DUPLICATE"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What preflight says of one conversation."""

    conversation: str
    finding: Finding
    message: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A conversation inside a training file, as it was when it was taken."""

    conversation_uid: str
    conversation: str  # resource name
    conversation_id: str
    position: int
    added_in_version: int
    score: float | None
    quality_tier: str
    pair_count: int
    trainable_pair_count: int
    human_reviewed_count: int
    persona_key: str
    arc_key: str
    topic_key: str
    source_sha256: str
    json_key: str
    jsonl_key: str
    json_size_bytes: int
    jsonl_size_bytes: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """Quality and balance of a version; computed from its members alone."""

    conversation_count: int = 0
    pair_count: int = 0
    trainable_pair_count: int = 0
    scored_count: int = 0
    mean_score: float = 0.0
    min_score: float = 0.0
    max_score: float = 0.0
    human_reviewed_count: int = 0
    human_reviewed_percent: float = 0.0
    personas: dict[str, int] = field(default_factory=dict)
    emotional_arcs: dict[str, int] = field(default_factory=dict)
    training_topics: dict[str, int] = field(default_factory=dict)
    quality_tiers: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Version:
    """One build of a training file."""

    artist: str
    uid: str
    training_file_uid: str
    sequence: int
    principal: str
    create_time: datetime
    update_time: datetime
    state: JobState = JobState.QUEUED
    progress_percent: float = 0.0
    stage: str = ""
    attempt: int = 0
    eta_s: float | None = None
    statistics: Statistics | None = None
    json_key: str = ""
    json_size_bytes: int = 0
    json_sha256: str = ""
    jsonl_key: str = ""
    jsonl_size_bytes: int = 0
    jsonl_sha256: str = ""
    error_reason: str = ""
    error_message: str = ""
    end_time: datetime | None = None

    @property
    def name(self) -> str:
        """Its resource name."""
        return format_name(
            VERSION_NAME, artist=self.artist, training_file=self.training_file_uid, version=str(self.sequence)
        )


@dataclass(frozen=True, slots=True)
class TrainingFile:
    """A named set of conversations with immutable versions."""

    artist: str
    uid: str
    display_name: str
    create_time: datetime
    update_time: datetime
    description: str = ""
    target_model: str = ""
    profile: dict[str, Any] = field(default_factory=dict)  # empty: the platform's neutral one
    jsonl_header: bool = False
    state: TrainingFileState = TrainingFileState.PROCESSING
    current: Version | None = None
    revision: int = 1

    def __post_init__(self) -> None:
        name = self.display_name
        require(len(name.strip()) >= 1 and len(name) <= 255, "training_file.display_name", "1 to 255 characters")
        require(name.isprintable(), "training_file.display_name", "one line without control characters")
        require(len(self.description) <= 4096, "training_file.description", "0 to 4,096 characters")
        require("\x00" not in self.description, "training_file.description", "no NUL characters")
        require(len(self.target_model) <= 255, "training_file.target_model", "0 to 255 characters")
        require(
            not self.target_model or self.target_model.isprintable(), "training_file.target_model", "one printable line"
        )
        profile = jsontext.write(self.profile)
        require(len(profile) <= 64 * 1024, "training_file.profile", "up to 64 KiB as JSON")
        require(b"\\u0000" not in profile, "training_file.profile", "no NUL characters")

    @property
    def name(self) -> str:
        """Its resource name."""
        return format_name(NAME, artist=self.artist, training_file=self.uid)

    @property
    def etag(self) -> str:
        """Changes with every change of the file."""
        return f"{self.revision}-{self.uid[-12:]}"


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


def statistics_of(members: Iterable[Member]) -> Statistics:
    """The numbers of a set of members."""
    taken = list(members)
    scores = [member.score for member in taken if member.score is not None]
    trainable = sum(member.trainable_pair_count for member in taken)
    reviewed = sum(member.human_reviewed_count for member in taken)
    return Statistics(
        conversation_count=len(taken),
        pair_count=sum(member.pair_count for member in taken),
        trainable_pair_count=trainable,
        scored_count=len(scores),
        mean_score=round(sum(scores) / len(scores), 4) if scores else 0.0,
        min_score=round(min(scores), 4) if scores else 0.0,
        max_score=round(max(scores), 4) if scores else 0.0,
        human_reviewed_count=reviewed,
        human_reviewed_percent=round(100 * reviewed / trainable, 4) if trainable else 0.0,
        personas=_counts(member.persona_key for member in taken),
        emotional_arcs=_counts(member.arc_key for member in taken),
        training_topics=_counts(member.topic_key for member in taken),
        quality_tiers=_counts(member.quality_tier for member in taken),
    )


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


def refuse_ineligible(verdicts: Sequence[Verdict]) -> None:
    """Nothing if every conversation can be taken.

    Raises:
        ConversationsNotEligible: Some cannot; the error carries each of them, and none is taken.
    """
    faults = [verdict for verdict in verdicts if verdict.finding != Finding.ELIGIBLE]
    if faults:
        shown = "; ".join(f"{fault.conversation}: {fault.message}" for fault in faults[:3])
        raise ConversationsNotEligible(
            f"{len(faults)} of {len(verdicts)} conversations cannot be taken, so none was: {shown}",
            violations=[
                Violation(fault.conversation, f"{fault.finding.value}: {fault.message}") for fault in faults[:200]
            ],
            metadata={"count": str(len(faults))},
        )


def _counts(keys: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(key for key in keys if key).items()))


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
