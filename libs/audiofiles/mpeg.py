"""MP3 frames: whether a file has them, and whether they are all there."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

from audiofiles.faults import truncated

_BLOCK = 1 << 20
# Bit rates in kbit/s of Layer III by header index: MPEG 1, then MPEG 2 and 2.5.
_RATES_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_RATES_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAMPLE_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
# How far into a file junk before the first frame is skipped.
_SEARCH = 1 << 16
# Where the other kind of count stands in a first frame.
_VBRI = 36
# Fewer bytes has no frame; more frames are told of no file.
_SHORTEST, _MOST = 24, 1 << 26
# What lies behind the last frame: ID3v1, APEv2, Lyrics3.
_TAILS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN")


def is_mpeg(file: BinaryIO) -> bool:
    """Whether two Layer III frames follow one another near the beginning."""
    return _first_frame(file) is not None


def check_mpeg(file: BinaryIO, size: int) -> None:
    """Raise `Unfit` when the last frame is cut, or fewer frames are there than the file's own count."""
    start = _first_frame(file)
    if start is None:
        return
    promised = _promised_frames(file, start)
    offset, frames = start, 0
    window, base = b"", 0
    while offset + 4 <= size:
        if not base <= offset <= base + len(window) - 4:
            file.seek(offset)
            window, base = file.read(_BLOCK), offset
        length = frame_bytes(window[offset - base : offset - base + 4])
        if length is None:
            break
        if offset + length > size:
            raise truncated("its last frame is not whole", frames=frames)
        offset, frames = offset + length, frames + 1
    # Something else behind the frames, such as a tag, shows that they were not cut off. The frame that carries the
    # count is not counted by it.
    if promised is not None and offset + 4 > size and frames - 1 < promised:
        raise truncated(
            f"it promises {promised} frames and {frames - 1} are there", promised=promised, there=frames - 1
        )


class Uncounted:
    """An MP3 file that does not say how many frames it has, with a first frame before it that says more than enough.

    A decoder takes the length of such a file from its size and its first frame's bit rate and stops there, so that of
    a variable rate most may be lost. With this it decodes what is there, up to the end.
    """

    def __init__(self, file: BinaryIO, start: int) -> None:
        file.seek(start)
        head = bytearray(file.read(4))
        head[1] |= 1  # no checksum follows
        head[2] = head[2] & 0x0F | 0xE0  # the highest rate: the lowest has no room for what is told
        length = frame_bytes(bytes(head))
        assert length is not None, "a frame starts there"
        self._size = file.seek(0, io.SEEK_END) - start
        side = bytes(_side_bytes(bytes(head)))
        most = self._size // _SHORTEST + 1
        told = b"Info" + struct.pack(">II", 1, min(most, _MOST))  # 1: the number of frames follows
        self._first = (bytes(head) + side + told).ljust(length, b"\0")[:length]
        self._file, self._start, self._place = file, start, 0

    @classmethod
    def of(cls, file: BinaryIO) -> Uncounted | None:
        """The file so; None when it says how many frames it has."""
        start = _first_frame(file)
        if start is None or _promised_frames(file, start) is not None:
            return None
        file.seek(start + _VBRI)
        return None if file.read(4) == b"VBRI" else cls(file, start)

    def read(self, count: int = -1) -> bytes:
        """Up to so many bytes from here on."""
        found = self._first[self._place : self._place + count] if count >= 0 else self._first[self._place :]
        self._place += len(found)
        if count < 0 or len(found) < count:
            self._file.seek(self._start + self._place - len(self._first))
            more = self._file.read(count - len(found) if count >= 0 else -1)
            self._place += len(more)
            found += more
        return found

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; gives it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: len(self._first) + self._size}[whence]
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        """The place."""
        return self._place


def frame_bytes(head: bytes) -> int | None:
    """Length of the Layer III frame that begins with these four bytes, None if they begin none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = (head[1] >> 3) & 3, (head[1] >> 1) & 3
    rate_index, sample_index, padding = head[2] >> 4, (head[2] >> 2) & 3, (head[2] >> 1) & 1
    if version == 1 or layer != 1 or rate_index in (0, 15) or sample_index == 3:
        return None
    kbits = (_RATES_V1 if version == 3 else _RATES_V2)[rate_index]
    return (144 if version == 3 else 72) * kbits * 1000 // _SAMPLE_RATES[version][sample_index] + padding


def _first_frame(file: BinaryIO) -> int | None:
    file.seek(0)
    head = file.read(10)
    start = 0
    if head[:3] == b"ID3" and len(head) == 10:
        tag_bytes = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        start = 10 + tag_bytes + (10 if head[5] & 0x10 else 0)
    file.seek(start)
    data = file.read(_SEARCH + 4096)
    place = data.find(b"\xff")
    while 0 <= place <= _SEARCH:
        length = frame_bytes(data[place : place + 4])
        if length is not None and frame_bytes(data[place + length : place + length + 4]) is not None:
            return start + place
        place = data.find(b"\xff", place + 1)
    return None


def _promised_frames(file: BinaryIO, start: int) -> int | None:
    """The count in the Xing or Info header of the first frame, if it has one."""
    file.seek(start)
    frame = file.read(200)
    side = _side_bytes(frame)
    mark = frame[4 + side : 16 + side]
    if mark[:4] not in (b"Xing", b"Info") or not mark[7] & 1:
        return None
    return int.from_bytes(mark[8:12], "big")


def _side_bytes(frame: bytes) -> int:
    """Length of what lies between the head of a frame and its sound."""
    one_channel, version = frame[3] >> 6 == 3, (frame[1] >> 3) & 3
    return (17 if one_channel else 32) if version == 3 else (9 if one_channel else 17)
