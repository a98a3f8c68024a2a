"""MP3 frames: whether a file has them, and whether they are all there."""

from __future__ import annotations

from typing import BinaryIO

from audiofiles.faults import truncated

_BLOCK = 1 << 20
# Bit rates in kbit/s of Layer III by header index: MPEG 1, then MPEG 2 and 2.5.
_RATES_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_RATES_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAMPLE_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
# How far into a file junk before the first frame is skipped.
_SEARCH = 1 << 16
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
    one_channel, version = frame[3] >> 6 == 3, (frame[1] >> 3) & 3
    side = (17 if one_channel else 32) if version == 3 else (9 if one_channel else 17)
    mark = frame[4 + side : 16 + side]
    if mark[:4] not in (b"Xing", b"Info") or not mark[7] & 1:
        return None
    return int.from_bytes(mark[8:12], "big")
