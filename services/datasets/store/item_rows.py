"""Training items as rows and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.datasets.domain.captions import CaptionSource, Proposal
from services.datasets.domain.findings import Finding, Severity
from services.datasets.domain.items import Audio, CaptionRevision, Consent, ItemState, TrainingItem
from services.datasets.store.tables import CaptionRevisions, TrainingItems

_PLAIN = (
    "uid",
    "artist",
    "display_name",
    "caption",
    "caption_revision",
    "live_set",
    "provenance",
    "licence",
    "tempo_bpm",
    "key",
    "time_signature",
    "source_caption",
    "failure",
    "last_export",
    "revision",
    "content_revision",
    "create_time",
    "update_time",
)


def columns(item: TrainingItem) -> dict[str, Any]:
    """The item as columns of its row."""
    consent = asdict(item.consent)
    consent["give_time"] = item.consent.give_time and item.consent.give_time.isoformat()
    return {name: getattr(item, name) for name in _PLAIN} | {
        "audio": item.audio and asdict(item.audio),
        "audio_sha256": item.audio.sha256 if item.audio else "",
        "pcm_sha256": item.audio.pcm_sha256 if item.audio else "",
        "asset": item.audio.asset if item.audio else "",
        "consent": consent,
        "state": item.state.value,
        "caption_source": item.caption_source.value,
        "caption_findings": _plain(item.caption_findings),
        "proposal": item.proposal and _plain_proposal(item.proposal),
        "search_text": f"{item.display_name}\n{item.caption}".casefold(),
    }


def to_item(row: TrainingItems) -> TrainingItem:
    """The item of a row."""
    consent = dict(row.consent)
    given = consent.pop("give_time")
    return TrainingItem(
        **{name: getattr(row, name) for name in _PLAIN},
        audio=Audio(**row.audio) if row.audio else None,
        consent=Consent(**consent, give_time=datetime.fromisoformat(given) if given else None),
        state=ItemState(row.state),
        caption_source=CaptionSource(row.caption_source),
        caption_findings=_findings(row.caption_findings),
        proposal=_proposal(row.proposal) if row.proposal else None,
    )


def to_revision(row: CaptionRevisions) -> CaptionRevision:
    """The caption of a row."""
    return CaptionRevision(
        artist=row.artist,
        item_uid=row.item_uid,
        revision=row.revision,
        caption=row.caption,
        provenance=row.provenance,
        principal=row.principal,
        create_time=row.create_time,
        caption_source=CaptionSource(row.caption_source),
        source_caption=row.source_caption,
    )


def _plain(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [asdict(finding) for finding in findings]


def _findings(plain: Iterable[dict[str, Any]]) -> tuple[Finding, ...]:
    return tuple(Finding(**{**one, "severity": Severity(one["severity"])}) for one in plain)


def _plain_proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "text": proposal.text,
        "source_caption": proposal.source_caption,
        "violations": _plain(proposal.violations),
        "create_time": proposal.create_time.isoformat(),
    }


def _proposal(plain: dict[str, Any]) -> Proposal:
    return Proposal(
        plain["text"],
        plain["source_caption"],
        _findings(plain["violations"]),
        datetime.fromisoformat(plain["create_time"]),
    )
