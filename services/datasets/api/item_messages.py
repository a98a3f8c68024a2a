"""Training items as messages and back."""

from __future__ import annotations

from services.datasets.api.shared import enum_value, moment_of, plain_struct, stamp, struct_of
from services.datasets.domain.findings import Finding
from services.datasets.domain.items import Audio, CaptionRevision, Consent, ItemState, TrainingItem
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
    )


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
