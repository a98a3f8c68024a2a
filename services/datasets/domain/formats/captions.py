"""Captions as trainers want them: with trigger and suffix, without the tempo tag, or as tags."""

from __future__ import annotations

import re

from services.datasets.domain.captions import split_tag, tag_tempo
from services.datasets.domain.snapshots import SnapshotMember

_KEY = re.compile(r"^([A-Ga-g])\s*([#b♯♭]?)\s*-?\s*(.*)$")
_MODES = {"": "major", "major": "major", "maj": "major", "minor": "minor", "min": "minor", "m": "minor"}
_TAG_ENDS = re.compile(r"[,;:!?]+\s+|\.+(?:\s+|$)|\s+[-–—]\s+|,")
NEAR_WHOLE_BPM = 0.05  # source: spec, caption rule P5


def composed(caption: str, *, trigger: str = "", suffix: str = "") -> str:
    """The caption between trigger and suffix; the tempo tag stays the last thing."""
    body, tag = split_tag(caption)
    return " ".join(part for part in (trigger, body, suffix, tag) if part)


def tempo_of(member: SnapshotMember) -> float:
    """Beats per minute as a caption would tell them: whole when within 0.05, else to a tenth; 0 when unknown.

    Source: spec, caption rule P5.
    """
    bpm = member.tempo_bpm if member.tempo_bpm > 0 else tag_tempo(member.caption)
    whole = round(bpm)
    return float(whole) if abs(bpm - whole) <= NEAR_WHOLE_BPM else round(bpm, 1)


def number(value: float) -> int | float:
    """The value as JSON tells it best: whole numbers without a fraction."""
    return int(value) if value == int(value) else value


def major_or_minor(key: str) -> str:
    """The key as note and mode, as `F# minor`; empty when it is neither major nor minor, or no key."""
    found = _KEY.match(key.strip())
    if found is None:
        return ""
    note, sign, rest = found[1].upper(), found[2].replace("♯", "#").replace("♭", "b"), found[3].strip()
    mode = "major" if rest == "M" else _MODES.get(rest.lower(), "")
    return f"{note}{sign} {mode}" if mode else ""


def tags_of(body: str) -> list[str]:
    """The clauses of a caption as tags: none holds a comma, none comes twice."""
    clauses = (clause.strip(" .,;:!?") for clause in _TAG_ENDS.split(body))
    seen: dict[str, str] = {}
    for clause in clauses:
        if clause:
            seen.setdefault(clause.casefold(), clause)
    return list(seen.values())


def fitting(tags: list[str], last: str, *, limit: int) -> str:
    """As many tags as fit in `limit` characters together with the last one, joined by comma and space."""
    kept: list[str] = []
    for tag in tags:
        if len(", ".join([*kept, tag, *([last] if last else [])])) <= limit:
            kept.append(tag)
    if not kept and tags:
        room = limit - (len(last) + 2 if last else 0)
        kept = [tags[0][:room].rsplit(" ", 1)[0].strip() or tags[0][:room]]
    return ", ".join([*kept, *([last] if last else [])])
