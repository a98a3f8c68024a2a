"""Training items: audio with a caption, and the checked way from one state to the next."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chassis.errors import AlreadyExists, FailedPrecondition, NotFound, require
from chassis.ids import format_name
from services.datasets.domain import jsontext
from services.datasets.domain.captions import CaptionSource, LiveSetFacts, Proposal
from services.datasets.domain.findings import Finding

NAME = "artists/{artist}/training-items/{training_item}"
REVISION_NAME = NAME + "/caption-revisions/{caption_revision}"
HEARD_CONFIDENCE = 0.5  # below it a tempo or key that was heard is not taken for one
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufeff\u2028\u2029]")
_KEY = re.compile(r"[A-G][#b♯♭]? [A-Za-z][A-Za-z #b-]{0,24}")
_TIME_SIGNATURE = re.compile(r"[1-9]\d?/(1|2|4|8|16)")


class TrainingItemNotFound(NotFound):
    """There is no such training item."""

    REASON = "TRAINING_ITEM_NOT_FOUND"


class CaptionRevisionNotFound(NotFound):
    """The training item never had that caption."""

    REASON = "CAPTION_REVISION_NOT_FOUND"


class AudioInUse(AlreadyExists):
    """Another training item holds the same audio."""

    REASON = "AUDIO_IN_USE"


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

    @property
    def is_refused(self) -> bool:
        """Whether somebody has said no: there is a word on it, and it does not allow training."""
        return not self.training_allowed and bool(self.given_by or self.give_time or self.evidence)


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
    caption_source: CaptionSource = CaptionSource.NONE
    source_caption: str = ""

    @property
    def name(self) -> str:
        """Its resource name."""
        return format_name(
            REVISION_NAME, artist=self.artist, training_item=self.item_uid, caption_revision=str(self.revision)
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """Which items something works on: the named ones, else all in these states, oldest first."""

    item_uids: tuple[str, ...] = ()
    states: tuple[ItemState, ...] = ()
    new_since: str = ""  # uid of a snapshot; leaves out what it holds as it is now


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
    tempo_bpm: float = 0.0  # as a person gives it; 0 when nobody does
    key: str = ""
    time_signature: str = ""
    source_caption: str = ""
    caption_source: CaptionSource = CaptionSource.NONE
    caption_findings: tuple[Finding, ...] = ()  # rules that the caption bends
    proposal: Proposal | None = None
    state: ItemState = ItemState.NEEDS_AUDIO
    failure: str = ""
    last_export: str = ""
    revision: int = 1  # grows with every change of the row
    content_revision: int = 1  # grows when audio, caption or musical facts change

    @property
    def name(self) -> str:
        """Its resource name."""
        return format_name(NAME, artist=self.artist, training_item=self.uid)

    @property
    def etag(self) -> str:
        """Changes with every change of the item."""
        return f"{self.revision}-{self.uid[-12:]}"


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
    require(item.tempo_bpm == 0 or 20 <= item.tempo_bpm <= 999, "tempo_bpm", "20 to 999, or 0 for none")
    require(not item.key or _KEY.fullmatch(item.key) is not None, "key", "a key as `B minor`, or nothing")
    signed = not item.time_signature or _TIME_SIGNATURE.fullmatch(item.time_signature) is not None
    require(signed, "time_signature", "a time signature as `6/8`, or nothing")
    provenance = jsontext.write(item.provenance)
    require(len(provenance) <= 16 * 1024, "provenance", "up to 16 KiB as JSON")
    require(b"\\u0000" not in provenance, "provenance", "no NUL characters")
    return item


def natural_state(item: TrainingItem) -> ItemState:
    """The state that follows from what an item has: no state is ever chosen.

    Exported is no step of its own: it is a ready item that its last export holds as it is.
    """
    if item.failure:
        return ItemState.FAILED
    if item.audio is None:
        return ItemState.NEEDS_AUDIO
    if not item.caption:
        return ItemState.NEEDS_PROMPT
    return ItemState.EXPORTED if item.last_export else ItemState.READY


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
    """The item after an edit: what a snapshot would freeze differently counts as changed since the last export."""
    changed = _content(before) != _content(after)
    settled = replace(
        after,
        state=before.state,
        last_export="" if changed else before.last_export,
        content_revision=before.content_revision + changed,
    )
    return moved(settled, natural_state(settled), now=now)


def _content(item: TrainingItem) -> tuple[Any, ...]:
    return item.audio, item.caption, item.live_set, item.tempo_bpm, item.key, item.time_signature


def failed(item: TrainingItem, failure: str, *, now: datetime) -> TrainingItem:
    """The item marked as failed for that reason."""
    require(1 <= len(failure) <= 1000, "failure", "1 to 1,000 characters")
    require("\x00" not in failure, "failure", "no NUL characters")
    return moved(item, ItemState.FAILED, now=now, failure=failure)


def retried(item: TrainingItem, *, now: datetime) -> TrainingItem:
    """A failed item back where what it has puts it.

    Raises:
        TrainingItemStateInvalid: It has not failed.
    """
    if item.state != ItemState.FAILED:
        raise TrainingItemStateInvalid(
            f"training item {item.name} is {item.state.value}; only a FAILED one can be retried",
            metadata={"state": item.state.value},
        )
    return moved(item, natural_state(replace(item, failure="")), now=now, failure="")


def tempo_of(item: TrainingItem, live_set: LiveSetFacts | None) -> float:
    """Its tempo in beats per minute: a person's, the Live Set's, or the one heard; 0 when unknown."""
    if item.tempo_bpm or (live_set is not None and live_set.tempo_bpm):
        return item.tempo_bpm or (live_set.tempo_bpm if live_set else 0.0)
    heard = item.audio is not None and item.audio.tempo_confidence >= HEARD_CONFIDENCE
    return round(item.audio.tempo_bpm, 1) if item.audio and heard else 0.0


def key_of(item: TrainingItem, live_set: LiveSetFacts | None) -> str:
    """Its key: a person's, the Live Set's where it can be trusted, or the one heard; empty when unknown."""
    if item.key or (live_set is not None and live_set.key):
        return item.key or (live_set.key if live_set else "")
    heard = item.audio is not None and item.audio.key_confidence >= HEARD_CONFIDENCE
    return item.audio.key if item.audio and heard else ""


def time_signature_of(item: TrainingItem, live_set: LiveSetFacts | None) -> str:
    """Its time signature: a person's or the Live Set's; empty when unknown."""
    return item.time_signature or (live_set.time_signature if live_set else "")
