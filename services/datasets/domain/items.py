"""Training items: audio with a caption, and the checked way from one state to the next."""

from __future__ import annotations

import enum
import re
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, Violation, require
from chassis.ids import format_name
from services.datasets.domain import jsontext

NAME = "artists/{artist}/training-items/{training_item}"
REVISION_NAME = NAME + "/caption-revisions/{caption_revision}"
CAPTION_MAX = 600  # hard cap of the caption rules; the rules in full belong to the prompt service
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufeff\u2028\u2029]")


class TrainingItemNotFound(NotFound):
    """There is no such training item."""

    REASON = "TRAINING_ITEM_NOT_FOUND"


class CaptionRevisionNotFound(NotFound):
    """The training item never had that caption."""

    REASON = "CAPTION_REVISION_NOT_FOUND"


class CaptionInvalid(InvalidArgument):
    """The caption could not be read by a trainer."""

    REASON = "CAPTION_INVALID"


class TrainingItemStateInvalid(FailedPrecondition):
    """The item's state does not allow this."""

    REASON = "TRAINING_ITEM_STATE_INVALID"


class ItemState(enum.StrEnum):
    """Where an item stands."""

    NEEDS_AUDIO = "NEEDS_AUDIO"
    NEEDS_PROMPT = "NEEDS_PROMPT"
    READY = "READY"
    EXPORTED = "EXPORTED"
    FAILED = "FAILED"


# Every change of state that can happen; anything else is a defect or a race and is refused.
TRANSITIONS: dict[ItemState, frozenset[ItemState]] = {
    ItemState.NEEDS_AUDIO: frozenset({ItemState.NEEDS_PROMPT, ItemState.READY, ItemState.FAILED}),
    ItemState.NEEDS_PROMPT: frozenset({ItemState.NEEDS_AUDIO, ItemState.READY, ItemState.FAILED}),
    ItemState.READY: frozenset({ItemState.NEEDS_AUDIO, ItemState.NEEDS_PROMPT, ItemState.EXPORTED, ItemState.FAILED}),
    ItemState.EXPORTED: frozenset({ItemState.NEEDS_AUDIO, ItemState.NEEDS_PROMPT, ItemState.READY, ItemState.FAILED}),
    ItemState.FAILED: frozenset({ItemState.NEEDS_AUDIO, ItemState.NEEDS_PROMPT, ItemState.READY, ItemState.EXPORTED}),
}


@dataclass(frozen=True, slots=True)
class Audio:
    """An asset as it was when it was attached."""

    asset: str  # artists/{artist}/assets/{asset}
    display_name: str
    object_key: str
    sha256: str
    crc32: int
    size_bytes: int
    media_type: str
    duration_s: float
    rate_hz: int
    channels: int
    pcm_sha256: str = ""  # of the decoded frames
    loudness_lufs: float | None = None
    peak: float = 0.0  # full scale is 1.0
    clipped_share: float = 0.0
    silent_share: float = 0.0
    tempo_bpm: float = 0.0  # as heard; 0 when none was
    tempo_confidence: float = 0.0
    key: str = ""  # as heard; empty when none was
    key_confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Consent:
    """Permission to train on the audio."""

    training_allowed: bool = False
    given_by: str = ""
    give_time: datetime | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class CaptionRevision:
    """A caption that an item has or had."""

    artist: str
    item_uid: str
    revision: int
    caption: str
    provenance: dict[str, Any]
    principal: str
    create_time: datetime

    @property
    def name(self) -> str:
        """Its resource name."""
        return format_name(
            REVISION_NAME, artist=self.artist, training_item=self.item_uid, caption_revision=str(self.revision)
        )


@dataclass(frozen=True, slots=True)
class TrainingItem:
    """One piece of audio with the caption that describes it."""

    artist: str
    uid: str
    create_time: datetime
    update_time: datetime
    display_name: str = ""
    audio: Audio | None = None
    caption: str = ""
    caption_revision: int = 0
    live_set: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    consent: Consent = Consent()
    state: ItemState = ItemState.NEEDS_AUDIO
    failure: str = ""
    last_export: str = ""
    revision: int = 1  # grows with every change of the row
    content_revision: int = 1  # grows when audio or caption change

    @property
    def name(self) -> str:
        """Its resource name."""
        return format_name(NAME, artist=self.artist, training_item=self.uid)

    @property
    def etag(self) -> str:
        """Changes with every change of the item."""
        return f"{self.revision}-{self.uid[-12:]}"


def check_caption(caption: str) -> str:
    """The caption if a trainer can read it, in composed Unicode.

    Raises:
        CaptionInvalid: It is empty, has several lines, holds control characters or is longer than 600 characters.

    Source: spec, caption rules P1, P2, P3 and the hard cap of P6: the trainer reads the first line alone.
    """
    composed = unicodedata.normalize("NFC", caption).strip(" ")
    if not composed.strip():
        raise _caption_invalid("it is empty; describe the audio in one line")
    lines = len(composed.splitlines())
    if lines > 1 or "\n" in composed or "\r" in composed:
        raise _caption_invalid(f"it has {lines} lines and the trainer reads the first alone; join them into one line")
    if _CONTROL.search(composed):
        raise _caption_invalid("it holds control characters or a byte order mark; remove them")
    if len(composed) > CAPTION_MAX:
        raise _caption_invalid(f"it has {len(composed)} characters; shorten it to {CAPTION_MAX}")
    return composed


def _caption_invalid(fault: str) -> CaptionInvalid:
    return CaptionInvalid(f"the caption cannot be used: {fault}", violations=[Violation("caption", fault)])


def check_facts(item: TrainingItem) -> TrainingItem:
    """The item if its texts keep their limits."""
    require(len(item.display_name) <= 255, "display_name", "0 to 255 characters")
    require(not _CONTROL.search(item.display_name), "display_name", "one line without control characters")
    require(len(item.licence) <= 255, "licence", "0 to 255 characters")
    require(not _CONTROL.search(item.licence), "licence", "one line without control characters")
    require(len(item.consent.given_by) <= 255, "consent.given_by", "0 to 255 characters")
    require(not _CONTROL.search(item.consent.given_by), "consent.given_by", "one line without control characters")
    require(len(item.consent.evidence) <= 2048, "consent.evidence", "0 to 2,048 characters")
    require(not _CONTROL.search(item.consent.evidence), "consent.evidence", "one line without control characters")
    provenance = jsontext.write(item.provenance)
    require(len(provenance) <= 16 * 1024, "provenance", "up to 16 KiB as JSON")
    require(b"\\u0000" not in provenance, "provenance", "no NUL characters")
    return item


def natural_state(item: TrainingItem) -> ItemState:
    """The state that an item's audio and caption give it, when nothing failed and no export holds it as it is."""
    if item.audio is None:
        return ItemState.NEEDS_AUDIO
    return ItemState.READY if item.caption else ItemState.NEEDS_PROMPT


def moved(item: TrainingItem, to: ItemState, *, now: datetime, **changes: Any) -> TrainingItem:
    """The item in another state with other changes, one revision on.

    Raises:
        TrainingItemStateInvalid: There is no way from its state to that one.
    """
    if to != item.state and to not in TRANSITIONS[item.state]:
        raise TrainingItemStateInvalid(
            f"training item {item.name} is {item.state.value} and cannot become {to.value}",
            metadata={"state": item.state.value},
        )
    return replace(item, state=to, revision=item.revision + 1, update_time=now, **changes)


def edited(before: TrainingItem, after: TrainingItem, *, now: datetime) -> TrainingItem:
    """The item after an edit: new audio or caption make it count as changed since its last export."""
    changed = (before.audio, before.caption) != (after.audio, after.caption)
    if before.state == ItemState.FAILED or not changed:
        return moved(
            replace(after, state=before.state),
            before.state,
            now=now,
            content_revision=before.content_revision + changed,
            last_export="" if changed else before.last_export,
        )
    settled = replace(after, state=before.state)
    return moved(settled, natural_state(after), now=now, content_revision=before.content_revision + 1, last_export="")


def failed(item: TrainingItem, failure: str, *, now: datetime) -> TrainingItem:
    """The item marked as failed for that reason."""
    require(1 <= len(failure) <= 1000, "failure", "1 to 1,000 characters")
    require("\x00" not in failure, "failure", "no NUL characters")
    return moved(item, ItemState.FAILED, now=now, failure=failure)


def retried(item: TrainingItem, *, now: datetime) -> TrainingItem:
    """A failed item back where its audio and caption put it.

    Raises:
        TrainingItemStateInvalid: It has not failed.
    """
    if item.state != ItemState.FAILED:
        raise TrainingItemStateInvalid(
            f"training item {item.name} is {item.state.value}; only a FAILED one can be retried",
            metadata={"state": item.state.value},
        )
    to = ItemState.EXPORTED if item.last_export else natural_state(item)
    return moved(item, to, now=now, failure="")
