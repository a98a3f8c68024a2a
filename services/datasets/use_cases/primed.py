"""Verdicts on many captions from one question."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.datasets.domain.captions import CaptionCheck, CaptionRules, CaptionVerdict
from services.datasets.domain.items import TrainingItem


def primed_checks(
    rules: CaptionRules, artist: str, texts: Sequence[tuple[str, str, float]]
) -> Callable[[TrainingItem, str], CaptionVerdict]:
    """A check that has asked about these texts already, compared with each other; other texts are asked about alone.

    Args:
        rules: Who is asked.
        artist: Whose captions they are.
        texts: Each with its Live Set and tempo; empty ones are left out.
    """
    checks = [CaptionCheck(text.strip(), live_set, bpm) for text, live_set, bpm in texts if text.strip()]
    verdicts = rules.batch_check(artist, checks, compare_each_other=True) if checks else []
    known = dict(zip(checks, verdicts, strict=True))

    def check(item: TrainingItem, text: str) -> CaptionVerdict:
        asked = CaptionCheck(text, item.live_set, item.tempo_bpm)
        return known[asked] if asked in known else rules.batch_check(artist, [asked])[0]

    return check
