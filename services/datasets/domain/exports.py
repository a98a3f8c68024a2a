"""Exports: frozen items in the shape of a trainer, and what that trainer makes of them."""

from __future__ import annotations

import enum
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.errors import FailedPrecondition, NotFound, OutOfRange, Violation, require
from chassis.ids import format_name
from services.datasets.domain.findings import Finding
from services.datasets.domain.items import Audio, CaptionInvalid, TrainingItem, check_caption
from services.datasets.domain.recipes import AudioMode

NAME = "artists/{artist}/exports/{export}"
COLLECTION = "exports"
MAX_ITEMS = 10_000
MIN_PAIRS = 8  # below this the trainer's own guide expects a poor model
CHUNK_S = 30.0  # the trainer cuts pieces of this length
TAIL_S = 5.0  # and throws a last piece away that is not longer than this
# What the trainer reads together with its caption; the suffix is matched in lower case only.
SUFFIXES = {
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/wave": ".wav",
    "audio/vnd.wave": ".wav",
    "audio/mpeg": ".mp3",
    "audio/mp3": ".mp3",
}
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


class AudioMissing(FailedPrecondition):
    """The audio of an item is gone from the object store."""

    REASON = "AUDIO_MISSING"


class OffsetOutOfRange(OutOfRange):
    """The offset lies beyond the archive."""

    REASON = "OFFSET_OUT_OF_RANGE"


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
        for name, text in (("trigger", self.trigger), ("suffix", self.suffix)):
            require(len(text) <= 100, f"options.{name}", "0 to 100 characters")
            require(not text or text.isprintable(), f"options.{name}", "one line without control characters")
        require(8_000 <= self.rate_hz <= 96_000, "options.rate_hz", "8,000 to 96,000 Hz")
        require(self.channels in (1, 2), "options.channels", "1 or 2")
        loudness = self.loudness_lufs
        require(loudness is None or -40 <= loudness <= -5, "options.loudness_lufs", "-40 to -5 LUFS, or absent")
        require(0 <= self.validation_share <= 0.5, "options.validation_share", "0 to 0.5")
        anew = self.audio_mode is AudioMode.NORMALISED
        require(anew or not self.cut, "options.cut", "only together with audio_mode NORMALISED")
        require(anew or not self.remove_vocals, "options.remove_vocals", "only together with audio_mode NORMALISED")


@dataclass(frozen=True, slots=True)
class ExportMember:
    """One item, frozen when the export was asked for."""

    position: int  # 1 for the first
    item_uid: str
    item_name: str
    caption: str
    caption_revision: int
    content_revision: int
    audio: Audio


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
        sha256: Their SHA-256; empty for texts.
        inline: The bytes themselves, when they are here.
        object_key: Where the bytes are otherwise.
        training_item: Name of the item behind the file; empty for files about the whole.
        conversion: What was done to the audio; empty for the asset's own bytes and for texts.
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


def chunk_count(duration_s: float) -> int:
    """How many pieces the trainer cuts from a file at the archive's root.

    Source: spec, steps of the fine-tuner: one up to 30 s, else a piece per 30 s and the rest if longer than 5 s.
    """
    milliseconds = round(duration_s * 1000)
    if milliseconds <= CHUNK_S * 1000:
        return 1
    whole, rest = divmod(milliseconds, int(CHUNK_S * 1000))
    return whole + (1 if rest > TAIL_S * 1000 else 0)


def freeze(items: Sequence[TrainingItem], export_format: ExportFormat) -> list[ExportMember]:
    """The items as members of an archive.

    Raises:
        NothingToExport: There are none.
        ItemsNotExportable: Some have no audio, no usable caption, or a media type that the trainer does not read.
    """
    if not items:
        raise NothingToExport("no training item is ready; give items audio and a caption, or name the items to export")
    require(len(items) <= MAX_ITEMS, "selection", f"up to {MAX_ITEMS} items, not {len(items)}")
    faults = [Violation(item.name, fault) for item in items if (fault := _fault(item))]
    if faults:
        shown = "; ".join(f"{fault.field}: {fault.description}" for fault in faults[:3])
        raise ItemsNotExportable(
            f"{len(faults)} of {len(items)} items cannot be exported as {export_format.value}: {shown}",
            violations=faults[:100],
            metadata={"count": str(len(faults))},
        )
    return [
        ExportMember(place, item.uid, item.name, item.caption, item.caption_revision, item.content_revision, item.audio)
        for place, item in enumerate(items, start=1)
        if item.audio is not None
    ]


def _fault(item: TrainingItem) -> str:
    if item.failure:
        return "it is marked as failed; retry it first"
    if item.audio is None:
        return "it has no audio; attach an asset"
    try:
        check_caption(item.caption)
    except CaptionInvalid as error:
        return error.message
    if item.audio.media_type == "audio/flac":
        return "the trainer never reads the caption of a FLAC file; upload the audio as WAV"
    if item.audio.media_type not in SUFFIXES:
        return f"the trainer cannot read {item.audio.media_type or 'this media type'}; upload the audio as WAV or MP3"
    return ""


def warnings_of(members: Sequence[ExportMember], options: ExportOptions) -> tuple[Finding, ...]:
    """What a person should know before paying for a training."""
    found = []
    if len(members) < MIN_PAIRS:
        found.append(Finding("FEW_PAIRS", f"{len(members)} pairs; a training wants at least {MIN_PAIRS}, better more"))
    if options.nested:
        found.append(Finding("NESTED_LAYOUT", "inside dataset/ the trainer neither cuts, resamples nor removes vocals"))
    seen: dict[str, str] = {}
    for member in members:
        found += _member_warnings(member, nested=options.nested)
        if first := seen.get(member.audio.sha256):
            found.append(Finding("DUPLICATE_AUDIO", f"the same audio as {first}", member.item_name))
        seen.setdefault(member.audio.sha256, member.item_name)
    return tuple(found[:1000])


def _member_warnings(member: ExportMember, *, nested: bool) -> list[Finding]:
    audio, found = member.audio, []
    if audio.duration_s < CHUNK_S:
        text = f"{audio.duration_s:.1f} s: kept whole, padded with silence to 30 s, vocals stay in"
        found.append(Finding("SHORT_AUDIO", text, member.item_name))
    rest = audio.duration_s % CHUNK_S
    if audio.duration_s > CHUNK_S and 0 < rest <= TAIL_S and not nested:
        found.append(Finding("TAIL_DROPPED", f"the last {rest:.1f} s are thrown away", member.item_name))
    if audio.rate_hz < 32_000:
        text = f"{audio.rate_hz} Hz; the trainer wants 32 kHz or more"
        found.append(Finding("LOW_RATE", text, member.item_name))
    return found


def entries(members: Sequence[ExportMember], options: ExportOptions) -> list[Entry]:
    """The files of a Replicate archive in order: audio and caption of each pair, numbered from 1.

    Source: spec, format `replicate_musicgen`: files at the root, one line of text, no newline at its end.
    """
    digits = max(4, len(str(len(members))))
    folder = "dataset/" if options.nested else ""
    files: list[Entry] = []
    for member in members:
        audio = member.audio
        stem = f"{folder}track-{member.position:0{digits}d}"
        caption = f"{options.trigger} {member.caption}" if options.trigger else member.caption
        text = caption.encode()
        files.append(
            Entry(stem + SUFFIXES[audio.media_type], audio.crc32, audio.size_bytes, audio.sha256, b"", audio.object_key)
        )
        files.append(Entry(stem + ".txt", zlib.crc32(text), len(text), "", text))
    return files


def archive_name(display_name: str) -> str:
    """A safe name for the archive, ending in `.zip` as the trainer's download needs it."""
    stem = display_name.removesuffix(".zip")
    stem = _UNSAFE.sub("-", stem).strip("-.")[:100].strip("-.")
    return f"{stem or 'dataset'}.zip"
