"""Which file belongs to which Live Set, by their names."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LIKE = 0.85  # names at least so alike are worth a proposal
_SHARED_TRIGRAMS = 0.4  # names below it cannot be that alike; only a sieve
_EXTENSION = re.compile(r"\.(als|wav|wave|mp3|flac|aiff?|m4a|ogg|oga|opus|caf|mp4|txt)$", re.IGNORECASE)
_COPY = re.compile(r"\s*\((\d+|copy)\)\s*$", re.IGNORECASE)
_GAPS = re.compile(r"[-_\s.,;()\[\]{}+~]+")
_VERSION = re.compile(
    r"(v|ver|version|rev|r|take|mix|bounce|master|final|draft|demo)\d*"
    r"|mastered|mixdown|premaster|bounced|export|exported|render|rendered|copy|wip|new|edit|live\d*|project"
)
_BPM = re.compile(r"\d{2,3}(\.\d+)?bpm|bpm\d{2,3}")
_NUMBER = re.compile(r"\d{2,3}")
_KEY = re.compile(r"[a-g](#|b|♯|♭|sharp|flat)?(maj|major|min|minor)")
_SHORT_KEY = re.compile(r"[a-g](#|♯|♭|b)?m")
_NOTE = re.compile(r"[a-g](#|b|♯|♭|sharp|flat)?")
_MODE = re.compile(r"maj|major|min|minor")


@dataclass(frozen=True, slots=True)
class Target:
    """Something that a file can belong to, under the names it goes by; earlier targets are newer."""

    name: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """What a file name belongs to; an empty target when nothing does."""

    target: str = ""
    similarity: float = 0.0
    exact: bool = False


def stem_of(file_name: str) -> str:
    """The name without folders, extension, case and kind of gap: still with its version."""
    base = re.split(r"[\\/]", unicodedata.normalize("NFKC", file_name))[-1]
    base = _COPY.sub("", _EXTENSION.sub("", base.strip()))
    return " ".join(_GAPS.sub(" ", base.casefold()).split())


def normal_stem(file_name: str) -> str:
    """The name without version words, tempo and key, too; a name made of nothing else stays as it is.

    Source: spec, batch upload B3.
    """
    words = stem_of(file_name).split()
    kept: list[str] = []
    at = 0
    while at < len(words):
        taken = _noise(words, at)
        if not taken:
            kept.append(words[at])
        at += taken or 1
    return " ".join(kept or words)


def match_files(file_names: Sequence[str], targets: Iterable[Target]) -> list[Match]:
    """One match per file name, in order."""
    shelf = _Shelf(targets)
    return [shelf.match(name) for name in file_names]


def _noise(words: Sequence[str], at: int) -> int:
    """How many words from here say nothing about which song it is."""
    word, following = words[at], words[at + 1] if at + 1 < len(words) else ""
    if _VERSION.fullmatch(word):
        return 2 if following.isdecimal() and len(following) <= 2 else 1
    if _BPM.fullmatch(word) or (_KEY.fullmatch(word) and at > 0):
        return 1
    if (word == "bpm" and _NUMBER.fullmatch(following)) or (_NUMBER.fullmatch(word) and following == "bpm"):
        return 2
    if at > 0 and _NOTE.fullmatch(word) and _MODE.fullmatch(following):
        return 2
    return 1 if at > 0 and at == len(words) - 1 and _SHORT_KEY.fullmatch(word) else 0


def _trigrams(text: str) -> set[str]:
    padded = f"  {text} "
    return {padded[at : at + 3] for at in range(len(padded) - 2)}


class _Shelf:
    """Targets by name."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        self._by_normal: dict[str, list[str]] = defaultdict(list)
        for target in targets:
            for stem in dict.fromkeys(stem_of(name) for name in target.names):
                _put(self._by_stem, stem, target.name)
            for normal in dict.fromkeys(normal_stem(name) for name in target.names):
                _put(self._by_normal, normal, target.name)
        self._with: dict[str, set[str]] = defaultdict(set)
        for normal in self._by_normal:
            for trigram in _trigrams(normal):
                self._with[trigram].add(normal)

    def match(self, file_name: str) -> Match:
        stem, normal = stem_of(file_name), normal_stem(file_name)
        if not normal:
            return Match()
        same = self._by_normal.get(normal, [])
        if len(same) == 1:
            return Match(same[0], 1.0, exact=True)
        if same:
            # Versions of one song: the one of the same version is meant, else a person should look at the newest.
            twins = [name for name in self._by_stem.get(stem, []) if name in same]
            return Match(twins[0], 1.0, exact=True) if len(twins) == 1 else Match(same[0], 1.0)
        return self._alike(normal)

    def _alike(self, normal: str) -> Match:
        trigrams = _trigrams(normal)
        shared = Counter(other for trigram in trigrams for other in self._with.get(trigram, ()))
        found: dict[str, float] = {}
        matcher = difflib.SequenceMatcher(None, "", normal, autojunk=False)  # it remembers its second text
        for other, count in shared.most_common():
            if 2 * count < _SHARED_TRIGRAMS * (len(trigrams) + len(_trigrams(other))):
                continue
            matcher.set_seq1(other)
            if matcher.real_quick_ratio() < LIKE or matcher.quick_ratio() < LIKE:
                continue
            if (ratio := matcher.ratio()) >= LIKE:
                found |= dict.fromkeys(self._by_normal[other], ratio) | found
            if len(found) > 1:
                return Match()  # alike to several is alike to none
        if len(found) != 1:
            return Match()
        target, ratio = next(iter(found.items()))
        return Match(target, round(ratio, 4))


def _put(shelf: dict[str, list[str]], stem: str, target: str) -> None:
    if stem and target not in shelf[stem]:
        shelf[stem].append(target)
