"""Training items as messages and back."""

from __future__ import annotations

from chassis.errors import AppError, require
from services.datasets.api.shared import enum_value, last_of, moment_of, plain_struct, stamp, status_of, struct_of
from services.datasets.domain import items, snapshots
from services.datasets.domain.captions import CaptionSource, Proposal
from services.datasets.domain.findings import Finding
from services.datasets.domain.item_findings import findings_of
from services.datasets.domain.item_ports import ItemFilter
from services.datasets.domain.items import Audio, CaptionRevision, Consent, ItemState, Selection, TrainingItem
from services.datasets.use_cases.items import ItemFacts
from tonewright.datasets.v1 import datasets_pb2 as pb


def to_item(item: TrainingItem) -> pb.TrainingItem:
    """The item as a message."""
    return pb.TrainingItem(
        name=item.name,
        display_name=item.display_name,
        asset=item.audio.asset if item.audio else "",
        caption=item.caption,
        live_set=item.live_set,
        provenance=struct_of(item.provenance) if item.provenance else None,
        licence=item.licence,
        consent=to_consent(item.consent) if item.consent != Consent() else None,
        state=pb.TrainingItem.State.Value(f"STATE_{item.state.value}"),
        failure=item.failure,
        caption_revision=item.caption_revision,
        audio=to_audio(item.audio) if item.audio else None,
        last_export=item.last_export,
        create_time=stamp(item.create_time),
        update_time=stamp(item.update_time),
        etag=item.etag,
        tempo_bpm=item.tempo_bpm,
        key=item.key,
        time_signature=item.time_signature,
        source_caption=item.source_caption,
        caption_source=to_source(item.caption_source),
        proposal=_to_proposal(item.proposal) if item.proposal else None,
        findings=[to_finding(finding) for finding in findings_of(item)],
    )


def _to_proposal(proposal: Proposal) -> pb.CaptionProposal:
    return pb.CaptionProposal(
        text=proposal.text,
        source_caption=proposal.source_caption,
        violations=[to_finding(finding) for finding in proposal.violations],
        create_time=stamp(proposal.create_time),
    )


def to_source(source: str) -> pb.CaptionSource.ValueType:
    """Where a caption comes from, as an enum's number."""
    return pb.CaptionSource.Value(f"CAPTION_SOURCE_{source or 'UNSPECIFIED'}")


def to_result(outcome: TrainingItem | AppError) -> pb.BatchCreateTrainingItemsResponse.Result:
    """One item of a batch as a message: what came of it, or why nothing did."""
    if isinstance(outcome, AppError):
        return pb.BatchCreateTrainingItemsResponse.Result(status=status_of(outcome))
    return pb.BatchCreateTrainingItemsResponse.Result(training_item=to_item(outcome))


def item_filter(request: pb.ListTrainingItemsRequest) -> ItemFilter:
    """Which items a list is to hold."""
    source = enum_value(pb.CaptionSource, request.caption_source, "CAPTION_SOURCE_", "caption_source")
    return ItemFilter(
        state=item_state(request.state),
        live_set=request.live_set,
        asset=request.asset,
        query=request.query,
        caption_source=CaptionSource(source) if source else None,
    )


def to_audio(audio: Audio) -> pb.AudioFacts:
    """The facts as a message."""
    return pb.AudioFacts(
        sha256=audio.sha256,
        size_bytes=audio.size_bytes,
        media_type=audio.media_type,
        duration_s=audio.duration_s,
        rate_hz=audio.rate_hz,
        channels=audio.channels,
        pcm_sha256=audio.pcm_sha256,
        loudness_lufs=audio.loudness_lufs,
        peak=audio.peak,
        clipped_share=audio.clipped_share,
        tempo_bpm=audio.tempo_bpm,
        tempo_confidence=audio.tempo_confidence,
        key=audio.key,
        key_confidence=audio.key_confidence,
    )


def to_consent(consent: Consent) -> pb.Consent:
    """The permission as a message."""
    return pb.Consent(
        training_allowed=consent.training_allowed,
        given_by=consent.given_by,
        give_time=stamp(consent.give_time),
        evidence=consent.evidence,
    )


def item_facts(message: pb.TrainingItem) -> ItemFacts:
    """What a caller says of an item."""
    consent = message.consent
    return ItemFacts(
        display_name=message.display_name,
        asset=message.asset,
        caption=message.caption,
        live_set=message.live_set,
        provenance=plain_struct(message, "provenance"),
        licence=message.licence,
        consent=Consent(consent.training_allowed, consent.given_by, moment_of(consent, "give_time"), consent.evidence),
        tempo_bpm=message.tempo_bpm,
        key=message.key,
        time_signature=message.time_signature,
        source_caption=message.source_caption,
    )


def selection(message: pb.Selection, artist: str) -> Selection:
    """Which of the artist's items a selection names."""
    uids = []
    for index, name in enumerate(message.training_items):
        field = f"selection.training_items[{index}]"
        owner, uid = last_of(items.NAME, name, field=field)
        require(owner == artist, field, f"an item of artists/{artist}")
        uids.append(uid)
    states = tuple(found for state in message.states if (found := item_state(state, "selection.states")))
    since = ""
    if message.new_since:
        owner, since = last_of(snapshots.NAME, message.new_since, field="selection.new_since")
        require(owner == artist, "selection.new_since", f"a snapshot of artists/{artist}")
    return Selection(tuple(uids), states, since)


def item_state(number: int, field: str = "state") -> ItemState | None:
    """The state that a filter names; None for all."""
    word = enum_value(pb.TrainingItem.State, number, "STATE_", field)
    return ItemState(word) if word else None


def to_revision(revision: CaptionRevision) -> pb.CaptionRevision:
    """The caption as a message."""
    return pb.CaptionRevision(
        name=revision.name,
        revision=revision.revision,
        caption=revision.caption,
        provenance=struct_of(revision.provenance) if revision.provenance else None,
        caption_source=to_source(revision.caption_source),
        principal=revision.principal,
        create_time=stamp(revision.create_time),
    )


def to_finding(finding: Finding) -> pb.Finding:
    """The finding as a message."""
    return pb.Finding(
        reason=finding.reason,
        message=finding.message,
        training_item=finding.training_item,
        severity=pb.Finding.Severity.Value(f"SEVERITY_{finding.severity.value}"),
    )
