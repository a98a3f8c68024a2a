"""What a performance needs from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from chassis.paging import Page
from services.realtime.domain.graph import Graph
from services.realtime.domain.painter import Slice
from services.realtime.domain.performance import Checkpoint, Performance, SourceMode, State
from services.realtime.domain.tickets import Ticket

# float32, shape (frames, 2), 48 kHz, full scale 1.0; the domain only hands it on.
Samples: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """What is known of a recording."""

    name: str
    blob_key: str
    frames: int
    rate_hz: int


@dataclass(frozen=True, slots=True)
class SeparationView:
    """Where a separation stands."""

    name: str
    has_ended: bool
    stems: Mapping[str, str]  # asset by stem; empty unless it succeeded
    error_reason: str = ""
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class SavedSession:
    """A saved session as it was written."""

    name: str
    etag: str


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, under which id, for what: the identity of a create."""

    principal: str
    method: str
    request_id: str
    fingerprint: bytes


class Assets(Protocol):
    """The artist's recordings; calls act for the current caller."""

    def get(self, name: str) -> AssetFacts:
        """The facts of an asset; raises NotFound."""
        ...

    def hold(self, asset: str, holder: str) -> None:
        """Keep the asset from being deleted; a repeat changes nothing."""
        ...

    def release(self, asset: str, holder: str) -> None:
        """Let go of the asset; a repeat changes nothing."""
        ...


class Separations(Protocol):
    """Separations into vocals and instruments; calls act for the current caller."""

    def start(self, artist: str, asset: str, request_id: str) -> SeparationView:
        """The separation of the asset; done already when it was separated before."""
        ...

    def get(self, name: str) -> SeparationView:
        """The separation as it is now."""
        ...


class Sessions(Protocol):
    """Saved sessions; calls act for the current caller."""

    def open(self, name: str) -> Mapping[str, Any]:
        """The snapshot; raises NotFound, or SessionIncomplete when audio is missing."""
        ...

    def save(self, performance: Performance, snapshot: Mapping[str, Any], saving: Saving) -> SavedSession:
        """Write the snapshot with its audio references."""
        ...


@dataclass(frozen=True, slots=True)
class Saving:
    """How a performance is to be kept."""

    display_name: str = ""
    session: str = ""
    session_etag: str = ""
    request_id: str = ""


class Blobs(Protocol):
    """Bytes of assets."""

    def fetched(self, key: str) -> AbstractContextManager[Path]:
        """The bytes as a file that lasts as long as the block."""
        ...


class Audio(Protocol):
    """Files into loops."""

    def load(self, path: Path, *, limit_s: int) -> Samples:
        """The file as a loop: stereo, 48 kHz, cut to whole 9,600 frames; raises SourceUnreadable, SourceTooShort."""
        ...


@dataclass(frozen=True, slots=True)
class Patch:
    """A painted region: where it begins in the loop, and its audio; it may run past the end, then it goes on at 0."""

    start_frames: int
    samples: Samples
    render_s: float


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the loop that does not wrap."""

    start_frames: int
    frame_count: int


class Canvas(Protocol):
    """The loop of one performance and the engine's view of it.

    `paint` runs in a thread, one call at a time; everything else on the event loop.
    """

    @property
    def frame_count(self) -> int:
        """Length of the loop."""
        ...

    @property
    def loop(self) -> Samples:
        """The loop as it sounds now."""
        ...

    @property
    def mix(self) -> Samples:
        """The recording as it was loaded."""
        ...

    def use(self, mode: SourceMode) -> None:
        """Take this part of the recording as the source from the next region on; the mix while it is not there."""
        ...

    def begin_with_source(self) -> None:
        """Let the loop be the source as it is, before anything is painted."""
        ...

    @property
    def stems(self) -> Mapping[str, Samples]:
        """The stems at hand, by name; empty or both."""
        ...

    def add_stems(self, stems: Mapping[str, Samples]) -> None:
        """Have the stems at hand; shorter ones are filled up with silence."""
        ...

    def paint(self, region: Slice, graph: Graph) -> Patch:
        """The region as the graph asks, crossfaded into the loop at its edges."""
        ...

    def merge(self, patch: Patch) -> list[Region]:
        """Write the patch into the loop; gives the parts that changed, one or two."""
        ...


class Engine(Protocol):
    """What paints."""

    def canvas(self, mix: Samples) -> Canvas:
        """A canvas whose loop is the recording, untouched."""
        ...


class Store(Protocol):
    """Rows of performances and tickets."""

    def create(self, performance: Performance, request: Request) -> tuple[Performance, bool]:
        """The performance and whether it is new; a repeat of the request gives the first one."""
        ...

    def get(self, artist: str, uid: str) -> Performance:
        """One performance; raises PerformanceNotFound."""
        ...

    def page(self, artist: str, state: State | None, size: int, token: str) -> Page[Performance]:
        """The artist's performances, newest first."""
        ...

    def search(self, state: State | None, size: int, token: str) -> Page[Performance]:
        """Performances of all artists, newest first."""
        ...

    def revise(self, performance: Performance, etag: str) -> Performance:
        """Write what a caller may change; raises EtagMismatch, PerformanceEnded."""
        ...

    def end(self, artist: str, uid: str, now: datetime) -> Performance:
        """The performance as STOPPED; one that has ended stays as it is."""
        ...

    def remove(self, artist: str, uid: str, etag: str) -> Performance:
        """The performance that was removed; raises EtagMismatch, PerformanceNotFound."""
        ...

    def claim(self, artist: str, uid: str, owner: str, lease_s: float) -> Performance:
        """Take the performance over under a new fencing token; raises PerformanceEnded."""
        ...

    def settle(self, held: Performance) -> Performance | None:
        """Write the holder's own changes; None if fencing token or revision are no longer what the holder believes."""
        ...

    def checkpoint(self, points: Iterable[Checkpoint], owner: str, lease_s: float) -> dict[str, Performance | None]:
        """Keep the checkpoints; gives the rows that are not as the holder believes, None for those that are gone."""
        ...

    def release(self, points: Iterable[Checkpoint]) -> None:
        """Keep the checkpoints and give the leases back."""
        ...

    def unheld(self) -> list[Performance]:
        """Performances that are starting or live and that nobody holds."""
        ...

    def add_ticket(self, ticket: Ticket) -> None:
        """Remember a ticket."""
        ...

    def redeem(self, digest: str, now: datetime, *, repeat_for: timedelta) -> Ticket:
        """The ticket, which is used up now; raises TicketInvalid."""
        ...
