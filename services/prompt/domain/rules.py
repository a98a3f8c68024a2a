"""The caption rules P1 to P12: what keeps a caption out, what is worth a look.

Source: the fine-tuner reads only the first line of a caption and appends `word: value` pairs of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.prompt.domain.findings import QUOTES, TAG, Finding, Verdict, tempo_tag, tempo_text
from services.prompt.domain.likeness import is_near_copy
from services.prompt.domain.names import index_of, plain
from services.prompt.domain.tidying import LINE_END, without_tag

MAX_CHARACTERS = 600
# A text that names more is told of these first.
_MAX_TERMS = 10
_ANY_LABEL = re.compile(r"^[A-Z][A-Za-z ]{1,20}:\s")
_ARTEFACT = re.compile(
    r"\*\*|__|~~|```|`|^#{1,6}\s|^\s*[-*+•]\s|^\s*[0-9]+\.\s|\]\(|[{}\\|]|^\[|\]$|(?<![\w*])\*[^\s*][^*]*\*|</?[A-Za-z][^<>]*>"
)
_TALK = re.compile(
    r"^(?:sure|certainly|of course|okay|ok)\b[,.!]|^(?:here is|here's|here are|i am|i'm|i cannot|i can't|as an ai)\b",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"[\w()-]\.(?:wav|aiff?|mp3|m4a|flac|ogg|opus|als|alp|amxd|adg|adv|mid|midi|zip|asd)\b"
    r"|\b[A-Za-z]:\\|(?<!\w)[~/]?/?(?:Users|home|Volumes|Documents)/|\bhttps?://|\bwww\.",
    re.IGNORECASE,
)
_IN_THE_STYLE = re.compile(r"(?i:\bin the (?:style|vein|manner) of\b)")
_LIKE_SOMEBODY = re.compile(
    r"(?i:\b(?:reminiscent of|inspired by|sounds? like|similar to|feat\.?|ft\.|remix(?:ed)? by|produced by|à la)) "
    r"(?=(?:the )?[A-Z][a-z])"
)
_TEMPO_IN_TEXT = re.compile(r"\b([0-9]{2,3}(?:\.[0-9]+)?)\s?-?bpm\b|\bbpm\s?[:=]?\s?([0-9]{2,3}(?:\.[0-9]+)?)", re.I)
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)")
_PAIR = re.compile(r"\b[\w-]+\s?:\s*\S")


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What a caption is checked against.

    Attributes:
        tempo_bpm: The tempo to end with; None accepts any.
        denied: Names of people, works and files, which no caption may hold.
        no_go: What the artist's creative policy refuses.
        brands: Products and makers, which a caption does better without.
        siblings: Captions of the same dataset.
    """

    tempo_bpm: float | None = None
    denied: frozenset[str] = frozenset()
    no_go: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    siblings: tuple[str, ...] = field(default=())

    def without_names(self, text: str, instead: str = "") -> str:
        """The text with every denied name replaced."""
        return index_of(self.denied).without(text, instead)


def check(text: str, context: RuleContext) -> Verdict:
    """The rules that the text breaks; violations keep it from being accepted or exported."""
    # A text that is too long by far is refused for that; its words are judged as far as anybody would read it.
    start = text if len(text) <= 2 * MAX_CHARACTERS else text[: 2 * MAX_CHARACTERS]
    errors = [*_form_errors(text, start), *_tempo_errors(text, context.tempo_bpm), *_word_errors(start, context)]
    return Verdict(tuple(errors), tuple(_warnings(text, start, context)))


def is_allowed(phrase: str, context: RuleContext) -> bool:
    """Whether a phrase breaks no rule about names, brands and what the artist refuses."""
    if (
        _ARTEFACT.search(phrase)
        or _FILE.search(phrase)
        or _IN_THE_STYLE.search(phrase)
        or _TEMPO_IN_TEXT.search(phrase)
    ):
        return False
    named = _named(phrase, context.denied) or _refused(phrase, context.no_go) or _named(phrase, context.brands)
    return not named and not _LIKE_SOMEBODY.search(phrase)


def near_copy() -> Finding:
    """The finding of a caption that repeats another one."""
    return Finding("P11", "the caption is nearly the same as another one of the dataset; tell the pieces apart")


def _form_errors(text: str, start: str) -> Iterable[Finding]:
    if not text.strip():
        yield Finding("P1", "the caption is empty; write one")
        return
    if LINE_END.search(text):
        yield Finding("P2", "the caption has several lines; only the first would be read, so write one line")
    if plain(text).replace("\t", "") != text:
        yield Finding("P3", "the caption holds control or invisible characters, or letters that are not composed (NFC)")
    if len(text) > MAX_CHARACTERS:
        yield Finding("P6", f"the caption has {len(text)} characters; at most {MAX_CHARACTERS}")
    wrapped = any(text.startswith(opening) and text.endswith(closing) for opening, closing in QUOTES)
    labelled = _ANY_LABEL.match(text) and not text.startswith("BPM:")
    if _ARTEFACT.search(start) or wrapped or labelled or _TALK.search(text):
        yield Finding("P7", "the caption holds Markdown, JSON, a label, quotes around it or talk; write plain text")


def _tempo_errors(text: str, tempo_bpm: float | None) -> Iterable[Finding]:
    if not text.strip():
        return
    tag = TAG.search(text)
    if tag is None:
        wanted = f"'{tempo_tag(tempo_bpm)}'" if tempo_bpm else "'BPM: ' and the tempo of the piece"
        yield Finding("P4", f"the caption does not end with the tempo tag; end it with {wanted}")
        return
    if tempo_bpm is None:
        return
    right = float(tempo_text(tempo_bpm))
    if float(tag[1]) != right:
        yield Finding(
            "P5", f"the caption says {tag[1]} BPM, not that of the piece; end it with '{tempo_tag(tempo_bpm)}'"
        )
    others = [found[1] or found[2] for found in _TEMPO_IN_TEXT.finditer(without_tag(text))]
    for other in dict.fromkeys(others):
        if abs(float(other) - tempo_bpm) > 0.5:
            yield Finding("P5", f"the caption says {other} BPM before its tag; the piece has {tempo_text(tempo_bpm)}")


def _word_errors(text: str, context: RuleContext) -> Iterable[Finding]:
    body = without_tag(text)
    for term in _named(body, context.denied):
        yield Finding("P8", f"the caption names {term!r}; describe the sound without names, titles or files")
    if found := _FILE.search(body):
        yield Finding("P8", f"the caption names a file, folder or address near {found[0]!r}; leave it out")
    if found := _IN_THE_STYLE.search(body) or _LIKE_SOMEBODY.search(body):
        yield Finding("P8", f"the caption compares with {found[0].strip()!r} somebody; describe the sound itself")
    for term in _refused(body, context.no_go):
        yield Finding("P9", f"the caption holds {term!r}, which the artist's creative policy refuses; leave it out")


def _named(text: str, terms: frozenset[str]) -> list[str]:
    return index_of(terms).named(text)[:_MAX_TERMS] if terms else []


def _refused(text: str, terms: frozenset[str]) -> list[str]:
    return index_of(terms, plurals=True).named(text)[:_MAX_TERMS] if terms else []


def _warnings(text: str, start: str, context: RuleContext) -> Iterable[Finding]:
    body = without_tag(start).strip()
    sentences = len([part for part in _SENTENCE_END.split(body) if part.strip()])
    words = len(body.split())
    if sentences > 2:
        yield Finding("P6", f"the caption has {sentences} sentences before the tag; 1 or 2 work best")
    if body and not 15 <= words <= 60:
        yield Finding("P6", f"the caption has {words} words before the tag; 15 to 60 work best")
    if 400 < len(text) <= MAX_CHARACTERS:
        yield Finding("P6", f"the caption has {len(text)} characters; up to 400 work best")
    for term in _named(body, context.brands):
        yield Finding("P10", f"the caption names the product {term!r}; describe its sound instead")
    if len(text) <= MAX_CHARACTERS and is_near_copy(text, context.siblings):
        yield near_copy()
    if _PAIR.search(body):
        yield Finding(
            "P12", "the caption holds a 'word: value' pair beside the tempo; the trainer adds such pairs itself"
        )
