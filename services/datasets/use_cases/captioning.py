"""How a text becomes the caption of an item: checked by the rules, with where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chassis.context import caller
from services.datasets.domain.captions import (
    CaptionCheck,
    Captions,
    CaptionSource,
    CaptionVerdict,
    Proposal,
    WrittenCaption,
    refused,
)
from services.datasets.domain.findings import Finding
from services.datasets.domain.item_ports import ItemStore
from services.datasets.domain.items import CaptionRevision, TrainingItem

SIBLINGS = 1000  # captions that one text is compared with
_WRITTEN = (CaptionSource.GENERATED, CaptionSource.EDITED)
Check = Callable[[TrainingItem, str], CaptionVerdict]


@dataclass(frozen=True, slots=True)
class Wording:
    """A caption as a caller gives it.

    Attributes:
        text: The words; empty takes those of `source_caption`, or clears the caption where that is empty, too.
        source_caption: The caption resource that the text comes from; empty for none.
        provenance: What the caller says of it; None when nothing.
    """

    text: str = ""
    source_caption: str = ""
    provenance: dict[str, Any] | None = None


class Captioning:
    """Sets, clears, checks again and restores captions of items; stores nothing."""

    def __init__(self, store: ItemStore, captions: Captions) -> None:
        self._store, self._captions = store, captions

    def worded(
        self, item: TrainingItem, wording: Wording, *, now: datetime, check: Check | None = None
    ) -> TrainingItem:
        """The item with that caption.

        Raises:
            CaptionInvalid: The text breaks rules.
            DependencyUnavailable: Nobody can say whether it does.
        """
        source_name = wording.source_caption or self._source_of(item, wording.text)
        written = self._captions.get(source_name) if source_name else None
        text = wording.text.strip() or (written.text if written else "")
        if not text:
            return cleared(item, wording.provenance)
        if text == item.caption and source_name == item.source_caption:
            return item if wording.provenance is None else replace(item, provenance=wording.provenance)
        verdict = (check or self.checked)(item, text)
        if verdict.violations:
            raise refused(verdict)
        if verdict.text == item.caption and source_name == item.source_caption:
            return item
        source, provenance = _origin(item, verdict.text, written, wording, now=now)
        return captioned(item, verdict, source, source_name, provenance)

    def checked(self, item: TrainingItem, text: str) -> CaptionVerdict:
        """What the rules say of a text for this item, beside the captions of the artist's other items."""
        siblings = self._store.captions(item.artist, besides=item.uid, limit=SIBLINGS)
        return self._captions.batch_check(item.artist, [question(item, text, siblings)])[0]

    def rechecked(self, item: TrainingItem, *, now: datetime) -> TrainingItem:
        """The item after its audio, Live Set or tempo changed: a caption that breaks rules now waits as a proposal."""
        if not item.caption:
            return item
        return settled(item, self.checked(item, item.caption), now=now)

    def restored(self, item: TrainingItem, wanted: CaptionRevision) -> TrainingItem:
        """The item with an earlier caption, from where it came from then.

        Raises:
            CaptionInvalid: The text breaks rules that hold now.
        """
        if not wanted.caption:
            return cleared(item, wanted.provenance)
        verdict = self.checked(item, wanted.caption)
        if verdict.violations:
            raise refused(verdict)
        same = verdict.text == wanted.caption
        source = wanted.caption_source if same else CaptionSource.EDITED
        return captioned(item, verdict, source, wanted.source_caption, wanted.provenance)

    def _source_of(self, item: TrainingItem, text: str) -> str:
        """Where a text without a source comes from: what it takes the place of, or what waited."""
        if not text.strip() or (item.caption and item.caption_source not in _WRITTEN):
            return ""
        waited = item.proposal.source_caption if item.proposal is not None else ""
        return item.source_caption if item.caption else waited


def question(item: TrainingItem, text: str, siblings: tuple[str, ...] = ()) -> CaptionCheck:
    """What is asked about a text for an item: its own tempo counts, else the Live Set's."""
    return CaptionCheck(text, item.live_set, item.tempo_bpm, siblings)


def captioned(
    item: TrainingItem,
    verdict: CaptionVerdict,
    source: CaptionSource,
    source_caption: str,
    provenance: dict[str, Any],
) -> TrainingItem:
    """The item with an accepted text; nothing waits any more."""
    return replace(
        item,
        caption=verdict.text,
        caption_revision=item.caption_revision + 1,
        caption_source=source,
        source_caption=source_caption,
        provenance=provenance,
        caption_findings=_about(verdict.warnings, item),
        proposal=None,
    )


def cleared(item: TrainingItem, provenance: dict[str, Any] | None = None) -> TrainingItem:
    """The item without a caption."""
    return replace(
        item,
        caption="",
        caption_revision=item.caption_revision + bool(item.caption),
        caption_source=CaptionSource.NONE,
        source_caption="",
        provenance=provenance or {},
        caption_findings=(),
        proposal=None,
    )


def settled(item: TrainingItem, verdict: CaptionVerdict, *, now: datetime) -> TrainingItem:
    """The item with what the rules say of its caption now: a text that breaks them becomes its proposal."""
    if not verdict.violations:
        return replace(item, caption_findings=_about(verdict.warnings, item))
    return proposed(cleared(item, item.provenance), item.caption, item.source_caption, verdict.violations, now=now)


def proposed(
    item: TrainingItem, text: str, source_caption: str, violations: tuple[Finding, ...], *, now: datetime
) -> TrainingItem:
    """The item with a text that waits for a person."""
    return replace(item, proposal=Proposal(text, source_caption, _about(violations, item), now))


def edited_source(source: CaptionSource) -> CaptionSource:
    """Where a caption comes from once a person has changed it."""
    return CaptionSource.EDITED if source in _WRITTEN else CaptionSource.MANUAL


def edited_provenance(provenance: dict[str, Any], source: CaptionSource, *, now: datetime) -> dict[str, Any]:
    """The provenance of a changed caption: that of the original, with who changed it and when."""
    marks = {"source": source.value.lower(), "edited_by": caller().principal, "edited_at": now.isoformat()}
    return provenance | marks


def _origin(
    item: TrainingItem, text: str, written: WrittenCaption | None, wording: Wording, *, now: datetime
) -> tuple[CaptionSource, dict[str, Any]]:
    if written is not None and text == written.text:
        return CaptionSource.GENERATED, written.provenance | {"source": "generated"}
    if written is not None:
        return CaptionSource.EDITED, edited_provenance(written.provenance, CaptionSource.EDITED, now=now)
    if item.caption and item.caption_source in _WRITTEN:
        return CaptionSource.EDITED, edited_provenance(item.provenance, CaptionSource.EDITED, now=now)
    said = dict(wording.provenance if wording.provenance is not None else item.provenance)
    imported = said.get("source") == "imported" and wording.provenance is not None
    source = CaptionSource.IMPORTED if imported else CaptionSource.MANUAL
    return source, said | {"source": source.value.lower()}


def _about(findings: tuple[Finding, ...], item: TrainingItem) -> tuple[Finding, ...]:
    return tuple(replace(finding, training_item=item.name) for finding in findings)
