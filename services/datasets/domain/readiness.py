"""What a training needs of its items, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from services.datasets.domain.duplicates import DuplicateGroup, Likeness
from services.datasets.domain.export_rules import LITTLE_S, MIN_PAIRS, MUCH_S
from services.datasets.domain.exports import CHUNK_S, TAIL_S
from services.datasets.domain.findings import Finding, Severity
from services.datasets.domain.item_findings import findings_of, unusable
from services.datasets.domain.items import ItemState, TrainingItem

_MAX_FINDINGS = 1000
_LIKE = {
    Likeness.SAME_BYTES: ("DUPLICATE_AUDIO", "the same file as"),
    Likeness.SAME_AUDIO: ("DUPLICATE_AUDIO", "the same audio as"),
    Likeness.SIMILAR: ("SIMILAR_AUDIO", "sounds nearly the same as"),
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether items make a dataset that can be trained on."""

    ready: bool
    pair_count: int
    duration_s: float
    items_by_state: dict[ItemState, int]
    findings: tuple[Finding, ...]


def judge(
    items: Sequence[TrainingItem],
    caption_findings: Mapping[str, Sequence[Finding]],
    groups: Sequence[DuplicateGroup],
    names: Mapping[str, str],
    counts: Mapping[ItemState, int],
    *,
    beside: Sequence[TrainingItem] = (),
) -> Readiness:
    """The verdict, with errors first and what is about the whole before what is about one item.

    Args:
        items: What would be trained on.
        caption_findings: What the rules say of their captions now, by item.
        groups: Items of them that hold the same audio.
        names: Names of the items, by uid.
        counts: How many items of the artist stand in each state.
        beside: Items that wait for a caption; audio of theirs that can never be trained on is worth a look.

    Source: spec, validation before upload: E1, E4, E5, E7, E8, E10, W1 to W4 and W7 to W9.
    """
    found: list[Finding] = []
    pairs: list[TrainingItem] = []
    for item in items:
        own = [*_missing(item), *findings_of(replace(item, caption_findings=()))]
        own += [*caption_findings.get(item.uid, ()), *_tail(item)]
        found += own
        if not any(finding.severity is Severity.ERROR for finding in own):
            pairs.append(item)
    duration_s = sum(item.audio.duration_s for item in pairs if item.audio)
    found += [replace(finding, severity=Severity.WARNING) for item in beside for finding in unusable(item)]
    found = [*_of_whole(len(items), len(pairs), duration_s), *found, *_of_groups(groups, names)]
    found.sort(key=lambda finding: (finding.severity is not Severity.ERROR, bool(finding.training_item)))
    return Readiness(
        ready=not any(finding.severity is Severity.ERROR for finding in found),
        pair_count=len(pairs),
        duration_s=round(duration_s, 6),
        items_by_state={state: counts.get(state, 0) for state in ItemState},
        findings=tuple(found[:_MAX_FINDINGS]),
    )


def _missing(item: TrainingItem) -> Iterator[Finding]:
    if item.failure:
        text = f"it is marked as failed ({item.failure[:200]}); mend and retry it, or leave it out"
        yield Finding("ITEM_FAILED", text, item.name, Severity.ERROR)
    if item.audio is None:
        yield Finding("AUDIO_MISSING", "it has no audio; attach an asset, or leave it out", item.name, Severity.ERROR)
    if not item.caption:
        waits = "accept or change the text that waits as its proposal" if item.proposal else "write its caption"
        yield Finding("CAPTION_MISSING", f"it has no caption; {waits}", item.name, Severity.ERROR)


def _tail(item: TrainingItem) -> Iterator[Finding]:
    if item.audio is None or item.audio.duration_s <= CHUNK_S:
        return
    rest_s = round(item.audio.duration_s * 1000) % round(CHUNK_S * 1000) / 1000
    if 0 < rest_s <= TAIL_S:
        text = f"the trainer cuts pieces of 30 s and throws the last {rest_s:.1f} s away"
        yield Finding("TAIL_DROPPED", text, item.name)


def _of_whole(count: int, pairs: int, duration_s: float) -> Iterator[Finding]:
    if pairs < MIN_PAIRS:
        told = f" of {count} items" if count != pairs else ""
        text = f"{pairs}{told} can be trained on and a training wants {MIN_PAIRS} or more; {MIN_PAIRS - pairs} missing"
        yield Finding("FEW_PAIRS", text, severity=Severity.ERROR)
    if duration_s < LITTLE_S:
        text = f"{duration_s / 60:.1f} minutes of audio in all; 15 minutes or more give a better model"
        yield Finding("LITTLE_AUDIO", text)
    if duration_s > MUCH_S:
        text = f"{duration_s / 3600:.1f} hours of audio in all; beyond 9 hours a training may not end in time"
        yield Finding("MUCH_AUDIO", text)


def _of_groups(groups: Sequence[DuplicateGroup], names: Mapping[str, str]) -> Iterator[Finding]:
    told: set[str] = set()
    for group in groups:
        reason, words = _LIKE[group.likeness]
        for uid in group.item_uids[1:]:
            if uid not in told:
                told.add(uid)
                yield Finding(reason, f"{words} {names[group.item_uids[0]]}; keep one of them", names[uid])
