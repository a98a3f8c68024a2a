"""Mending captions where no word changes."""

from __future__ import annotations

import json
import re

from services.prompt.domain.findings import QUOTES, TAG, Finding
from services.prompt.domain.names import plain

LINE_END = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
# So many layers of labels, quotes and Markdown are taken off a text.
_LAYERS = 8
_LOOSE_TAG = re.compile(
    r"(?:[\s,;:(]+(?:(?:a\s+)?tempo(?:\s+of)?|at|about|around|of)\b)*[\s.,;:(]*"
    r"\b(?:BPM\s*[:=]?\s*([0-9]{2,3}(?:\.[0-9]+)?)|([0-9]{2,3}(?:\.[0-9]+)?)\s*BPM)[).\s]*\Z",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^\s*(?:(?:final |music |audio )?(?:caption|prompt|description|output|answer))\s*:\s*", re.IGNORECASE
)


def tidy(text: str) -> tuple[str, list[Finding]]:
    """The text mended where no word changes, and what was mended."""
    fixes: list[Finding] = []

    def mend(rule: str, mended: str, what: str) -> None:
        nonlocal text
        if mended != text:
            text = mended
            fixes.append(Finding(rule, what))

    mend("P7", _unwrap_json(text), "JSON around the text is removed")
    mend("P2", _in_one_line(text), "line breaks are joined")
    mend("P3", plain(text), "invisible characters are removed and letters are composed (NFC)")
    mend("P2", re.sub(r"[ \t\u00a0]+", " ", text).strip(), "spaces are collapsed")
    mend("P7", _without_wrapping(text), "a label, quotes or Markdown around the text are removed")
    mend("P4", _with_plain_tag(text), "the tempo tag is written as the rule asks")
    return text, fixes


def without_tag(text: str) -> str:
    """The text without the tempo tag at its end."""
    return TAG.sub("", text).rstrip()


def _unwrap_json(text: str) -> str:
    bare = re.sub(r"\A```\w*", "", text.strip().removesuffix("```")).strip()
    if not bare.startswith("{"):
        return text
    try:
        document = json.loads(bare)
    except (ValueError, RecursionError):
        return text
    values = [value for value in document.values() if isinstance(value, str)]
    return values[0] if len(values) == 1 else text


def _in_one_line(text: str) -> str:
    lines = [line.strip() for line in LINE_END.split(text)]
    return " ".join(filter(None, lines)) if len(lines) > 1 else text


def _without_wrapping(text: str) -> str:
    for _ in range(_LAYERS):
        before = text
        text = re.sub(r"^#{1,6}\s+|^[-*+•]\s+", "", text)
        text = re.sub(r"(\*\*|__|`)(.+?)\1", r"\2", text)
        text = _LABEL.sub("", text)
        for opening, closing in QUOTES:
            if len(text) > 1 and text.startswith(opening) and text.endswith(closing) and opening not in text[1:-1]:
                text = text[1:-1]
        text = text.strip()
        if text == before:
            break
    return text


def _with_plain_tag(text: str) -> str:
    if TAG.search(text):
        return text
    head, end = text[:-64], text[-64:]
    end = _LOOSE_TAG.sub(lambda tag: f". BPM: {tag[1] or tag[2]}", end)
    return re.sub(r"([.!?])\. (BPM: [0-9.]+)$", r"\1 \2", (head + end).removeprefix(". "))
