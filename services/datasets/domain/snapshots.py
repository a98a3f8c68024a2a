"""Snapshots: training items as they were at one moment, with everything that exports, trainings and lineage need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from services.datasets.domain.items import Audio, Consent

NAME = "artists/{artist}/snapshots/{snapshot}"


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
