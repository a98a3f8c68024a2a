"""Exports: snapshots in the shape of a trainer, as archives of byte ranges."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from datetime import datetime

from chassis.errors import DataLoss, FailedPrecondition, NotFound, OutOfRange, require
from chassis.ids import format_name
from services.datasets.domain.captions import split_tag
from services.datasets.domain.findings import Finding
from services.datasets.domain.recipes import AudioMode
from services.datasets.domain.snapshots import NAME as SNAPSHOT_NAME

NAME = "artists/{artist}/exports/{export}"
COLLECTION = "exports"
MAX_ITEMS = 10_000
CHUNK_S = 30.0  # the trainer cuts pieces of this length
TAIL_S = 5.0  # and throws a last piece away that is not longer than this
_UNSAFE = re.compile(r"[^\w.()+-]+", re.ASCII)


class ExportNotFound(NotFound):
    """There is no such export."""

    REASON = "EXPORT_NOT_FOUND"


class NothingToExport(FailedPrecondition):
    """No training item is ready."""

    REASON = "NOTHING_TO_EXPORT"


class ItemsNotExportable(FailedPrecondition):
    """Some of the items cannot go into this archive."""

    REASON = "ITEMS_NOT_EXPORTABLE"


class ExportNotFinished(FailedPrecondition):
    """The archive does not exist yet, or never will."""

    REASON = "EXPORT_NOT_FINISHED"


class ExportStillRunning(FailedPrecondition):
    """The export has not ended yet."""

    REASON = "EXPORT_STILL_RUNNING"


class ExportInUse(FailedPrecondition):
    """A training that has not ended still reads the archive."""

    REASON = "EXPORT_IN_USE"


class AudioMissing(FailedPrecondition):
    """The audio of an item is gone from the object store."""

    REASON = "AUDIO_MISSING"


class OffsetOutOfRange(OutOfRange):
    """The offset lies beyond the archive."""

    REASON = "OFFSET_OUT_OF_RANGE"


class ArchiveInvalid(DataLoss):
    """The archive does not read back as it was laid out."""

    REASON = "ARCHIVE_INVALID"


class ArchiveTooLarge(FailedPrecondition):
    """The archive would be larger than this installation makes."""

    REASON = "ARCHIVE_TOO_LARGE"


class JobState(enum.StrEnum):
    """Where long work stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Whether it will not change any more."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class ExportFormat(enum.StrEnum):
    """What an archive looks like inside."""

    REPLICATE_MUSICGEN = "REPLICATE_MUSICGEN"
    AUDIOCRAFT = "AUDIOCRAFT"
    HF_AUDIOFOLDER = "HF_AUDIOFOLDER"
    ACESTEP_V1 = "ACESTEP_V1"
    ACESTEP_15 = "ACESTEP_15"
    STABLE_AUDIO = "STABLE_AUDIO"
    PAIRED_TEXT = "PAIRED_TEXT"
    MUSICGEN_TRAINER = "MUSICGEN_TRAINER"
    MUSICGEN_DREAMBOOTH = "MUSICGEN_DREAMBOOTH"
    WEBDATASET = "WEBDATASET"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Choices that change the bytes of the archive; `stored` alone changes where they lie.

    Attributes:
        trigger: Text before each caption.
        nested: Whether the files go into `dataset/`; REPLICATE_MUSICGEN alone knows that.
        suffix: Text after each caption, before its tempo tag.
        audio_mode: When files are made anew.
        rate_hz: Sample rate of files made anew.
        channels: Channels of files made anew.
        loudness_lufs: Integrated loudness of files made anew; None leaves it.
        cut: Whether files above 30 s become pieces of 30 s.
        remove_vocals: Whether vocals are taken out by stem separation.
        stored: Whether the archive is also kept as one object.
        validation_share: Share of pairs that go into a validation split where the format has one.
    """

    trigger: str = ""
    nested: bool = False
    suffix: str = ""
    audio_mode: AudioMode = AudioMode.AS_NEEDED
    rate_hz: int = 44_100
    channels: int = 2
    loudness_lufs: float | None = None
    cut: bool = False
    remove_vocals: bool = False
    stored: bool = False
    validation_share: float = 0.0

    def __post_init__(self) -> None:
        for name in ("trigger", "suffix"):
            text = getattr(self, name)
            require(len(text) <= 100, f"options.{name}", "0 to 100 characters")
            require(not text or text.isprintable(), f"options.{name}", "one line without control characters")
            require(text == text.strip(), f"options.{name}", "no spaces at its ends")
        require(not split_tag(self.suffix)[1], "options.suffix", "no tempo tag; the caption's own stays last")
        require(8_000 <= self.rate_hz <= 96_000, "options.rate_hz", "8,000 to 96,000 Hz, or 0 for 44,100")
        require(self.channels in (1, 2), "options.channels", "1 or 2, or 0 for 2")
        loudness = self.loudness_lufs
        require(loudness is None or -40 <= loudness <= -5, "options.loudness_lufs", "-40 to -5 LUFS, or absent")
        normalised = self.audio_mode is AudioMode.NORMALISED
        for name, given in (
            ("loudness_lufs", loudness is not None),
            ("cut", self.cut),
            ("remove_vocals", self.remove_vocals),
        ):
            require(
                normalised or not given, f"options.{name}", "only with audio_mode NORMALISED, which makes files anew"
            )
        require(0 <= self.validation_share <= 0.5, "options.validation_share", "0 to 0.5")


@dataclass(frozen=True, slots=True)
class Export:
    """An archive in the making or made."""

    artist: str
    uid: str
    principal: str
    create_time: datetime
    update_time: datetime
    display_name: str
    export_format: ExportFormat
    options: ExportOptions
    item_count: int
    duration_s: float
    chunk_count: int
    snapshot_uid: str = ""
    warnings: tuple[Finding, ...] = ()
    state: JobState = JobState.QUEUED
    progress_percent: float = 0.0
    stage: str = ""
    attempt: int = 0
    eta_s: float | None = None
    file_name: str = ""
    size_bytes: int = 0
    content_etag: str = ""
    error_reason: str = ""
    error_message: str = ""
    end_time: datetime | None = None

    @property
    def name(self) -> str:
        """Its resource name."""
        return format_name(NAME, artist=self.artist, export=self.uid)

    @property
    def snapshot(self) -> str:
        """Name of the snapshot that it is made of."""
        return format_name(SNAPSHOT_NAME, artist=self.artist, snapshot=self.snapshot_uid)

    @property
    def etag(self) -> str:
        """Changes with every change that a reader sees; progress is not one."""
        return f"{self.state.value.lower()}-{self.uid[-12:]}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of bytes of an archive: either here, or a range of an object."""

    offset_bytes: int
    length_bytes: int
    inline: bytes = b""
    object_key: str = ""
    object_offset_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole archive as byte ranges without gaps."""

    segments: tuple[Segment, ...]
    size_bytes: int
    content_etag: str


@dataclass(frozen=True, slots=True)
class LayoutPart:
    """The part of an archive from some offset."""

    export: Export
    segments: list[Segment]
    next_offset_bytes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive: its bytes are here, or they are a whole object with known checksum.

    Attributes:
        name: Path inside the archive.
        crc32: CRC-32 of the bytes.
        size_bytes: Their number.
        sha256: Of the object's bytes; empty for bytes that are here.
        inline: The bytes, when they are here.
        object_key: Where they are, when they are not.
        training_item: Name of the item behind the file; empty for files about the whole.
        conversion: What was done to the audio.
        start_s: Where a piece of audio begins in the recording.
        duration_s: Length of the audio; 0 for texts.
        rate_hz: Sample rate of the audio; 0 for texts.
        channels: Channels of the audio; 0 for texts.
    """

    name: str
    crc32: int
    size_bytes: int
    sha256: str
    inline: bytes = b""
    object_key: str = ""
    training_item: str = ""
    conversion: str = ""
    start_s: float = 0.0
    duration_s: float = 0.0
    rate_hz: int = 0
    channels: int = 0


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file of a finished archive, as people see it."""

    position: int  # 1 for the first
    path: str
    size_bytes: int
    crc32: int
    training_item: str = ""
    conversion: str = ""
    start_s: float = 0.0
    duration_s: float = 0.0
    rate_hz: int = 0
    channels: int = 0
    text: str = ""  # of short text files


def chunk_count(duration_s: float) -> int:
    """How many pieces the trainer cuts from a file at the archive's root.

    Source: spec, steps of the fine-tuner: one up to 30 s, else a piece per 30 s and the rest if longer than 5 s.
    """
    milliseconds = round(duration_s * 1000)
    if milliseconds <= CHUNK_S * 1000:
        return 1
    whole, rest = divmod(milliseconds, int(CHUNK_S * 1000))
    return whole + (1 if rest > TAIL_S * 1000 else 0)


def archive_name(display_name: str, suffix: str = ".zip") -> str:
    """A safe name for the archive; its suffix is what a trainer's download goes by."""
    stem = display_name.removesuffix(suffix)
    stem = _UNSAFE.sub("-", stem).strip("-.")[:100].strip("-.")
    return f"{stem or 'dataset'}{suffix}"
