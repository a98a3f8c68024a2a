"""Training files: named sets of conversations in immutable versions, and the numbers of a set."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.errors import AlreadyExists, FailedPrecondition, NotFound, Violation, require
from chassis.ids import format_name
from services.datasets.domain import jsontext
from services.datasets.domain.exports import JobState

NAME = "artists/{artist}/training-files/{training_file}"
VERSION_NAME = NAME + "/versions/{version}"
COLLECTION = "training-file-builds"
MAX_MEMBERS = 10_000


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
