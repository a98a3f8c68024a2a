"""What kind of audio file it is, by its bytes, and whether it is whole, by its own account."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from audiofiles.adts import adts_track, is_adts
from audiofiles.faults import truncated, unreadable, unsupported
from audiofiles.mpeg import check_mpeg, is_mpeg
from audiofiles.mpeg4 import is_mpeg4, mpeg4_track
from audiofiles.ogg import check_ogg

# What a WAV writer leaves in a size field when it could not know the size.
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)
_OTHER_KINDS = (
    (b"PK\x03\x04", "is a zip archive"),
    (b"\x1f\x8b", "is gzip data, as a Live Set is"),
    (b"\x89PNG", "is a PNG image"),
    (b"\xff\xd8\xff", "is a JPEG image"),
    (b"%PDF", "is a PDF document"),
    (b"MThd", "is a MIDI file"),
    (b"\x1aE\xdf\xa3", "is a Matroska or WebM file"),
    (b"caff", "is a CAF file"),
)


def check_container(path: Path) -> str:
    """The media type of the file; raises `Unfit` when it is no audio that we read, or not whole."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(64)
        if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
            _check_chunks(file, size, order="little", data=b"data")
            return "audio/wav"
        if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
            _check_chunks(file, size, order="big", data=b"SSND")
            return "audio/aiff"
        if head[:4] == b"fLaC":
            return "audio/flac"
        if head[:4] == b"OggS":
            check_ogg(file, size)
            return "audio/ogg"
        if is_mpeg4(head):
            mpeg4_track(file, size)
            return "audio/mp4"
        # Before MP3: three frames in a row show more than the two that MP3 is known by.
        if is_adts(file):
            adts_track(file, size)
            return "audio/aac"
        if is_mpeg(file):
            check_mpeg(file, size)
            return "audio/mpeg"
    raise unsupported(_kind_of(head))


def _kind_of(head: bytes) -> str:
    if not head:
        return "is empty"
    for magic, kind in _OTHER_KINDS:
        if head.startswith(magic):
            return kind
    printable = sum(byte in b"\t\n\r" or byte >= 0x20 for byte in head)
    if head and printable == len(head) and b"\x7f" not in head:
        return "holds text, not audio"
    return "begins with bytes that belong to no known audio format"


def _check_chunks(file: BinaryIO, size: int, *, order: str, data: bytes) -> None:
    """Walk the chunks of RIFF or IFF up to the one that holds the sound."""
    long_data: int | None = None
    offset = 12
    while offset + 8 <= size:
        file.seek(offset)
        head = file.read(24)
        kind, length = head[:4], int.from_bytes(head[4:8], "little" if order == "little" else "big")
        if kind == b"ds64":
            long_data = int.from_bytes(head[16:24], "little")
        if kind == data:
            there = size - offset - 8
            length = long_data if long_data is not None and length == 0xFFFFFFFF else length
            if length > there and length not in _UNKNOWN_SIZES:
                raise truncated(
                    f"its header promises {length} bytes of sound and {there} are there", promised=length, there=there
                )
            return
        offset += 8 + length + length % 2
    raise truncated("it ends before its sound begins") if offset > size else unreadable("it has no sound in it")
