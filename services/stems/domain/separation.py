"""Facts and rules of separations."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from chassis.ids import format_name
from services.stems.domain.errors import (
    SeparationChannelsUnsupported,
    SeparationInputEmpty,
    SeparationInputTooLong,
)
from services.stems.domain.order import Order

COLLECTION = "separations"
NAME_PATTERN = "artists/{artist}/separations/{separation}"
# How long the chunks of an ended separation can still be read.
CHUNKS_KEPT = timedelta(minutes=15)
# 7.1; more than two are mixed down to two.
MAX_CHANNELS = 8


class State(enum.StrEnum):
    """Where a separation stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self in {State.SUCCEEDED, State.FAILED, State.CANCELLED}


@dataclass(frozen=True, slots=True)
class SourceAsset:
    """What is known of the recording before it is fetched."""

    name: str
    blob_key: str
    media_type: str
    size_bytes: int
    frame_count: int
    rate_hz: int
    channels: int
    pcm_sha256: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What the service takes."""

    duration_s: float
    size_bytes: int

    def check(self, asset: SourceAsset) -> None:
        """Refuse what cannot or may not be separated, before a byte of it is read."""
        if asset.frame_count <= 0:
            raise SeparationInputEmpty(f"{asset.name} has no audio; separate a recording of at least one frame")
        duration_s = asset.frame_count / max(asset.rate_hz, 1)
        if duration_s > self.duration_s or asset.size_bytes > self.size_bytes:
            raise SeparationInputTooLong(
                f"{asset.name} has {duration_s:.1f} s in {asset.size_bytes} bytes; "
                f"at most {self.duration_s:g} s and {self.size_bytes} bytes are taken: cut it into parts",
                metadata={"max_duration_s": f"{self.duration_s:g}", "max_size_bytes": str(self.size_bytes)},
            )
        if not 1 <= asset.channels <= MAX_CHANNELS:
            raise SeparationChannelsUnsupported(
                f"{asset.name} has {asset.channels} channels; mix it down to at most {MAX_CHANNELS} first"
            )


@dataclass(frozen=True, slots=True)
class Recording:
    """Decoded audio in a file of interleaved little-endian float32 frames without a header."""

    path: Path
    rate_hz: int
    channels: int
    frame_count: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frame_count / self.rate_hz


@dataclass(frozen=True, slots=True)
class Stem:
    """One stem and the asset that holds it."""

    stem: str
    asset: str


@dataclass(frozen=True, slots=True)
class ChunkPart:
    """One stem's share of a chunk."""

    stem: str
    object_key: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of all stems that can be played before the whole is done."""

    index: int  # from 0, without gaps
    offset_frames: int
    frame_count: int
    rate_hz: int
    parts: tuple[ChunkPart, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What came out; remembered by content."""

    stems: tuple[Stem, ...]
    output_gain_db: float
    real_time_factor: float
    made_by: str  # name of the separation that did the work


@dataclass(frozen=True, slots=True)
class Failure:
    """Why it failed."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Times:
    """When things happened, UTC."""

    created: datetime
    updated: datetime
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """How the work on it goes."""

    progress_percent: float = 0.0
    stage: str = ""
    eta_s: float | None = None
    attempt: int = 0
    fence: int = 0
    worker: str = ""
    lease_expires_at: datetime | None = None
    lost_leases: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Separation:
    """A recording taken apart, or about to be."""

    uid: str
    artist: str
    principal: str
    order: Order  # settled: model and selection filled in
    engine: str
    content_key: str
    state: State
    times: Times
    attempt: Attempt = Attempt()
    result: Result | None = None
    failure: Failure | None = None
    etag: str = ""

    @property
    def name(self) -> str:
        """Its resource name."""
        return format_name(NAME_PATTERN, artist=self.artist, separation=self.uid)

    @property
    def chunk_folder(self) -> str:
        """What the keys of its chunks' objects begin with."""
        return f"artists/{self.artist}/stems/chunks/{self.uid}/"


@dataclass(frozen=True, slots=True)
class EndEvent:
    """What a webhook is told of an ended separation."""

    kind: str  # as `separation.succeeded`
    data: Mapping[str, object]


def end_event(separation: Separation) -> EndEvent:
    """The event of its end: names and the outcome, all else is read from the separation."""
    stems = separation.result.stems if separation.result else ()
    data: dict[str, object] = {
        "name": separation.name,
        "operation": f"artists/{separation.artist}/operations/{COLLECTION}-{separation.uid}",
        "state": separation.state.value,
        "stems": [{"stem": stem.stem, "asset": stem.asset} for stem in stems],
    }
    if separation.failure is not None:
        data["error_reason"] = separation.failure.reason
    return EndEvent(f"separation.{separation.state.value.lower()}", data)
