"""Conversations: dialogues on their way to training pairs."""

from __future__ import annotations

import enum
import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.errors import AlreadyExists, DataLoss, FailedPrecondition, InvalidArgument, NotFound, Violation, require
from chassis.ids import format_name
from services.datasets.domain import jsontext
from services.datasets.domain.validation import Report

NAME = "artists/{artist}/conversations/{conversation}"
MAX_DOCUMENT_BYTES = 10 * 2**20
MAX_BATCH = 100
_DATASET_NAME = re.compile(r"fp_conversation_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_KEY = re.compile(r"[a-z0-9_]{0,100}")


class ConversationNotFound(NotFound):
    """There is no such conversation."""

    REASON = "CONVERSATION_NOT_FOUND"


class ConversationInvalid(InvalidArgument):
    """The document has blockers."""

    REASON = "CONVERSATION_INVALID"


class ConversationIdTaken(AlreadyExists):
    """Another conversation of the artist has that UUID."""

    REASON = "CONVERSATION_ID_TAKEN"


class ConversationInUse(FailedPrecondition):
    """A training file holds the conversation."""

    REASON = "CONVERSATION_IN_USE"


class ConversationNotEnriched(FailedPrecondition):
    """The conversation has no training pairs yet."""

    REASON = "CONVERSATION_NOT_ENRICHED"


class ConversationAlreadyEnriched(FailedPrecondition):
    """The document that was taken in holds training pairs already."""

    REASON = "CONVERSATION_ALREADY_ENRICHED"


class DocumentDamaged(DataLoss):
    """Stored bytes are not what was stored."""

    REASON = "DOCUMENT_DAMAGED"


class ConversationState(enum.StrEnum):
    """How far a conversation is on the way to training pairs."""

    NOT_STARTED = "NOT_STARTED"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    VALIDATED = "VALIDATED"
    ENRICHMENT_IN_PROGRESS = "ENRICHMENT_IN_PROGRESS"
    ENRICHED = "ENRICHED"
    NORMALIZATION_FAILED = "NORMALIZATION_FAILED"
    COMPLETED = "COMPLETED"


class DocumentKind(enum.StrEnum):
    """What a document holds."""

    RAW = "RAW"
    PARSED = "PARSED"
    ENRICHED = "ENRICHED"


class ReviewState(enum.StrEnum):
    """Where a person's review stands."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class Persona:
    """Who the client is; `demographics` and `background` are a text, an object or None."""

    key: str = ""
    display_name: str = ""
    archetype: str = ""
    demographics: Any = None
    background: Any = None


@dataclass(frozen=True, slots=True)
class EmotionalArc:
    """How the feeling moves."""

    key: str = ""
    display_name: str = ""
    starting_emotion: str = ""
    ending_emotion: str = ""


@dataclass(frozen=True, slots=True)
class TrainingTopic:
    """What it is about."""

    key: str = ""
    display_name: str = ""
    complexity_level: str = ""


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """The template that it was generated with."""

    display_name: str = ""
    category: str = ""
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a conversation's making; all of it goes into its training pairs."""

    persona: Persona = Persona()
    emotional_arc: EmotionalArc = EmotionalArc()
    training_topic: TrainingTopic = TrainingTopic()
    template: PromptTemplate | None = None
    system_prompt: str = ""
    profile: dict[str, Any] = field(default_factory=dict)  # empty: the platform's neutral one
    quality_score: float | None = None  # 0 to 5

    def __post_init__(self) -> None:
        for name, key in (
            ("persona.key", self.persona.key),
            ("emotional_arc.key", self.emotional_arc.key),
            ("training_topic.key", self.training_topic.key),
        ):
            require(_KEY.fullmatch(key) is not None, name, "0 to 100 lower-case letters, digits and underscores")
        texts = {
            "persona.display_name": (self.persona.display_name, 255),
            "persona.archetype": (self.persona.archetype, 255),
            "emotional_arc.display_name": (self.emotional_arc.display_name, 255),
            "emotional_arc.starting_emotion": (self.emotional_arc.starting_emotion, 100),
            "emotional_arc.ending_emotion": (self.emotional_arc.ending_emotion, 100),
            "training_topic.display_name": (self.training_topic.display_name, 255),
            "training_topic.complexity_level": (self.training_topic.complexity_level, 100),
            "system_prompt": (self.system_prompt, 32_768),
        }
        if self.template is not None:
            texts["template.display_name"] = (self.template.display_name, 255)
            texts["template.category"] = (self.template.category, 100)
            require(len(self.template.skills) <= 50, "template.skills", "up to 50 entries")
        for name, (text, limit) in texts.items():
            require(len(text) <= limit and "\x00" not in text, name, f"0 to {limit:,} characters, no NUL")
        if self.quality_score is not None:
            require(0 <= self.quality_score <= 5, "quality_score", f"0 to 5, not {self.quality_score}")
        for name, value in (
            ("persona.demographics", self.persona.demographics),
            ("persona.background", self.persona.background),
            ("profile", self.profile),
        ):
            written = jsontext.write(value)
            require(len(written) <= 64 * 1024 and b"\\u0000" not in written, name, "up to 64 KiB as JSON, no NUL")


@dataclass(frozen=True, slots=True)
class Enrichment:
    """The stored training pairs of a conversation."""

    object_key: str  # the enriched document; the fragments for training files lie beside it
    sha256: str
    size_bytes: int
    pair_count: int
    trainable_pair_count: int
    human_reviewed_count: int
    score: float | None
    quality_tier: str
    persona_key: str
    arc_key: str
    topic_key: str
    json_size_bytes: int
    jsonl_size_bytes: int

    @property
    def json_key(self) -> str:
        """Key of the bytes that the JSON training file takes."""
        return self.object_key.removesuffix("enriched.json") + "member.json"

    @property
    def jsonl_key(self) -> str:
        """Key of the lines that the JSONL training file takes."""
        return self.object_key.removesuffix("enriched.json") + "member.jsonl"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A dialogue with what is known of its making; the documents are objects."""

    artist: str
    uid: str
    conversation_id: str  # lower-case UUID, carried by training files
    display_name: str
    document_kind: DocumentKind
    document_key: str
    document_sha256: str
    document_size_bytes: int
    turn_count: int
    create_time: datetime
    update_time: datetime
    generate_time: datetime
    context: Context = Context()
    review_state: ReviewState = ReviewState.PENDING
    batch: str = ""
    state: ConversationState = ConversationState.NOT_STARTED
    report: Report = field(default_factory=Report)
    enrichment: Enrichment | None = None
    revision: int = 1

    @property
    def name(self) -> str:
        """Its resource name."""
        return format_name(NAME, artist=self.artist, conversation=self.uid)

    @property
    def etag(self) -> str:
        """Changes with every change of the row."""
        return f"{self.revision}-{self.uid[-12:]}"


def check_conversation_id(given: str, document: dict[str, Any], uid: str) -> str:
    """The UUID of a conversation: the given one in lower case, the one that the document names, or one of its own."""
    if not given:
        if named := _DATASET_NAME.fullmatch(str(document.get("dataset_metadata", {}).get("dataset_name"))):
            return named[1]
        # Ids of pairs carry the first 8 digits, and those of the row's own id are the time.
        return str(uuid.uuid5(uuid.NAMESPACE_OID, uid))
    try:
        found = str(uuid.UUID(given))
    except ValueError:
        found = ""
    require(found == given.lower(), "conversation.conversation_id", f"a UUID with hyphens, not {given[:60]!r}")
    return found


def refuse_invalid(report: Report) -> None:
    """Nothing if the report has no blocker.

    Raises:
        ConversationInvalid: It has; the error carries all of them.
    """
    if report.is_valid:
        return
    first = report.blockers[0]
    raise ConversationInvalid(
        f"the document has {len(report.blockers)} blockers, the first at {first.field}: {first.message}; "
        f"{first.suggestion}",
        violations=[Violation(issue.field, f"{issue.code}: {issue.message}") for issue in report.blockers[:200]],
        metadata={"blockers": str(len(report.blockers))},
    )
