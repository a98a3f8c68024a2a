"""Length, rate and channels of audio files, read from their headers alone."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO

# Layer III, in kbit/s: MPEG-1, then 2 and 2.5. Source: ISO/IEC 11172-3 and 13818-3, table of bit rates.
_BITRATES = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_OPUS_RATE_HZ = 48_000
_MAX_BYTES = 1 << 30


class HeaderUnread(Exception):
    """The file is not what its suffix says, or of a kind that is not known here."""


@dataclass(frozen=True, slots=True)
class AudioHeader:
    """What a header says.

    Attributes:
        duration_s: Length in seconds.
        rate_hz: Sample rate.
        channels: Number of channels.
    """

    duration_s: float
    rate_hz: int
    channels: int


def read_header(name: str, file: IO[bytes], size_bytes: int) -> AudioHeader:
    """What the header of a WAV, AIFF, FLAC, MP3 or Ogg file says; `name` tells which by its suffix.

    Raises:
        HeaderUnread: It is none of these, or damaged.
    """
    read = _READERS.get(PurePath(name).suffix.lower())
    if read is None:
        raise HeaderUnread(f"{name}: only WAV, AIFF, FLAC, MP3, Ogg and Opus can be read here")
    try:
        found = read(file, size_bytes)
    except (struct.error, IndexError, ZeroDivisionError, OverflowError) as fault:
        raise HeaderUnread(f"{name}: its header is damaged ({fault})") from fault
    if found is None or found.rate_hz <= 0 or found.channels <= 0:
        raise HeaderUnread(f"{name}: it is not the kind of audio that its suffix says")
    return found


def _wav(file: IO[bytes], size_bytes: int) -> AudioHeader | None:
    head = file.read(12)
    if head[:4] not in (b"RIFF", b"RF64") or head[8:12] != b"WAVE":
        return None
    channels = rate = block = 0
    at = 12
    while len(chunk := file.read(8)) == 8:
        kind, size = struct.unpack("<4sI", chunk)
        at += 8
        if kind == b"data":
            length = min(size, size_bytes - at)  # a stream's writer could not know
            return AudioHeader(length // block / rate, rate, channels)
        body = file.read(size + size % 2)
        at += len(body)
        if kind == b"fmt ":
            _tag, channels, rate, _bytes_per_s, block = struct.unpack("<HHIIH", body[:14])
    return None


def _aiff(file: IO[bytes], _size_bytes: int) -> AudioHeader | None:
    head = file.read(12)
    if head[:4] != b"FORM" or head[8:12] not in (b"AIFF", b"AIFC"):
        return None
    while len(chunk := file.read(8)) == 8:
        kind, size = struct.unpack(">4sI", chunk)
        if kind == b"COMM":
            channels, frames, _bits, exponent, mantissa = struct.unpack(">hIhHQ", file.read(18))
            rate = round(mantissa * 2.0 ** ((exponent & 0x7FFF) - 16_383 - 63))
            return AudioHeader(frames / rate, rate, channels)
        file.read(size + size % 2)
    return None


def _flac(file: IO[bytes], _size_bytes: int) -> AudioHeader | None:
    head = file.read(42)
    if head[:4] != b"fLaC":
        return None
    facts = int.from_bytes(head[18:26], "big")
    rate, channels, frames = facts >> 44, (facts >> 41 & 7) + 1, facts & (1 << 36) - 1
    return AudioHeader(frames / rate, rate, channels)


def _mp3(file: IO[bytes], _size_bytes: int) -> AudioHeader | None:
    data = file.read(_MAX_BYTES)
    at = 0
    if data[:3] == b"ID3":
        at = 10 + sum((byte & 0x7F) << 7 * (3 - place) for place, byte in enumerate(data[6:10]))
    first: tuple[int, int] | None = None
    samples = 0
    while at + 4 <= len(data):
        frame = _mp3_frame(data[at : at + 4])
        if frame is None:
            if first:
                break
            at += 1
            continue
        length, count, rate, channels = frame
        if first is None and not _is_tag_frame(data[at : at + length]):
            first = rate, channels
        samples += count if first else 0
        first = first or (rate, channels)
        at += length
    return AudioHeader(samples / first[0], *first) if first and samples else None


def _mp3_frame(head: bytes) -> tuple[int, int, int, int] | None:
    """Bytes, samples, rate and channels of a layer III frame."""
    word = int.from_bytes(head, "big")
    version, layer, bitrate, rate = word >> 19 & 3, word >> 17 & 3, word >> 12 & 15, word >> 10 & 3
    if word >> 21 != 0x7FF or version == 1 or layer != 1 or bitrate in (0, 15) or rate == 3:
        return None
    is_first = version == 3
    rate_hz = _RATES[version][rate]
    length = (144 if is_first else 72) * _BITRATES[not is_first][bitrate] * 1000 // rate_hz + (word >> 9 & 1)
    return length, 1152 if is_first else 576, rate_hz, 1 if word >> 6 & 3 == 3 else 2


def _is_tag_frame(frame: bytes) -> bool:
    """Whether it holds no sound but an encoder's table."""
    return any(mark in frame[:48] for mark in (b"Xing", b"Info", b"VBRI"))


def _ogg(file: IO[bytes], _size_bytes: int) -> AudioHeader | None:
    data = file.read(_MAX_BYTES)
    last = data.rfind(b"OggS")
    if data[:4] != b"OggS" or last < 0:
        return None
    (granule,) = struct.unpack("<q", data[last + 6 : last + 14])
    vorbis, opus = data.find(b"\x01vorbis", 0, 512), data.find(b"OpusHead", 0, 512)
    if vorbis >= 0:
        channels, rate = struct.unpack("<BI", data[vorbis + 11 : vorbis + 16])
        return AudioHeader(granule / rate, rate, channels)
    if opus >= 0:
        channels, skipped = struct.unpack("<BH", data[opus + 9 : opus + 12])
        return AudioHeader(max(granule - skipped, 0) / _OPUS_RATE_HZ, _OPUS_RATE_HZ, channels)
    return None


_READERS = {
    ".wav": _wav,
    ".aif": _aiff,
    ".aiff": _aiff,
    ".flac": _flac,
    ".mp3": _mp3,
    ".ogg": _ogg,
    ".opus": _ogg,
}
