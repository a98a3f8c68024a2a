"""The prompt service in memory, with its real caption rules."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from chassis.errors import AppError, DependencyUnavailable, NotFound
from chassis.ids import new_uid
from services.datasets.domain.captions import (
    CaptionCheck,
    CaptionVerdict,
    CaptionWish,
    LiveSetFacts,
    WrittenCaption,
)
from services.datasets.domain.findings import Finding, Severity
from services.prompt.domain import rules

WORDS = "Warm dusty drums and a round bass carry a slow melody of soft bells, calm and hopeful, for late evenings."


class CaptionMissing(NotFound):
    REASON = "CAPTION_NOT_FOUND"


@dataclass
class Rulebook:
    """Captions, their rules and Live Sets of one artist.

    Attributes:
        broken: What is wrong with a text beside what the rules say, by text.
        warned: What is worth a look in a text beside what the rules say, by text.
        known_live_sets: The Live Sets that exist, by name.
        written: Captions that were written, by name.
        asked: Request ids in the order asked.
        faults: Errors that the next requests for a text raise.
        on_write: Called with each wish before its text is written.
        is_away: Whether nobody answers.
    """

    broken: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    warned: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    known_live_sets: dict[str, LiveSetFacts] = field(default_factory=dict)
    written: dict[str, WrittenCaption] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    faults: deque[AppError] = field(default_factory=deque)
    on_write: Callable[[CaptionWish], None] = field(default=lambda _wish: None)
    is_away: bool = False
    busiest: int = 0
    _texts: deque[str] = field(default_factory=deque)
    _by_request: dict[str, str] = field(default_factory=dict)
    _writing: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def batch_check(
        self, artist: str, checks: Sequence[CaptionCheck], *, compare_each_other: bool = False
    ) -> list[CaptionVerdict]:
        self._answer()
        texts = [check.text for check in checks]
        others = [tuple(texts[:at] + texts[at + 1 :]) if compare_each_other else () for at in range(len(texts))]
        return [self._verdict(check, siblings) for check, siblings in zip(checks, others, strict=True)]

    def get(self, name: str) -> WrittenCaption:
        self._answer()
        if name not in self.written:
            raise CaptionMissing(f"no caption {name}")
        return self.written[name]

    def write(self, artist: str, wish: CaptionWish, request_id: str) -> WrittenCaption:
        self._answer()
        with self._lock:
            self.asked.append(request_id)
            self._writing += 1
            self.busiest = max(self.busiest, self._writing)
        try:
            self.on_write(wish)
            with self._lock:
                if self.faults:
                    raise self.faults.popleft()
                if request_id in self._by_request:
                    return self.written[self._by_request[request_id]]
                text = (
                    self._texts.popleft() if self._texts else f"{WORDS} Take {len(self.written)}. BPM: {_tempo(wish)}"
                )
                made = self.will_have(text, wish)
                self._by_request[request_id] = made.name
                return made
        finally:
            with self._lock:
                self._writing -= 1

    def live_sets(self, artist: str, names: Collection[str]) -> dict[str, LiveSetFacts]:
        self._answer()
        return {name: self.known_live_sets[name] for name in names if name in self.known_live_sets}

    def all_live_sets(self, artist: str, *, limit: int) -> list[LiveSetFacts]:
        self._answer()
        return list(self.known_live_sets.values())[:limit]

    def will_say(self, *texts: str) -> None:
        """Write these texts next, one each."""
        self._texts.extend(texts)

    def will_have(self, text: str, wish: CaptionWish | None = None) -> WrittenCaption:
        """A caption that was written."""
        wish = wish or CaptionWish()
        verdict = self._verdict(CaptionCheck(text, wish.live_set, wish.tempo_bpm), ())
        name = f"artists/nova/captions/{new_uid()}"
        facts = {
            "engine": "openai",
            "model": "m",
            "prompt_version": "train-v2",
            "raw_text": f"{text} raw",
            "caption": name,
        }
        made = WrittenCaption(name, text, verdict.violations, verdict.warnings, facts, cost_usd_micros=7)
        self.written[name] = made
        return made

    def add_live_set(self, uid: str, *, tempo_bpm: float = 92.0, file_name: str = "", key: str = "") -> str:
        """Name of a new Live Set."""
        name = f"artists/nova/live-sets/{uid}"
        file_name = file_name or f"{uid}.als"
        self.known_live_sets[name] = LiveSetFacts(name, uid, file_name, "ab" * 32, tempo_bpm, "4/4", key)
        return name

    def _answer(self) -> None:
        if self.is_away:
            raise DependencyUnavailable("prompt", "captions cannot be checked at the moment")

    def _verdict(self, check: CaptionCheck, siblings: tuple[str, ...]) -> CaptionVerdict:
        facts = self.known_live_sets.get(check.live_set)
        tempo = check.tempo_bpm or (facts.tempo_bpm if facts else 0.0)
        text = " ".join(check.text.split())
        context = rules.RuleContext(tempo_bpm=tempo or None, siblings=(*check.siblings, *siblings))
        found = rules.check(text, context)
        broken = [Finding(one.rule, one.description, severity=Severity.ERROR) for one in found.violations]
        warned = [Finding(one.rule, one.description) for one in found.warnings]
        return CaptionVerdict(
            text, (*broken, *self.broken.get(check.text, ())), (*warned, *self.warned.get(check.text, ()))
        )


def _tempo(wish: CaptionWish) -> str:
    return f"{wish.tempo_bpm or 92:g}"
