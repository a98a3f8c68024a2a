"""Captions: what is asked for, what comes back, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.errors import (
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unavailable,
    collect,
    require,
)
from services.prompt.domain.artists import is_clean
from services.prompt.domain.findings import Finding

# How many different texts there are for the same input.
VARIANTS = 8


class CaptionNotFound(NotFound):
    """No such caption for this caller."""

    REASON = "CAPTION_NOT_FOUND"


class PromptVersionUnknown(InvalidArgument):
    """There is no instruction of that version."""

    REASON = "PROMPT_VERSION_UNKNOWN"


class OpenAiThrottled(ResourceExhausted):
    """The model's provider takes no more requests for now."""

    REASON = "OPENAI_THROTTLED"


class OpenAiRefused(Unavailable):
    """The model's provider refuses our key, model or request."""

    REASON = "OPENAI_REFUSED"


class ModelBusy(ResourceExhausted):
    """As many questions are with the model as this installation allows."""

    REASON = "MODEL_BUSY"


class ChatNotConfigured(FailedPrecondition):
    """There is no language model to talk to."""

    REASON = "CHAT_NOT_CONFIGURED"


@dataclass(frozen=True, slots=True)
class Hints:
    """What a person knows about a piece; empty where they know nothing."""

    tempo_bpm: float | None = None
    time_signature: str = ""
    key: str = ""
    genres: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    notes: str = ""

    def __post_init__(self) -> None:
        with collect() as violations:
            tempo = self.tempo_bpm
            violations.require(tempo is None or 20 <= tempo <= 999, "hints.tempo_bpm", "20 to 999, or 0 for unknown")
            for field, items, most in (
                ("genres", self.genres, 10),
                ("moods", self.moods, 10),
                ("instruments", self.instruments, 20),
            ):
                fits = len(items) <= most and all(0 < len(item) <= 60 and is_clean(item) for item in items)
                violations.require(fits, f"hints.{field}", f"at most {most} of 1 to 60 printable characters")
            fits = len(self.notes) <= 1000 and is_clean(self.notes, lines=True)
            violations.require(fits, "hints.notes", "at most 1,000 characters, none of them control characters")
            for field, text in (("time_signature", self.time_signature), ("key", self.key)):
                violations.require(
                    len(text) <= 40 and is_clean(text), f"hints.{field}", "at most 40 printable characters"
                )


@dataclass(frozen=True, slots=True)
class CaptionRequest:
    """What a caption is written from; ids within the artist, empty where there is none."""

    artist: str
    live_set: str = ""
    asset: str = ""
    hints: Hints = Hints()
    prompt_version: str = ""
    request_id: str = ""
    hint: str = ""
    variant: int = 0
    siblings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        with collect() as violations:
            fits = len(self.hint) <= 300 and is_clean(self.hint, lines=True)
            violations.require(fits, "hint", "at most 300 characters, none of them control characters")
            violations.require(0 <= self.variant < VARIANTS, "variant", f"0 to {VARIANTS - 1}")
            with violations.within():
                check_siblings(self.siblings)


def check_siblings(siblings: Sequence[str], field: str = "siblings") -> None:
    """Raise if there are too many captions of the dataset, or too long ones."""
    require(len(siblings) <= 1000, field, "at most 1,000 captions")
    require(all(len(sibling) <= 10_000 for sibling in siblings), field, "captions of at most 10,000 characters")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written; 0 when unknown."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.prompt_tokens + other.prompt_tokens, self.completion_tokens + other.completion_tokens)


@dataclass(frozen=True, slots=True)
class Prices:
    """What a model costs in US dollars per million tokens; 0 when free or unknown."""

    prompt_usd: float = 0.0
    completion_usd: float = 0.0

    def cost_usd_micros(self, usage: Usage) -> int:
        """The cost in millionths of a US dollar, rounded to whole ones."""
        return round(usage.prompt_tokens * self.prompt_usd + usage.completion_tokens * self.completion_usd)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who wrote a caption, with what, from what."""

    engine: str
    model: str
    prompt_version: str
    temperature: float
    input_sha256: str
    master_schema_sha256: str
    live_set: str  # resource names, empty when there was none
    asset: str
    raw_text: str
    attempts: int
    usage: Usage
    latency_ms: int
    generate_time: datetime
    principal: str
    cost_usd_micros: int = 0
    variant: int = 0
    hint: str = ""
    tempo_bpm: float = 0.0  # 0 when none was known
    tempo_source: str = ""  # hints, live_set or audio; empty when none was known
    instruction_sha256: str = ""
    live_set_sha256: str = ""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption and what the rules say of it; never changes."""

    artist: str
    uid: str
    text: str
    violations: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    provenance: Provenance
    create_time: datetime

    @property
    def name(self) -> str:
        """The resource name."""
        return f"artists/{self.artist}/captions/{self.uid}"


@dataclass(frozen=True, slots=True)
class Retry:
    """An attempt broke rules and another one starts."""

    attempt: int
    violations: tuple[Finding, ...]
