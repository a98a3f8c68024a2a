"""Snapshots: training items as they were at one moment, with everything that exports, trainings and lineage need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.errors import FailedPrecondition, NotFound
from chassis.ids import format_name
from services.datasets.domain.findings import Finding
from services.datasets.domain.items import Audio, Consent

NAME = "artists/{artist}/snapshots/{snapshot}"
MANIFEST_VERSION = 1


class SnapshotNotFound(NotFound):
    """There is no such snapshot."""

    REASON = "SNAPSHOT_NOT_FOUND"


class SnapshotInUse(FailedPrecondition):
    """An export or a training is made of the snapshot."""

    REASON = "SNAPSHOT_IN_USE"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A frozen dataset; its members never change."""

    artist: str
    uid: str
    principal: str
    display_name: str
    item_count: int
    duration_s: float
    content_sha256: str
    create_time: datetime
    update_time: datetime
    findings: tuple[Finding, ...] = ()
    implicit: bool = False  # made by an export of a selection, and goes with it
    revision: int = 1

    @property
    def name(self) -> str:
        """Its resource name."""
        return format_name(NAME, artist=self.artist, snapshot=self.uid)

    @property
    def etag(self) -> str:
        """Changes with every change of the row."""
        return f"{self.revision}-{self.uid[-12:]}"


@dataclass(frozen=True, slots=True)
class SnapshotMember:
    """One item, frozen; never changes."""

    position: int  # 1 for the first
    item_uid: str
    item_name: str
    display_name: str
    audio: Audio
    caption: str
    caption_revision: int
    content_revision: int
    caption_source: str = ""  # GENERATED, EDITED, MANUAL, IMPORTED
    provenance: dict[str, Any] = field(default_factory=dict)
    live_set: str = ""
    live_set_sha256: str = ""
    licence: str = ""
    consent: Consent = field(default_factory=Consent)
    tempo_bpm: float = 0.0  # a person's, the Live Set's, or the one heard; 0 when unknown
    key: str = ""
    time_signature: str = ""


def manifest(members: Sequence[SnapshotMember]) -> dict[str, Any]:
    """What the hash of a snapshot stands on: what a trainer reads, in order, and nothing else.

    The audio's bytes, the caption, tempo, key and time signature of each member count. Names of items and assets,
    titles, revisions, provenance, licence and consent do not: the same music uploaded twice gives the same hash.
    """
    facts = [
        {
            "audio_sha256": member.audio.sha256,
            "caption": member.caption,
            "key": member.key,
            "tempo_bpm": member.tempo_bpm,
            "time_signature": member.time_signature,
        }
        for member in members
    ]
    return {"members": facts, "version": MANIFEST_VERSION}
