"""A performance: source, stems, graph, playhead, and the states it goes through."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, ResourceExhausted
from services.realtime.domain.graph import Graph

PATTERN = "artists/{artist}/performances/{performance}"
ASSET_PATTERN = "artists/{artist}/assets/{asset}"
SESSION_PATTERN = "artists/{artist}/sessions/{session}"
MAX_LOOP_S = 240
TRACK = "deck-a"  # the one track of a performance, as saved sessions call it


class PerformanceNotFound(NotFound):
    """There is no such performance for this artist."""

    REASON = "PERFORMANCE_NOT_FOUND"


class PerformanceEnded(FailedPrecondition):
    """The performance has ended; start another one."""

    REASON = "PERFORMANCE_ENDED"


class SourceMissing(InvalidArgument):
    """Neither an asset nor a session says what to play."""

    REASON = "SOURCE_MISSING"


class SourceTooShort(InvalidArgument):
    """The recording is shorter than 0.2 s."""

    REASON = "SOURCE_TOO_SHORT"


class SourceUnreadable(InvalidArgument):
    """The recording cannot be decoded."""

    REASON = "SOURCE_UNREADABLE"


class SessionIncomplete(FailedPrecondition):
    """Audio of the saved session is missing."""

    REASON = "SESSION_INCOMPLETE"


class SnapshotUnreadable(FailedPrecondition):
    """The saved session was not made by a performance."""

    REASON = "SNAPSHOT_UNREADABLE"


class HallFull(ResourceExhausted):
    """This process holds as many performances as it may."""

    REASON = "HALL_FULL"


class StemsUnavailable(FailedPrecondition):
    """The separation ended without stems."""

    REASON = "STEMS_UNAVAILABLE"


class SwapSuperseded(FailedPrecondition):
    """A later swap took this one's place."""

    REASON = "SWAP_SUPERSEDED"


class State(enum.StrEnum):
    """Where a performance stands."""

    STARTING = "STARTING"
    READY = "READY"
    LIVE = "LIVE"
    STOPPED = "STOPPED"
    FAILED = "FAILED"

    @property
    def has_ended(self) -> bool:
        """Whether nothing can be played any more."""
        return self in (State.STOPPED, State.FAILED)


class StemsState(enum.StrEnum):
    """Where the stems stand."""

    NONE = "NONE"
    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"


class SourceMode(enum.StrEnum):
    """What the loop is made of."""

    FULL = "full"
    VOCALS = "vocals"
    INSTRUMENTS = "instruments"


@dataclass(frozen=True, slots=True)
class Source:
    """What is played, and whether it may be separated."""

    asset: str
    mode: SourceMode = SourceMode.FULL
    skip_stem_extraction: bool = False


@dataclass(frozen=True, slots=True)
class Stems:
    """Where the stems stand, which assets they are and where they came from."""

    state: StemsState = StemsState.NONE
    vocals: str = ""
    instruments: str = ""
    separation: str = ""
    error_reason: str = ""
    error_message: str = ""

    @property
    def assets(self) -> dict[str, str]:
        """Asset by stem; empty until they are ready."""
        if self.state is not StemsState.READY:
            return {}
        return {"vocals": self.vocals, "instruments": self.instruments}


def needs_separation(source: Source, stems: Stems) -> bool:
    """Whether a separation has to be started for this source.

    A caller that knows its stems, or wants none, skips it; everything else is separated so that there is an overlay to
    blend in.
    """
    return not source.skip_stem_extraction and stems.state in (StemsState.NONE, StemsState.PENDING)


@dataclass(frozen=True, slots=True)
class Performance:
    """The row: what any process needs to go on with the performance."""

    uid: str
    artist: str
    principal: str
    display_name: str
    session: str
    graph: Graph
    source: Source
    create_time: datetime
    update_time: datetime
    state: State = State.STARTING
    stems: Stems = field(default_factory=Stems)
    loop_frames: int = 0
    epoch: int = 1
    playhead_frames: int = 0
    revision: int = 1  # changes that came through the API; the holder adopts them
    fence: int = 0
    lease_owner: str = ""
    lease_expires_at: datetime | None = None
    checkpoint_time: datetime | None = None
    end_time: datetime | None = None
    error_reason: str = ""
    error_message: str = ""
    etag: str = ""

    @property
    def name(self) -> str:
        """`artists/{artist}/performances/{performance}`."""
        return PATTERN.format(artist=self.artist, performance=self.uid)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the holder keeps of a live performance, at most 1 s old."""

    uid: str
    artist: str
    fence: int
    revision: int
    graph: Graph
    playhead_frames: int
    is_live: bool


def snapshot_of(performance: Performance, captured_at: datetime) -> dict[str, Any]:
    """What a saved session keeps of a performance."""
    return {
        "version": 1,
        "kind": "performance",
        "captured_at": captured_at.isoformat(),
        "engine": performance.graph.engine,
        "graph": {"knobs": dict(performance.graph.knobs), "overlay": performance.graph.overlay},
        "source": {
            "asset": performance.source.asset,
            "mode": performance.source.mode.value,
            "skip_stem_extraction": performance.source.skip_stem_extraction,
        },
        "stems": performance.stems.assets,
        "playhead_frames": performance.playhead_frames,
    }


@dataclass(frozen=True, slots=True)
class Opened:
    """What a saved session says about the performance to start."""

    graph: Graph
    source: Source
    stems: Stems
    playhead_frames: int


def opened_from(snapshot: Mapping[str, Any], session: str) -> Opened:
    """Read a snapshot back; raises `SnapshotUnreadable`."""
    try:
        stems = snapshot.get("stems") or {}
        source = snapshot["source"]
        found = Stems(StemsState.READY, stems["vocals"], stems["instruments"]) if stems else Stems()
        return Opened(
            Graph(str(snapshot["engine"]), dict(snapshot["graph"]["knobs"]), str(snapshot["graph"]["overlay"])),
            Source(str(source["asset"]), SourceMode(source["mode"]), bool(source["skip_stem_extraction"])),
            found,
            int(snapshot["playhead_frames"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SnapshotUnreadable(
            f"{session} was not saved by a performance of this release; start one from its asset instead"
        ) from error
