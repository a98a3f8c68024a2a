"""Names in texts: found as words of their own however they are written, and taken out."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

# Letters of other alphabets that look like Latin ones: a name written with them reads the same.
_LOOKALIKES = str.maketrans("аеорсухіјѕԁһӏкмтвнαοεικντρχυ", "aeopcyxijsdhlkmtbhaoeikvtpxu")
_WORD = re.compile(r"[^\W_]+")
# Scripts that write words without spaces between them.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Found:
    """A term in a text, by characters of the text as `plain` gives it."""

    term: str
    start: int
    end: int


def plain(text: str) -> str:
    """The text with composed letters and without characters that nobody sees."""
    if text.isascii() and text.isprintable():
        return text
    kept = (c for c in text if c in "\t\n\r" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    return unicodedata.normalize("NFC", "".join(kept))


def fold(word: str) -> str:
    """The word as it is compared: no case, no accents, no look-alike letters."""
    if word.isascii():
        return word.lower()
    bare = (c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))
    return "".join(bare).casefold().translate(_LOOKALIKES)


class TermIndex:
    """Terms that are looked for together; the time goes with the length of the text, not with their number."""

    def __init__(self, terms: Iterable[str], *, plurals: bool = False) -> None:
        self._plurals = plurals
        self._by_first: defaultdict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        self._literal: list[tuple[re.Pattern[str], str]] = []
        for term in sorted(terms):
            self._add(term)

    def find(self, text: str) -> Iterator[Found]:
        """Every place where a term stands in the text, which is as `plain` gives it."""
        words = [(self._same(match[0]), match.start(), match.end()) for match in _WORD.finditer(text)]
        for place, (word, start, _end) in enumerate(words):
            for wanted, term in self._by_first.get(word, ()):
                last = place + len(wanted)
                if last <= len(words) and all(words[place + n][0] == wanted[n] for n in range(1, len(wanted))):
                    yield Found(term, start, words[last - 1][2])
        for pattern, term in self._literal:
            for match in pattern.finditer(text):
                yield Found(term, match.start(), match.end())

    def named(self, text: str) -> list[str]:
        """The terms that stand in the text, sorted, each once."""
        return sorted({found.term for found in self.find(plain(text))})

    def without(self, text: str, instead: str = "") -> str:
        """The plain text with every term replaced."""
        text = plain(text)
        pieces, kept_to = [], 0
        for found in sorted(self.find(text), key=lambda found: (found.start, -found.end)):
            if found.end > kept_to:
                pieces.append(text[kept_to : max(kept_to, found.start)])
                if found.start >= kept_to:
                    pieces.append(instead)
                kept_to = found.end
        return "".join(pieces) + text[kept_to:]

    def _add(self, term: str) -> None:
        bare = plain(term)
        words = tuple(self._same(word) for word in _WORD.findall(bare))
        if _UNSPACED.search(bare):
            self._literal.append((re.compile(re.escape(bare.strip()), re.IGNORECASE), term))
        elif words:
            self._by_first[words[0]].append((words, term))
            if len(words) > 1 and len(joined := "".join(words)) >= 6:
                self._by_first[joined].append(((joined,), term))
        elif bare.strip():
            self._literal.append((re.compile(rf"(?<!\S){re.escape(bare.strip())}(?!\S)"), term))

    def _same(self, word: str) -> str:
        word = fold(word)
        return word[:-1] if self._plurals and len(word) > 3 and word.endswith("s") and word[-2] != "s" else word


@lru_cache(maxsize=48)  # an index of a Live Set with 3,000 samples takes about 2 MB
def index_of(terms: frozenset[str], *, plurals: bool = False) -> TermIndex:
    """The index of the terms, made once."""
    return TermIndex(terms, plurals=plurals)
