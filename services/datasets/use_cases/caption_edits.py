"""Editing many captions at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chassis.clock import Clock
from chassis.errors import EtagMismatch, require
from services.datasets.domain import items
from services.datasets.domain.caption_edits import (
    MAX_ITEMS,
    Edit,
    EditOutcome,
    check_edits,
    edited_tempo,
    edited_text,
)
from services.datasets.domain.captions import CaptionRules, CaptionVerdict
from services.datasets.domain.item_ports import CaptionEditStore, ItemStore
from services.datasets.domain.items import Selection, TrainingItem, TrainingItemNotFound
from services.datasets.domain.ports import RequestKey
from services.datasets.use_cases.captioning import captioned, edited_provenance, edited_source, question
from services.datasets.use_cases.selections import Selections


class CaptionEditing:
    """Changes of many captions by rule, each item by itself."""

    def __init__(
        self,
        store: ItemStore,
        edits: CaptionEditStore,
        selections: Selections,
        rules: CaptionRules,
        clock: Clock,
    ) -> None:
        self._store, self._edits, self._selections = store, edits, selections
        self._rules, self._clock = rules, clock

    def edit(
        self,
        artist: str,
        selection: Selection,
        edits: Sequence[Edit],
        key: RequestKey,
        *,
        validate_only: bool,
    ) -> tuple[list[EditOutcome], int]:
        """What becomes of each caption that changes, and how many stay as they are.

        A repeat of a request goes on where the first one stopped and never changes a caption twice.
        """
        check_edits(edits)
        found = self._found(artist, selection)
        if validate_only or not key.request_id:
            return self._edit(found, edits, edit_uid="", done={}, keep=not validate_only)
        edit_uid, uids = self._edits.begin(artist, [item.uid for item in found], key)
        there = self._store.find(artist, uids)
        found = [there[uid] for uid in uids if uid in there]
        done = {
            uid: EditOutcome(there[uid].name, was.before, was.after, applied=True)
            for uid, was in self._edits.done(artist, edit_uid).items()
            if uid in there
        }
        return self._edit(found, edits, edit_uid=edit_uid, done=done, keep=True)

    def _found(self, artist: str, selection: Selection) -> list[TrainingItem]:
        if not selection.item_uids and not selection.states and not selection.new_since:
            found = self._store.captioned(artist, limit=MAX_ITEMS + 1)
        else:
            found = [item for item in self._selections.resolve(artist, selection) if item.caption]
        require(len(found) <= MAX_ITEMS, "selection", f"up to {MAX_ITEMS} items with captions; name fewer")
        return found

    def _edit(
        self,
        found: Sequence[TrainingItem],
        edits: Sequence[Edit],
        *,
        edit_uid: str,
        done: dict[str, EditOutcome],
        keep: bool,
    ) -> tuple[list[EditOutcome], int]:
        bpm = edited_tempo(edits)
        texts = {item.uid: edited_text(item.caption, edits) for item in found if item.uid not in done}
        changing = [item for item in found if item.uid in texts and texts[item.uid] != item.caption]
        asked = [replace(item, tempo_bpm=bpm or item.tempo_bpm) for item in changing]
        checks = [question(item, texts[item.uid]) for item in asked]
        verdicts = self._rules.batch_check(asked[0].artist, checks, compare_each_other=True) if asked else []
        outcomes = dict(done)
        for before, changed, verdict in zip(changing, asked, verdicts, strict=True):
            outcome = EditOutcome(before.name, before.caption, verdict.text, verdict.violations, verdict.warnings)
            if keep and not verdict.violations and verdict.text != before.caption:
                outcome = self._kept(before, changed, verdict, outcome, edit_uid)
            outcomes[before.uid] = outcome
        return [outcomes[item.uid] for item in found if item.uid in outcomes], len(found) - len(outcomes)

    def _kept(
        self,
        before: TrainingItem,
        changed: TrainingItem,
        verdict: CaptionVerdict,
        outcome: EditOutcome,
        edit_uid: str,
    ) -> EditOutcome:
        now, source = self._clock.now(), edited_source(before.caption_source)
        provenance = edited_provenance(before.provenance, source, now=now)
        worded = captioned(changed, verdict, source, before.source_caption, provenance)
        try:
            self._store.replace(before, items.edited(before, worded, now=now), edit_uid=edit_uid)
        except EtagMismatch:
            return replace(outcome, conflict="somebody changed the item meanwhile; look at it and edit it again")
        except TrainingItemNotFound:
            return replace(outcome, conflict="somebody deleted the item meanwhile")
        return replace(outcome, applied=True)
