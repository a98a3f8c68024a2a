"""Prompt templates: versions of the instruction that an artist's people write and its owners approve."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chassis.errors import AlreadyExists, FailedPrecondition, NotFound, collect
from chassis.ids import SLUG
from services.prompt.domain.artists import is_clean
from services.prompt.domain.captions import PromptVersionUnknown
from services.prompt.domain.instructions import BUILT_IN, Instruction
from services.prompt.domain.names import plain

# When the built-in templates came.
_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
MAX_CHARACTERS = 20_000


class PromptTemplateNotFound(NotFound):
    """No such prompt template for this caller."""

    REASON = "PROMPT_TEMPLATE_NOT_FOUND"


class PromptTemplateExists(AlreadyExists):
    """The version label names another template of the artist or a built-in one."""

    REASON = "PROMPT_TEMPLATE_EXISTS"


class PromptTemplateBuiltIn(FailedPrecondition):
    """The platform's own templates cannot be changed."""

    REASON = "PROMPT_TEMPLATE_BUILT_IN"


class PromptTemplateRetired(FailedPrecondition):
    """The template is out of use."""

    REASON = "PROMPT_TEMPLATE_RETIRED"


class PromptTemplateInUse(FailedPrecondition):
    """Captions were made with the template, so it stays as their provenance."""

    REASON = "PROMPT_TEMPLATE_IN_USE"


class State(enum.StrEnum):
    """Where a template stands."""

    DRAFT = "draft"
    APPROVED = "approved"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """One version of the instruction; only its state changes."""

    artist: str
    version: str
    display_name: str
    instruction: str
    temperature: float
    max_tokens: int
    state: State
    creator: str
    approver: str
    create_time: datetime
    approve_time: datetime | None
    etag: str
    built_in: bool = False

    @property
    def name(self) -> str:
        """The resource name."""
        return f"artists/{self.artist}/prompt-templates/{self.version}"

    @property
    def instruction_sha256(self) -> str:
        """SHA-256 of the instruction, lower-case hex."""
        return hashlib.sha256(self.instruction.encode()).hexdigest()

    def usable(self) -> Instruction:
        """What captions are asked for with.

        Raises:
            PromptTemplateRetired: It is out of use.
        """
        if self.state is State.RETIRED:
            raise PromptTemplateRetired(
                f"the prompt template {self.version!r} is retired; name another one or leave prompt_version empty"
            )
        return Instruction(self.version, self.instruction, self.temperature, self.max_tokens)


def built_in(artist: str) -> list[PromptTemplate]:
    """The platform's own templates as the artist sees them, newest first."""
    found = [
        PromptTemplate(
            artist=artist,
            version=instruction.version,
            display_name=f"Built-in {instruction.version}",
            instruction=instruction.text,
            temperature=instruction.temperature,
            max_tokens=instruction.max_tokens,
            state=State.APPROVED,
            creator="",
            approver="",
            create_time=_SINCE,
            approve_time=_SINCE,
            etag=f"built-in-{instruction.version}",
            built_in=True,
        )
        for instruction in BUILT_IN.values()
    ]
    return sorted(found, key=lambda template: template.version, reverse=True)


def find_built_in(artist: str, version: str) -> PromptTemplate | None:
    """The built-in template of that version, if there is one."""
    return next((template for template in built_in(artist) if template.version == version), None)


def unknown_version(version: str) -> PromptVersionUnknown:
    """The error for a version that names no template."""
    known = ", ".join(BUILT_IN)
    return PromptVersionUnknown(
        f"there is no prompt version {version[:60]!r}; name a prompt template of the artist, or one of: {known}"
    )


def check_template(version: str, display_name: str, instruction: str, temperature: float, max_tokens: int) -> None:
    """Raise with every field of a new template that breaks its rule."""
    prefix = "prompt_template"
    readable = is_clean(instruction, lines=True) and plain(instruction) == instruction
    with collect() as violations:
        slug = SLUG.fullmatch(version) is not None
        violations.require(slug, "prompt_template_id", "3 to 63 of a-z, 0-9 and '-', starting with a letter")
        named = len(display_name) <= 200 and is_clean(display_name)
        violations.require(named, f"{prefix}.display_name", "at most 200 printable characters")
        fits = len(instruction.strip()) >= 1 and len(instruction) <= MAX_CHARACTERS
        violations.require(fits, f"{prefix}.instruction", f"1 to {MAX_CHARACTERS:,} characters")
        violations.require(
            readable, f"{prefix}.instruction", "composed letters (NFC) without control or invisible characters"
        )
        violations.require(0 <= temperature <= 2, f"{prefix}.temperature", "0 to 2")
        violations.require(50 <= max_tokens <= 2000, f"{prefix}.max_tokens", "50 to 2,000, or 0 for 300")


def approved(template: PromptTemplate, approver: str, moment: datetime) -> PromptTemplate:
    """The template, approved; one that is approved already stays as it is.

    Raises:
        PromptTemplateBuiltIn: It is the platform's own.
        PromptTemplateRetired: It is out of use for good.
    """
    _check_own(template)
    if template.state is State.RETIRED:
        raise PromptTemplateRetired(
            f"the prompt template {template.version!r} is retired for good; make a new version and approve that"
        )
    if template.state is State.APPROVED:
        return template
    return replace(template, state=State.APPROVED, approver=approver, approve_time=moment)


def retired(template: PromptTemplate) -> PromptTemplate:
    """The template, out of use; one that is retired already stays as it is.

    Raises:
        PromptTemplateBuiltIn: It is the platform's own.
    """
    _check_own(template)
    return replace(template, state=State.RETIRED)


def _check_own(template: PromptTemplate) -> None:
    if template.built_in:
        raise PromptTemplateBuiltIn(
            f"the prompt template {template.version!r} is built in and stays as it is; make one of your own"
        )
