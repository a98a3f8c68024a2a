"""Assets, uploads and holds: what they are and the rules they keep."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.errors import FieldInvalid, Violation, require
from chassis.ids import parse_name
from services.sessions.domain.waveform import PEAK_LEVELS

ASSET = "artists/{artist}/assets/{asset}"
UPLOAD = "artists/{artist}/uploads/{upload}"
PARENT = "artists/{artist}"
HOLDER = "artists/{artist}/{collection}/{id}"

UPLOAD_LIFE = timedelta(hours=24)
# Finished uploads stay readable for a week, so that a late repeat of CompleteUpload still finds its asset.
UPLOAD_KEPT = timedelta(days=7)
DELETED_KEPT = timedelta(days=30)
DEFAULT_DISPLAY_NAME = "Untitled"

_SHA256 = re.compile(r"[0-9a-f]{64}")


class AssetState(enum.StrEnum):
    """Where an asset stands; one that is being purged exists for nobody any more."""

    READY = "READY"
    DELETED = "DELETED"
    PURGING = "PURGING"


class UploadState(enum.StrEnum):
    """Where an upload stands."""

    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    ABORTED = "ABORTED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is heard in a recording, of its first ten minutes."""

    tempo_bpm: float  # 0 when none is heard
    tempo_confidence: float  # 0 to 1
    key: str  # as `B minor`, empty when none is heard
    key_confidence: float  # 0 to 1
    clipped_share: float  # of the frames
    silent_share: float  # of the length
    fingerprint: bytes = b""  # little-endian 32-bit words, eight a second


@dataclass(frozen=True, slots=True)
class Recording:
    """What a bounded decode has measured."""

    media_type: str
    frames: int
    rate_hz: int
    channels: int
    pcm_sha256: str  # of the decoded frames with rate and channels
    loudness_lufs: float | None  # None when nothing passes the gate
    peak: float  # largest absolute sample, full scale is 1.0
    analysis: Analysis | None = None  # None when nobody has listened


@dataclass(frozen=True, slots=True)
class Content:
    """Stored bytes as they were read once."""

    sha256: str
    size_bytes: int
    crc32: int


@dataclass(frozen=True, slots=True)
class Asset:
    """One recording of an artist."""

    artist: str
    uid: str
    display_name: str
    state: AssetState
    content: Content
    recording: Recording
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None = None
    hold_count: int = 0
    etag: str = ""

    @property
    def name(self) -> str:
        """Its resource name."""
        return ASSET.format(artist=self.artist, asset=self.uid)

    @property
    def blob_key(self) -> str:
        """Where its bytes are."""
        return blob_key(self.artist, self.content.sha256)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.recording.frames / self.recording.rate_hz

    @property
    def purge_time(self) -> datetime | None:
        """When it goes for good, if it is deleted."""
        return self.delete_time and self.delete_time + DELETED_KEPT


@dataclass(frozen=True, slots=True)
class Upload:
    """The arrival of one file."""

    artist: str
    uid: str
    state: UploadState
    display_name: str
    sha256: str  # as announced; empty when it was not
    size_bytes: int  # as announced; 0 when it was not
    media_type: str
    create_time: datetime
    expire_time: datetime
    asset_uid: str = ""

    @property
    def name(self) -> str:
        """Its resource name."""
        return UPLOAD.format(artist=self.artist, upload=self.uid)

    @property
    def object_key(self) -> str:
        """Where its bytes arrive."""
        return f"artists/{self.artist}/uploads/{self.uid}"

    @property
    def asset(self) -> str:
        """Name of the asset that it became, empty before."""
        return ASSET.format(artist=self.artist, asset=self.asset_uid) if self.asset_uid else ""


@dataclass(frozen=True, slots=True)
class Hold:
    """One use of an asset by another resource."""

    asset: str
    holder: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Peaks:
    """A window of a waveform at one zoom level: a signed byte of minimum and one of maximum per bucket."""

    asset: Asset
    level: int
    total_buckets: int
    first_bucket: int
    pairs: bytes

    @property
    def frames_per_bucket(self) -> int:
        """Frames that one bucket covers."""
        return PEAK_LEVELS[self.level]


def blob_key(artist: str, sha256: str) -> str:
    """Key of an artist's bytes with this hash."""
    return f"artists/{artist}/blobs/sha256/{sha256[:2]}/{sha256}"


def peaks_key(artist: str, sha256: str) -> str:
    """Key of the waveform of an artist's bytes with this hash."""
    return f"artists/{artist}/sessions/peaks/{sha256[:2]}/{sha256}"


def clean_sha256(value: str, field: str = "sha256") -> str:
    """The hash in lower case, or empty; anything else is refused."""
    found = value.lower()
    require(not found or _SHA256.fullmatch(found) is not None, field, f"64 hex digits, not {value[:80]!r}")
    return found


def clean_display_name(value: str, default: str, field: str = "display_name") -> str:
    """The name without blanks around it and control characters in it, or the default when nothing is left."""
    found = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    require(len(found) <= 200, field, f"up to 200 characters, not {len(found)}")
    return found or default


def check_holder(artist: str, holder: str) -> str:
    """The holder itself if it is a resource of the artist."""
    require(len(holder) <= 300, "holder", "up to 300 characters")
    parts = holder.split("/")
    top = parse_name(HOLDER, "/".join(parts[:4]), field="holder")
    if top["artist"] != artist or len(parts) % 2:
        expected = f"a resource under artists/{artist}, not {holder!r}"
        raise FieldInvalid(f"holder: expected {expected}", violations=[Violation("holder", expected)])
    return holder
