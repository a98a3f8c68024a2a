"""AAC in ADTS frames: whether a file is that, where its access units lie, and headers for units from elsewhere."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from audiofiles.aac import LOW_COMPLEXITY, MAX_UNIT_BYTES, RATES_HZ, Track
from audiofiles.faults import truncated, unreadable, unsupported

_BLOCK = 1 << 20
# How far into a file junk before the first frame is skipped, and how many frames in a row make a file ADTS.
_SEARCH = 1 << 13
_IN_A_ROW = 3
HEADER_BYTES = 7


def is_adts(file: BinaryIO) -> bool:
    """Whether ADTS frames follow one another near the beginning."""
    return _first_frame(file) is not None


def adts_track(file: BinaryIO, size: int) -> Track:
    """The file's access units.

    ADTS does not tell of the encoder's delay, so that none is taken off. Raises `Unfit` when the last frame is cut,
    frames differ in rate or channels, or something lies between them.
    """
    first = _first_frame(file)
    if first is None:
        raise unsupported("begins with bytes that belong to no known audio format")
    offsets: list[int] = []
    sizes: list[int] = []
    head, offset = b"", first
    window, base = b"", 0
    while offset + HEADER_BYTES <= size:
        if not base <= offset <= base + len(window) - HEADER_BYTES:
            file.seek(offset)
            window, base = file.read(_BLOCK), offset
        found = window[offset - base : offset - base + HEADER_BYTES]
        length = frame_bytes(found)
        if length is None:
            break
        if offset + length > size:
            raise truncated("its last frame is not whole", frames=len(offsets))
        head = head or found
        if _facts(found) != _facts(head):
            raise unreadable(f"its frames change rate or channels after frame {len(offsets)}")
        skipped = HEADER_BYTES if found[1] & 1 else HEADER_BYTES + 2
        offsets.append(offset + skipped)
        sizes.append(length - skipped)
        offset += length
    _check_end(file, offset, size)
    kind, rate_index, channels = _facts(head)
    if kind != LOW_COMPLEXITY:
        raise unsupported(f"is AAC of object type {kind}, of which only 2, low complexity, is read")
    return Track(
        rate_hz=RATES_HZ[rate_index], channels=channels, offsets=np.array(offsets), sizes=np.array(sizes, np.int64)
    )


def adts_header(rate_hz: int, channels: int, unit_bytes: int) -> bytes:
    """The header of a frame that holds one access unit of AAC-LC."""
    length = unit_bytes + HEADER_BYTES
    rate_index = RATES_HZ.index(rate_hz)
    return bytes(
        (
            0xFF,
            0xF1,  # MPEG-4, no checksum
            (LOW_COMPLEXITY - 1) << 6 | rate_index << 2 | channels >> 2,
            (channels & 3) << 6 | length >> 11,
            length >> 3 & 0xFF,
            (length & 7) << 5 | 0x1F,  # a buffer of unknown fullness
            0xFC,
        )
    )


def frame_bytes(head: bytes) -> int | None:
    """Length of the ADTS frame that begins with these seven bytes, None if they begin none that we read."""
    if len(head) < HEADER_BYTES or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return None
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    # More than one access unit in a frame is allowed and used by nobody.
    if _facts(head)[1] >= len(RATES_HZ) or head[6] & 3 or not HEADER_BYTES + 2 < length <= MAX_UNIT_BYTES:
        return None
    return length


def _facts(head: bytes) -> tuple[int, int, int]:
    """Object type, index of the rate and channels."""
    return (head[2] >> 6) + 1, head[2] >> 2 & 15, (head[2] & 1) << 2 | head[3] >> 6


def _first_frame(file: BinaryIO) -> int | None:
    file.seek(0)
    head = file.read(10)
    start = 0
    if head[:3] == b"ID3" and len(head) == 10:
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    file.seek(start)
    data = file.read(_SEARCH + _IN_A_ROW * MAX_UNIT_BYTES)
    place = data.find(b"\xff")
    while 0 <= place <= _SEARCH:
        if _in_a_row(data, place):
            return start + place
        place = data.find(b"\xff", place + 1)
    return None


def _in_a_row(data: bytes, place: int) -> bool:
    """Whether frames follow one another from here, to the end of the data if there are fewer."""
    count = 0
    while count < _IN_A_ROW and (length := frame_bytes(data[place : place + HEADER_BYTES])) is not None:
        place, count = place + length, count + 1
    return count == _IN_A_ROW or (count > 0 and place == len(data))


def _check_end(file: BinaryIO, offset: int, size: int) -> None:
    file.seek(offset)
    rest = file.read(8)
    if rest and not rest.startswith((b"TAG", b"APETAGEX", b"ID3")):
        words = "its last frame is not whole" if size - offset < HEADER_BYTES else "there are bytes that are no frame"
        raise truncated(f"{words} at byte {offset} of {size}", offset=offset)
