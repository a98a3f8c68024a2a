"""Facts and rules of separations."""

from __future__ import annotations

import enum
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from chassis.errors import collect, require
from chassis.ids import format_name
from services.stems.domain.errors import (
    SeparationChannelsUnsupported,
    SeparationInputEmpty,
    SeparationInputTooLong,
)

NAME_PATTERN = "artists/{artist}/separations/{separation}"
# A new number makes every remembered result stale: raise it when the same input gives other stems.
RESULT_VERSION = 2
VOCALS = "vocals"
RESIDUAL = "residual"
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


class StemSet(enum.StrEnum):
    """Which stems come out."""

    ALL = "ALL"
    TWO_STEMS = "TWO_STEMS"
    SUBSET = "SUBSET"


class OutputFormat(enum.StrEnum):
    """How a stem is stored."""

    FLAC_24 = "FLAC_24"
    WAV_FLOAT = "WAV_FLOAT"
    MP3 = "MP3"

    @property
    def media_type(self) -> str:
        """Media type of the stored bytes."""
        return {"FLAC_24": "audio/flac", "WAV_FLOAT": "audio/wav", "MP3": "audio/mpeg"}[self.value]


class Priority(enum.IntEnum):
    """Which jobs go first: the higher."""

    BATCH = 0
    INTERACTIVE = 10


@dataclass(frozen=True, slots=True)
class Model:
    """What separates."""

    id: str
    display_name: str
    engine: str
    sources: tuple[str, ...]
    rate_hz: int  # 0: the source's own
    channels: int  # 0: the source's own
    digest: str
    licence: str = ""
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the engine is told."""

    overlap: float = 0.25
    shifts: int = 0
    seed: int = 0
    deterministic: bool = False

    def __post_init__(self) -> None:
        with collect() as rules:
            fits = math.isfinite(self.overlap) and 0 <= self.overlap <= 0.9
            rules.require(fits, "separation.parameters.overlap", "0 to 0.9")
            rules.require(0 <= self.shifts <= 10, "separation.parameters.shifts", "0 to 10")

    def facts(self, engine: str) -> dict[str, float | int]:
        """What of them changes the outcome in this engine."""
        if engine == "stub":
            return {}
        facts = {"overlap": self.overlap, "shifts": self.shifts, "seed": self.seed if self.shifts else 0}
        return facts | {"deterministic": 1} if self.deterministic else facts


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of a model's stems come out."""

    stem_set: StemSet = StemSet.ALL
    target_stem: str = ""
    wanted_stems: tuple[str, ...] = ()
    include_residual: bool = False  # also what the stems leave of the mix

    def settled(self, model: Model) -> Selection:
        """The selection with its defaults filled in, checked against what the model gives."""
        target = self.target_stem or (VOCALS if self.stem_set is StemSet.TWO_STEMS else "")
        known = f"one of {', '.join(model.sources)}"
        with collect() as rules:
            two = self.stem_set is StemSet.TWO_STEMS
            rules.require(
                target in model.sources if two else not target,
                "separation.target_stem",
                known if two else "nothing unless stem_set is TWO_STEMS",
            )
            some = self.stem_set is StemSet.SUBSET
            wanted = self.wanted_stems
            fits = len(set(wanted)) == len(wanted) > 0 and set(wanted) <= set(model.sources)
            rules.require(
                fits if some else not wanted,
                "separation.wanted_stems",
                f"at least {known}, none twice" if some else "nothing unless stem_set is SUBSET",
            )
            rules.require(
                not (two and self.include_residual),
                "separation.include_residual",
                "false for TWO_STEMS, whose second stem is what the first leaves of the mix",
            )
        ordered = tuple(source for source in model.sources if source in wanted)
        return Selection(self.stem_set, target, ordered, self.include_residual)

    def sources(self, model: Model) -> tuple[str, ...]:
        """Those of the model's sources that the stems are made of."""
        return (self.target_stem,) if self.stem_set is StemSet.TWO_STEMS else self.wanted_stems or model.sources

    def labels(self, model: Model) -> tuple[str, ...]:
        """What the stems are called, in the order in which they come out."""
        if self.stem_set is StemSet.TWO_STEMS:
            return (self.target_stem, "instruments" if self.target_stem == VOCALS else f"no_{self.target_stem}")
        return (self.wanted_stems or model.sources) + ((RESIDUAL,) if self.include_residual else ())


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to tell the end of a separation."""

    url: str
    secret: str = field(repr=False)  # `whsec_` and base64 of the key that signs, Standard Webhooks


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asks for."""

    asset: str
    model: str = ""
    selection: Selection = Selection()
    output_format: OutputFormat = OutputFormat.FLAC_24
    parameters: Parameters = Parameters()
    priority: Priority = Priority.BATCH
    labels: Mapping[str, str] = field(default_factory=dict)
    publish_chunks: bool = False
    webhook: Webhook | None = None

    def __post_init__(self) -> None:
        with collect() as rules:
            rules.require(bool(self.asset), "separation.asset", "the name of an asset")
            rules.require(len(self.labels) <= 64, "separation.labels", "at most 64")
            fits = all(1 <= len(key) <= 63 and len(value) <= 255 for key, value in self.labels.items())
            rules.require(fits, "separation.labels", "keys of 1 to 63 characters and values of up to 255")


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


def content_key(pcm_sha256: str, model: Model, order: Order) -> str:
    """The key that equal work has: SHA-256 over source, engine, model and what changes the outcome."""
    require(len(pcm_sha256) == 64, "pcm_sha256", "64 hex digits")
    facts = {
        "version": RESULT_VERSION,
        "pcm": pcm_sha256,
        "engine": model.engine,
        "model": model.digest,
        "parameters": order.parameters.facts(model.engine),
        "stems": order.selection.labels(model),
        "set": order.selection.stem_set,
        "format": order.output_format,
    }
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
