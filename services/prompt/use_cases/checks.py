"""Saying which rules texts break."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chassis.errors import collect, require
from services.prompt.domain.captions import check_siblings
from services.prompt.domain.findings import Finding, Verdict
from services.prompt.domain.likeness import near_copies
from services.prompt.domain.ports import Store
from services.prompt.domain.projection import tempo_of
from services.prompt.domain.rules import RuleContext, check, near_copy
from services.prompt.domain.tidying import tidy
from services.prompt.use_cases.known import find_known

MAX_TEXTS = 1000


@dataclass(frozen=True, slots=True)
class Text:
    """A text to check; `live_set` is an id, empty for none, and a tempo of None takes the Live Set's or any."""

    text: str
    live_set: str = ""
    tempo_bpm: float | None = None
    siblings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        with collect() as violations:
            violations.require(len(self.text) <= 10_000, "text", "at most 10,000 characters")
            tempo = self.tempo_bpm
            violations.require(tempo is None or 20 <= tempo <= 999, "tempo_bpm", "20 to 999, or 0 for the Live Set's")
            with violations.within():
                check_siblings(self.siblings)


@dataclass(frozen=True, slots=True)
class Checked:
    """The mended text, what the rules say of it, and what was mended."""

    text: str
    verdict: Verdict
    fixes: tuple[Finding, ...]


class Checks:
    """Checks of texts against the rules; keeps nothing."""

    def __init__(self, store: Store, public_names: tuple[str, ...] = ()) -> None:
        self._store = store
        self._public_names = public_names

    def check(self, artist: str, text: Text) -> Checked:
        """What the rules say of one text."""
        known = find_known(self._store, artist, text.live_set, self._public_names)
        return _checked(text, known.rules(tempo_of(known.summary)))

    def check_all(self, artist: str, texts: Sequence[Text], *, compare_each_other: bool) -> list[Checked]:
        """What the rules say of each text, in their order; each Live Set is looked up once.

        Raises:
            LiveSetNotFound: One of them names a Live Set that is not there.
        """
        require(1 <= len(texts) <= MAX_TEXTS, "requests", f"1 to {MAX_TEXTS:,} texts")
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for place, text in enumerate(texts):
            groups[text.live_set].append(place)
        found: dict[int, Checked] = {}
        for live_set, places in groups.items():  # one after the other: a summary may take megabytes
            known = find_known(self._store, artist, live_set, self._public_names)
            context = known.rules(tempo_of(known.summary))
            found.update((place, _checked(texts[place], context)) for place in places)
        if compare_each_other:
            for place in near_copies([found[place].text for place in range(len(texts))]):
                found[place] = _with_near_copy(found[place])
        return [found[place] for place in range(len(texts))]


def _checked(text: Text, context: RuleContext) -> Checked:
    """What the rules say of the text, by the context of its Live Set."""
    mended, fixes = tidy(text.text)
    own = replace(context, tempo_bpm=text.tempo_bpm or context.tempo_bpm, siblings=text.siblings)
    return Checked(mended, check(mended, own), tuple(fixes))


def _with_near_copy(checked: Checked) -> Checked:
    verdict = checked.verdict
    if any(finding.rule == "P11" for finding in verdict.warnings):
        return checked
    return replace(checked, verdict=Verdict(verdict.violations, (*verdict.warnings, near_copy())))
