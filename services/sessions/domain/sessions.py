"""Saved sessions, their revisions, and whether everything they need is there."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chassis.errors import collect
from chassis.ids import parse_name
from services.sessions.domain.assets import ASSET, Asset

SESSION = "artists/{artist}/sessions/{session}"
REVISION = "artists/{artist}/sessions/{session}/revisions/{revision}"
SEPARATION = "artists/{artist}/separations/{separation}"
DEFAULT_DISPLAY_NAME = "Untitled session"
DELETED_KEPT = timedelta(days=30)
MAX_AUDIO = 256


class SessionState(enum.StrEnum):
    """Where a session stands."""

    SAVED = "SAVED"
    DELETED = "DELETED"


class AudioState(enum.StrEnum):
    """Whether the audio of a reference is there."""

    PRESENT = "PRESENT"
    MISSING = "MISSING"
    DELETED = "DELETED"
    PENDING = "PENDING"


class Readiness(enum.StrEnum):
    """What can be opened of a session."""

    COMPLETE = "COMPLETE"
    UNSUPPORTED_VERSION = "UNSUPPORTED_VERSION"
    MISSING_AUDIO_ASSET = "MISSING_AUDIO_ASSET"
    STEMS_NOT_READY = "STEMS_NOT_READY"


@dataclass(frozen=True, slots=True)
class AudioReference:
    """The audio that a session refers to in one place."""

    track: str
    role: str
    asset: str = ""
    separation: str = ""

    def as_members(self) -> dict[str, str]:
        """Its set members, as they are stored and signed."""
        members = {"track": self.track, "role": self.role, "asset": self.asset, "separation": self.separation}
        return {key: value for key, value in members.items() if value}


@dataclass(frozen=True, slots=True)
class Revision:
    """One saved state in a session's history."""

    artist: str
    session_uid: str
    number: int
    snapshot: Mapping[str, Any] | None  # None in lists
    snapshot_version: int
    snapshot_bytes: int
    audio: tuple[AudioReference, ...]
    signature: str
    principal: str
    restored_from: int
    create_time: datetime

    @property
    def name(self) -> str:
        """Its resource name."""
        return REVISION.format(artist=self.artist, session=self.session_uid, revision=self.number)


@dataclass(frozen=True, slots=True)
class Session:
    """A saved state of a performance with its newest revision."""

    artist: str
    uid: str
    display_name: str
    state: SessionState
    newest: Revision
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None = None
    copied_from: str = ""
    etag: str = ""

    @property
    def name(self) -> str:
        """Its resource name."""
        return SESSION.format(artist=self.artist, session=self.uid)

    @property
    def purge_time(self) -> datetime | None:
        """When it goes for good, if it is deleted."""
        return self.delete_time and self.delete_time + DELETED_KEPT


@dataclass(frozen=True, slots=True)
class AudioStatus:
    """What is known of one reference."""

    reference: AudioReference
    state: AudioState
    asset: Asset | None = None


@dataclass(frozen=True, slots=True)
class Completeness:
    """Whether everything a session needs is there."""

    readiness: Readiness
    message: str
    audio: tuple[AudioStatus, ...]


def check_audio(artist: str, references: Sequence[AudioReference]) -> tuple[AudioReference, ...]:
    """The references if each names audio of the artist and none comes twice."""
    with collect() as violations:
        violations.require(
            len(references) <= MAX_AUDIO, "audio", f"up to {MAX_AUDIO} references, not {len(references)}"
        )
        places: set[tuple[str, str]] = set()
        for index, one in enumerate(references):
            field = f"audio[{index}]"
            violations.require(1 <= len(one.track) <= 200, f"{field}.track", "1 to 200 characters")
            violations.require(1 <= len(one.role) <= 64, f"{field}.role", "1 to 64 characters")
            violations.require((one.track, one.role) not in places, field, "one reference per track and role")
            violations.require(bool(one.asset or one.separation), field, "an asset, or the separation that makes it")
            places.add((one.track, one.role))
            for pattern, name, member in ((ASSET, one.asset, "asset"), (SEPARATION, one.separation, "separation")):
                if name:
                    with violations.within():
                        owner = parse_name(pattern, name, field=f"{field}.{member}")["artist"]
                        violations.require(owner == artist, f"{field}.{member}", f"a name under artists/{artist}")
    return tuple(references)


def completeness(statuses: Sequence[AudioStatus], *, version_known: bool) -> Completeness:
    """The report on a session whose references have these states, the worst finding first."""
    gone = sum(1 for s in statuses if s.state is AudioState.MISSING)
    deleted = sum(1 for s in statuses if s.state is AudioState.DELETED)
    pending = sum(1 for s in statuses if s.state is AudioState.PENDING)
    if not version_known:
        readiness = Readiness.UNSUPPORTED_VERSION
        message = (
            "This saved session uses a format that this release does not read; update, or restore an older revision."
        )
    elif gone or deleted:
        readiness = Readiness.MISSING_AUDIO_ASSET
        parts = [f"{gone} missing: upload the same audio again"] * bool(gone)
        parts += [f"{deleted} deleted: undelete them"] * bool(deleted)
        message = f"Of {len(statuses)} recordings {', '.join(parts)}."
    elif pending:
        readiness = Readiness.STEMS_NOT_READY
        message = (
            f"{pending} of {len(statuses)} recordings are still being separated; open again when that has finished."
        )
    else:
        readiness = Readiness.COMPLETE
        message = "All audio is there." if statuses else "The session needs no audio; its controls are all there."
    return Completeness(readiness, message, tuple(statuses))
