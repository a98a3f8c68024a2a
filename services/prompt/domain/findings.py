"""What rules find in a caption, and the marks that all of them read."""

from __future__ import annotations

import re
from dataclasses import dataclass

TAG = re.compile(r"(?<!\w)BPM: ([0-9]{2,3}(?:\.[0-9]{1,2})?)\Z")
QUOTES = (('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"), ("«", "»"), ("`", "`"))


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a text breaks, or that was mended in it."""

    rule: str
    description: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of a text."""

    violations: tuple[Finding, ...]
    warnings: tuple[Finding, ...]


def tempo_text(bpm: float) -> str:
    """The tempo as a caption writes it: whole if within 0.05, else with one decimal."""
    whole = round(bpm)
    return str(whole) if abs(bpm - whole) < 0.05 + 1e-9 else f"{bpm:.1f}"


def tempo_tag(bpm: float) -> str:
    """The tag that a caption ends with."""
    return f"BPM: {tempo_text(bpm)}"
