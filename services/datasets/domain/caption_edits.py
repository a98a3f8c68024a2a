"""Changes of many captions by rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.errors import require
from services.datasets.domain.captions import MAX_TEXT, split_tag, tempo_text
from services.datasets.domain.findings import Finding

_ENDS = (".", "!", "?", "…", ":", ";", ",")
MAX_ITEMS, MAX_EDITS, MAX_CHARACTERS = 1000, 20, 600


@dataclass(frozen=True, slots=True)
class Prefix:
    """Text put before, with a space."""

    text: str


@dataclass(frozen=True, slots=True)
class Suffix:
    """Text put after, before the tempo tag, with a space."""

    text: str


@dataclass(frozen=True, slots=True)
class FindReplace:
    """A text and what takes its place, letter by letter."""

    find: str
    replace: str
    match_case: bool = False


@dataclass(frozen=True, slots=True)
class Tempo:
    """Tempo written into the tag; the item has it from then on."""

    bpm: float


Edit = Prefix | Suffix | FindReplace | Tempo


@dataclass(frozen=True, slots=True)
class EditOutcome:
    """What becomes of one item's caption.

    Attributes:
        item_name: The item.
        before: Its caption before.
        after: Its caption after.
        violations: Rules that the new caption breaks; it is not kept then.
        warnings: Rules that are worth a look.
        applied: Whether it was kept.
        conflict: Why it was not kept although it breaks no rule.
    """

    item_name: str
    before: str
    after: str
    violations: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    applied: bool = False
    conflict: str = ""


def check_edits(edits: Sequence[Edit]) -> Sequence[Edit]:
    """The edits if they keep their limits."""
    require(1 <= len(edits) <= MAX_EDITS, "edits", f"1 to {MAX_EDITS} edits")
    for index, edit in enumerate(edits):
        field = f"edits[{index}]"
        match edit:
            case Prefix(text) | Suffix(text):
                require(1 <= len(text.strip()) <= MAX_CHARACTERS, field, f"a text of 1 to {MAX_CHARACTERS} characters")
                require(text.isprintable(), field, "one line without control characters")
            case FindReplace(find, put):
                require(1 <= len(find) <= MAX_CHARACTERS, f"{field}.find", f"1 to {MAX_CHARACTERS} characters")
                require(len(put) <= MAX_CHARACTERS, f"{field}.replace", f"0 to {MAX_CHARACTERS} characters")
                require(not put or put.isprintable(), f"{field}.replace", "one line without control characters")
            case Tempo(bpm):
                require(20 <= bpm <= 999, f"{field}.tempo_bpm", "20 to 999")
    return edits


def edited_text(text: str, edits: Sequence[Edit]) -> str:
    """The caption after the edits, one after another; what grows beyond 10,000 characters is cut there."""
    for edit in edits:
        text = _edited(text, edit)[:MAX_TEXT]
    return text


def edited_tempo(edits: Sequence[Edit]) -> float:
    """The tempo that the edits give in the end; 0 when none does."""
    tempos = [edit.bpm for edit in edits if isinstance(edit, Tempo)]
    return tempos[-1] if tempos else 0.0


def _edited(text: str, edit: Edit) -> str:
    match edit:
        case Prefix(put):
            return f"{put.strip()} {text}"
        case Suffix(put):
            words, tag = split_tag(text)
            put = put.strip()
            # A trainer reads on, so a sentence ends before the tag.
            stop = "." if tag and put[-1:] not in _ENDS else ""
            return " ".join(part for part in (words.rstrip(), put + stop, tag) if part)
        case FindReplace(find, put, match_case):
            found = re.compile(re.escape(find), re.NOFLAG if match_case else re.IGNORECASE)
            changed, count = found.subn(lambda _: put, text)
            # A word that was taken out leaves the spaces around it behind.
            return re.sub(r" {2,}", " ", changed).strip() if count else text
        case Tempo(bpm):
            words, _ = split_tag(text)
            return f"{words.rstrip()} {tempo_text(bpm)}".strip()
