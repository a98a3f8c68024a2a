"""Captions as the datasets service meets them: where they come from, what the rules say, what waits for a person.

The rules themselves belong to the prompt service; a caption is only set when it has said yes.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from chassis.errors import InvalidArgument, NotFound, Violation
from services.datasets.domain.findings import Finding

MAX_TEXT = 10_000  # characters; what the prompt service takes for a check
_TEMPO_TAG = re.compile(r"\s*\bBPM: (\d{2,3}(?:\.\d{1,2})?)$")


class CaptionInvalid(InvalidArgument):
    """The caption breaks rules that keep it out of a dataset."""

    REASON = "CAPTION_INVALID"


class LiveSetUnknown(NotFound):
    """There is no such Live Set."""

    REASON = "LIVE_SET_NOT_FOUND"


class CaptionSource(enum.StrEnum):
    """Where a caption comes from."""

    NONE = ""
    GENERATED = "GENERATED"  # as a model or the composer wrote it
    EDITED = "EDITED"  # written so, then changed by a person
    MANUAL = "MANUAL"  # a person's own
    IMPORTED = "IMPORTED"  # came with a file


@dataclass(frozen=True, slots=True)
class CaptionCheck:
    """A text to look at."""

    text: str
    live_set: str = ""  # whose tempo and names count; empty: none
    tempo_bpm: float = 0.0  # a person's; 0: the Live Set's, or any
    siblings: tuple[str, ...] = ()  # captions that it should not repeat


@dataclass(frozen=True, slots=True)
class CaptionVerdict:
    """What was found in a text."""

    text: str  # with everything mended that can be mended without changing its words
    violations: tuple[Finding, ...] = ()  # keep it from being accepted or exported
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A text that waits for a person."""

    text: str
    source_caption: str
    violations: tuple[Finding, ...]
    create_time: datetime


@dataclass(frozen=True, slots=True)
class WrittenCaption:
    """A caption resource of the prompt service."""

    name: str
    text: str
    violations: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    cost_usd_micros: int = 0


@dataclass(frozen=True, slots=True)
class CaptionWish:
    """What a caption is to be written from and how."""

    live_set: str = ""
    asset: str = ""
    tempo_bpm: float = 0.0
    key: str = ""
    time_signature: str = ""
    prompt_version: str = ""
    hint: str = ""
    siblings: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class LiveSetFacts:
    """What of a Live Set matters to datasets."""

    name: str
    display_name: str
    file_name: str
    sha256: str
    tempo_bpm: float
    time_signature: str
    key: str


class CaptionRules(Protocol):
    """The caption rules, kept by the prompt service."""

    def batch_check(
        self, artist: str, checks: Sequence[CaptionCheck], *, compare_each_other: bool = False
    ) -> list[CaptionVerdict]:
        """A verdict for each text, in order; findings name no item.

        Raises:
            DependencyUnavailable: Nobody answers, so no caption can be accepted.
        """
        ...


class Captions(CaptionRules, Protocol):
    """The prompt service, as the home of captions and Live Sets."""

    def get(self, name: str) -> WrittenCaption:
        """A caption that was written; raises NotFound when there is none."""
        ...

    def write(self, artist: str, wish: CaptionWish, request_id: str) -> WrittenCaption:
        """A new caption; the same request gives the same one.

        Raises:
            ResourceExhausted: The provider wants a pause; `retry_after_s` says how long.
            DependencyUnavailable: Nobody answers.
        """
        ...

    def live_sets(self, artist: str, names: Collection[str]) -> dict[str, LiveSetFacts]:
        """Facts of those that exist, by name."""
        ...

    def all_live_sets(self, artist: str, *, limit: int) -> list[LiveSetFacts]:
        """Facts of the newest Live Sets, newest first."""
        ...


def refused(verdict: CaptionVerdict) -> CaptionInvalid:
    """The error that tells every broken rule."""
    told = "; ".join(f"{finding.reason}: {finding.message}" for finding in verdict.violations)
    return CaptionInvalid(
        f"the caption cannot be used: {told}",
        violations=[Violation("caption", f"{finding.reason}: {finding.message}") for finding in verdict.violations],
    )


def split_tag(text: str) -> tuple[str, str]:
    """The words and the tempo tag of a caption; an empty tag when it ends with none."""
    found = _TEMPO_TAG.search(text)
    return (text[: found.start()], found.group().strip()) if found else (text, "")


def tag_tempo(text: str) -> float:
    """The tempo that a caption's tag gives in beats per minute; 0 without a tag."""
    found = _TEMPO_TAG.search(text)
    return float(found.group(1)) if found else 0.0


def tempo_text(bpm: float) -> str:
    """The tempo tag: whole when within 0.05 of it, else with one decimal.

    Source: spec, caption rule P5.
    """
    whole = round(bpm)
    return f"BPM: {whole}" if abs(bpm - whole) <= 0.05 else f"BPM: {bpm:.1f}"
