"""What is done to the audio of a dataset, and the pieces that come of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from services.datasets.domain.snapshots import SnapshotMember


class AudioMode(enum.StrEnum):
    """When files are made anew."""

    AS_NEEDED = "AS_NEEDED"  # only those that the format's reader does not take
    NORMALISED = "NORMALISED"  # all


class Encoding(enum.StrEnum):
    """What files made anew are."""

    WAV = "WAV"  # 16-bit PCM
    MP3 = "MP3"  # 320 kbit/s


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the audio of every member is made ready for one format.

    Attributes:
        accepted: Media types that may stay byte for byte in mode AS_NEEDED.
        encoding: What files made anew are.
        mode: When files are made anew.
        rate_hz: Sample rate of files made anew.
        channels: Channels of files made anew, 1 or 2.
        loudness_lufs: Integrated loudness of files made anew; None leaves it.
        cut: Whether files above 30 s become pieces of 30 s, the last one kept when longer than 5 s.
        remove_vocals: Whether vocals are taken out by the stems service first.
    """

    accepted: frozenset[str]
    encoding: Encoding = Encoding.WAV
    mode: AudioMode = AudioMode.AS_NEEDED
    rate_hz: int = 44_100
    channels: int = 2
    loudness_lufs: float | None = None
    cut: bool = False
    remove_vocals: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Audio of a member as it goes into an archive: a whole object of the store.

    Attributes:
        member: The item behind it.
        index: 0 for the first piece of the member.
        count: Number of pieces of the member.
        object_key: Where the bytes are.
        size_bytes: Their number.
        crc32: Their CRC-32.
        sha256: Their SHA-256.
        media_type: What they are.
        start_s: Where the piece begins in the recording.
        duration_s: Its length.
        rate_hz: Its sample rate.
        channels: Its channels.
        conversion: What was done, as `flac to wav, 48000 to 44100 Hz`; empty for the asset's own bytes.
    """

    member: SnapshotMember
    index: int
    count: int
    object_key: str
    size_bytes: int
    crc32: int
    sha256: str
    media_type: str
    start_s: float
    duration_s: float
    rate_hz: int
    channels: int
    conversion: str = ""
