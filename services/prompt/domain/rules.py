"""The caption rules P1 to P12: what is mended, what keeps a caption out, what is worth a look.

Source: the fine-tuner reads only the first line of a caption and appends `word: value` pairs of its own.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.prompt.domain.vocabulary import is_generic

MAX_CHARACTERS = 600
_TAG = re.compile(r"BPM: (\d{2,3}(?:\.\d{1,2})?)$")
_LOOSE_TAG = re.compile(
    r"[\s.,;(]*\b(?:BPM\s*[:=]?\s*(\d{2,3}(?:\.\d+)?)|(\d{2,3}(?:\.\d+)?)\s*BPM)[).\s]*$", re.IGNORECASE
)
_LABEL = re.compile(
    r"^\s*(?:(?:final |music |audio )?(?:caption|prompt|description|output|answer))\s*:\s*", re.IGNORECASE
)
_ANY_LABEL = re.compile(r"^[A-Z][A-Za-z ]{1,20}:\s")
_MARKDOWN = re.compile(r"\*\*|__|```|`|^#{1,6}\s|^\s*[-*+]\s|^\s*\d+\.\s|\]\(|[{}]|^\[|\]$")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)")
_PAIR = re.compile(r"\b[\w-]+\s?:\s*\S")
_QUOTES = (('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"), ("«", "»"), ("`", "`"))
_VENDORS = [
    "FabFilter",
    "Soundtoys",
    "Valhalla",
    "Native Instruments",
    "Kontakt",
    "Serum",
    "Massive",
    "Sylenth1",
    "Omnisphere",
    "Waves",
    "iZotope",
    "Arturia",
    "UAD",
    "Universal Audio",
    "Xfer",
    "Splice",
    "u-he",
    "Diva",
    "Vital",
    "Max for Live",
]


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


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What a caption is checked against."""

    tempo_bpm: float | None = None
    denied: frozenset[str] = frozenset()
    no_go: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    siblings: tuple[str, ...] = field(default=())


def tempo_text(bpm: float) -> str:
    """The tempo as a caption writes it: whole if within 0.05, else with one decimal."""
    whole = round(bpm)
    return str(whole) if abs(bpm - whole) < 0.05 + 1e-9 else f"{bpm:.1f}"


def tempo_tag(bpm: float) -> str:
    """The tag that a caption ends with."""
    return f"BPM: {tempo_text(bpm)}"


def tidy(text: str) -> tuple[str, list[Finding]]:
    """The text mended where no word changes, and what was mended."""
    fixes: list[Finding] = []

    def mend(rule: str, mended: str, what: str) -> None:
        nonlocal text
        if mended != text:
            text = mended
            fixes.append(Finding(rule, what))

    mend("P7", _unwrap_json(text), "JSON around the text is removed")
    mend("P2", re.sub(r"\s*[\r\n\v\f\x85\u2028\u2029]+\s*", " ", text.strip("\r\n ")), "line breaks are joined")
    mend("P3", _normal(text), "invisible characters are removed and letters are composed (NFC)")
    mend("P2", re.sub(r"[ \t\u00a0]+", " ", text).strip(), "spaces are collapsed")
    mend("P7", _without_wrapping(text), "a label, quotes or Markdown around the text are removed")
    mend("P4", _with_plain_tag(text), "the tempo tag is written as the rule asks")
    return text, fixes


def without_tag(text: str) -> str:
    """The text without the tempo tag at its end."""
    return _TAG.sub("", text).rstrip()


def check(text: str, context: RuleContext) -> Verdict:
    """The rules that the text breaks; violations keep it from being accepted or exported."""
    errors = [*_form_errors(text), *_tempo_errors(text, context.tempo_bpm), *_word_errors(text, context)]
    return Verdict(tuple(errors), tuple(_warnings(text, context)))


def is_allowed(phrase: str, context: RuleContext) -> bool:
    """Whether a phrase breaks no rule about names, brands and what the artist refuses."""
    terms = (*context.denied, *context.no_go, *context.brands)
    return not _has_artefact(phrase) and not any(contains_term(phrase, term) for term in terms)


def contains_term(text: str, term: str) -> bool:
    """Whether the term stands in the text as words of its own, in any case."""
    found = re.search(rf"(?<!\w){re.escape(_fold(term))}(?!\w)", _fold(text)) if term.strip() else None
    return found is not None


def context_of(
    *,
    tempo_bpm: float | None,
    master_schema: Mapping[str, Any],
    summary: Mapping[str, Any],
    artist_names: Iterable[str],
    denied: Iterable[str] = (),
    siblings: Iterable[str] = (),
) -> RuleContext:
    """What captions of this artist and Live Set are checked against.

    Args:
        tempo_bpm: The tempo to end with; None accepts any.
        master_schema: The artist's style document.
        summary: The Live Set's summary; empty when there is none.
        artist_names: Names of the artist and its members.
        denied: Further names that no caption may hold.
        siblings: Captions of the same dataset.
    """
    people = [*artist_names, *_people(master_schema), *denied, "Ableton", "Live Set"]
    samples = [name.rpartition(".")[0] or name for name in _mapping(summary.get("sample_index"))]
    files = [_text(summary.get("als_stem")), _text(summary.get("project_name")), *samples]
    brands = {
        _text(device.get("name"))
        for track in _list(summary.get("tracks"))
        for device in _list(_mapping(track).get("devices"))
        if _mapping(device).get("kind") in {"vst", "vst3", "au", "max"}
    }
    policy = _mapping(master_schema.get("creative_policy"))
    refused = [
        re.sub(r"^(?:no|avoid|never|not)\s+", "", _text(t).strip().rstrip("."), flags=re.I)
        for t in _list(policy.get("no_go_zones"))
    ]
    return RuleContext(
        tempo_bpm=tempo_bpm,
        denied=_terms(people) | {term for term in _terms(files) if not is_generic(term)},
        no_go=_terms(refused),
        brands=frozenset(term for term in (_terms(brands) | _terms(_VENDORS)) if not is_generic(term)),
        siblings=tuple(siblings),
    )


def _people(master_schema: Mapping[str, Any]) -> Iterable[str]:
    artist = _mapping(master_schema.get("artist"))
    yield _text(artist.get("name"))
    yield from map(_text, _list(artist.get("members")))
    for work in _list(master_schema.get("catalog")):
        yield from (_text(_mapping(work).get(key)) for key in ("title", "primary_artist", "remixer", "label"))


def _terms(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(text.strip() for text in texts if len(text.strip()) >= 2)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return [value] if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _fold(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text).casefold().strip())


def _unwrap_json(text: str) -> str:
    bare = re.sub(r"^```\w*\s*|\s*```$", "", text.strip())
    if not bare.startswith("{"):
        return text
    try:
        document = json.loads(bare)
    except ValueError:
        return text
    values = [value for value in document.values() if isinstance(value, str)]
    return values[0] if len(values) == 1 else text


def _normal(text: str) -> str:
    kept = (c for c in text if c == "\t" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    return unicodedata.normalize("NFC", "".join(kept))


def _without_wrapping(text: str) -> str:
    before = None
    while before != text:
        before = text
        text = re.sub(r"^#{1,6}\s+|^[-*+]\s+", "", text)
        text = re.sub(r"(\*\*|__|`)(.+?)\1", r"\2", text)
        text = _LABEL.sub("", text)
        for opening, closing in _QUOTES:
            if len(text) > 1 and text.startswith(opening) and text.endswith(closing) and opening not in text[1:-1]:
                text = text[1:-1]
        text = text.strip()
    return text


def _with_plain_tag(text: str) -> str:
    if _TAG.search(text):
        return text
    head, end = text[:-64], text[-64:]
    end = _LOOSE_TAG.sub(lambda tag: f". BPM: {tag[1] or tag[2]}", end)
    return re.sub(r"([.!?])\. (BPM: [\d.]+)$", r"\1 \2", (head + end).removeprefix(". "))


def _has_artefact(text: str) -> bool:
    return _MARKDOWN.search(text) is not None


def _form_errors(text: str) -> Iterable[Finding]:
    if not text.strip():
        yield Finding("P1", "the caption is empty; write one")
        return
    if re.search(r"[\r\n]", text):
        yield Finding("P2", "the caption has several lines; only the first would be read, so write one line")
    if _normal(text).replace("\t", "") != text.replace("\r", "").replace("\n", ""):
        yield Finding("P3", "the caption holds control or invisible characters, or letters that are not composed (NFC)")
    if len(text) > MAX_CHARACTERS:
        yield Finding("P6", f"the caption has {len(text)} characters; at most {MAX_CHARACTERS}")
    wrapped = any(text.startswith(opening) and text.endswith(closing) for opening, closing in _QUOTES)
    if _has_artefact(text) or wrapped or (_ANY_LABEL.match(text) and not text.startswith("BPM:")):
        yield Finding("P7", "the caption holds Markdown, JSON, a leading label or wrapping quotes; write plain text")


def _tempo_errors(text: str, tempo_bpm: float | None) -> Iterable[Finding]:
    if not text.strip():
        return
    tag = _TAG.search(text)
    if tag is None:
        example = tempo_tag(tempo_bpm) if tempo_bpm else "BPM: 120"
        yield Finding("P4", f"the caption does not end with the tempo tag; end it with '{example}'")
    elif tempo_bpm is not None and float(tag[1]) != float(tempo_text(tempo_bpm)):
        yield Finding(
            "P5",
            f"the caption says {tag[1]} BPM, not that of the piece; end it with '{tempo_tag(tempo_bpm)}'",
        )


def _word_errors(text: str, context: RuleContext) -> Iterable[Finding]:
    for term in sorted(context.denied):
        if contains_term(text, term):
            yield Finding("P8", f"the caption names {term!r}; describe the sound without names, titles or files")
    for term in sorted(context.no_go):
        if contains_term(text, term):
            yield Finding("P9", f"the caption holds {term!r}, which the artist's creative policy refuses; leave it out")


def _warnings(text: str, context: RuleContext) -> Iterable[Finding]:
    body = _TAG.sub("", text).strip()
    sentences = len([part for part in _SENTENCE_END.split(body) if part.strip()])
    words = len(body.split())
    if sentences > 2:
        yield Finding("P6", f"the caption has {sentences} sentences before the tag; 1 or 2 work best")
    if body and not 15 <= words <= 60:
        yield Finding("P6", f"the caption has {words} words before the tag; 15 to 60 work best")
    if 400 < len(text) <= MAX_CHARACTERS:
        yield Finding("P6", f"the caption has {len(text)} characters; up to 400 work best")
    for term in sorted(context.brands):
        if contains_term(text, term):
            yield Finding("P10", f"the caption names the product {term!r}; describe its sound instead")
    if _is_near_copy(text, context.siblings):
        yield Finding("P11", "the caption is nearly the same as another one of the dataset; tell the pieces apart")
    if _PAIR.search(body):
        yield Finding(
            "P12", "the caption holds a 'word: value' pair beside the tempo; the trainer adds such pairs itself"
        )


def _is_near_copy(text: str, siblings: tuple[str, ...]) -> bool:
    if len(text) > MAX_CHARACTERS:
        return False
    own = _fold(text)
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(own)
    for sibling in siblings:
        other = _fold(sibling[: 2 * MAX_CHARACTERS])
        if other == own:
            return True
        matcher.set_seq1(other)
        if matcher.real_quick_ratio() > 0.95 and matcher.quick_ratio() > 0.95 and matcher.ratio() > 0.95:
            return True
    return False
