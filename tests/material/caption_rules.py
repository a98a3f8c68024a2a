"""The error rules of captions once more, written down plainly and apart from the service's own code."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def broken(text: str, *, tempo_bpm: float, names: Iterable[str] = (), refused: Iterable[str] = ()) -> list[str]:
    """The error rules that the text breaks: P1 to P5, the hard cap of P6, P7 to P9."""
    found: list[str] = []
    if not text.strip():
        return ["P1"]
    if len(text.splitlines()) != 1:
        found.append("P2")
    odd = any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for c in text)
    if odd or unicodedata.normalize("NFC", text) != text:
        found.append("P3")
    body, separator, number = text.rpartition("BPM: ")
    digits = number.replace(".", "", 1)
    if not separator or not digits.isascii() or not digits.isdigit() or not 2 <= len(number.split(".")[0]) <= 3:
        found.append("P4")
    else:
        near = int(tempo_bpm + 0.5)
        wanted = float(near) if abs(tempo_bpm - near) <= 0.0500001 else float(f"{tempo_bpm:.1f}")
        if float(number) != wanted:
            found.append("P5")
    if len(text) > 600:
        found.append("P6")
    marks = ("**", "__", "`", "{", "}", "](", "</", "\\", "<script", "|")
    labels = ("caption:", "prompt:", "description:", "output:", "answer:", "#", "- ", "* ", '"', "'", "[")
    if any(mark in text for mark in marks) or text.lower().startswith(labels):
        found.append("P7")
    words = f" {_words(body)} "
    if any(f" {_words(name)} " in words for name in (*names, "Ableton", "Live Set") if _words(name)):
        found.append("P8")
    if any(f" {_words(term)} " in words for term in refused if _words(term)):
        found.append("P9")
    return found


def _words(text: str) -> str:
    """The words of a text in lower case, one space between them."""
    bare = "".join(c for c in unicodedata.normalize("NFC", text.casefold()) if unicodedata.category(c) != "Cf")
    return " ".join("".join(c if c.isalnum() else " " for c in bare).split())
