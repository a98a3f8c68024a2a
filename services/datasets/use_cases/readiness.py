"""Saying whether items make a dataset that can be trained on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from services.datasets.domain.captions import CaptionRules
from services.datasets.domain.findings import Finding
from services.datasets.domain.item_ports import ItemStore
from services.datasets.domain.items import ItemState, Selection, TrainingItem
from services.datasets.domain.readiness import Readiness, judge
from services.datasets.use_cases.captioning import question
from services.datasets.use_cases.duplicates import Duplicates
from services.datasets.use_cases.selections import Selections

_BESIDE = 1000  # items without a caption that are looked at, too


class ReadinessDesk:
    """Checks before a training that cost nothing."""

    def __init__(self, store: ItemStore, selections: Selections, rules: CaptionRules, duplicates: Duplicates) -> None:
        self._store, self._selections = store, selections
        self._rules, self._duplicates = rules, duplicates

    def check(self, artist: str, selection: Selection) -> Readiness:
        """What stands in the way of a training on these items, and what is worth a look; changes nothing.

        Raises:
            DependencyUnavailable: Nobody can check the captions.
        """
        found = self._selections.resolve(artist, selection)
        captioned = [item for item in found if item.caption]
        # Captions that are too alike are told among a thousand; of more, each thousand by itself.
        verdicts = self._rules.batch_check(
            artist, [question(item, item.caption) for item in captioned], compare_each_other=True
        )
        told = {
            item.uid: _about((*verdict.violations, *verdict.warnings), item)
            for item, verdict in zip(captioned, verdicts, strict=True)
        }
        chosen = {item.uid for item in found}
        groups = [
            replace(group, item_uids=tuple(uid for uid in group.item_uids if uid in chosen))
            for group in self._duplicates.groups(artist)
        ]
        named = {item.uid: item.name for item in found}
        waiting = [ItemState.NEEDS_PROMPT] if selection == Selection() else []
        beside = self._store.in_states(artist, waiting, limit=_BESIDE) if waiting else []
        return judge(found, told, groups, named, self._store.counts(artist), beside=beside)


def _about(findings: Iterable[Finding], item: TrainingItem) -> Sequence[Finding]:
    return [replace(finding, training_item=item.name) for finding in findings]
