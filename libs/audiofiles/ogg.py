"""Ogg pages: whether they are all there, and as they were written."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from audiofiles.faults import truncated

_HEAD_BYTES = 27
_MAX_PAGE_BYTES = _HEAD_BYTES + 255 + 255 * 255
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ENDS = 4


def check_ogg(file: BinaryIO, size: int) -> None:
    """Raise `Unfit` unless every page is there, follows on the one before and has its checksum, up to a last one."""
    offset, is_ended = 0, False
    numbers: dict[bytes, int] = {}
    while offset < size:
        file.seek(offset)
        page = _page(file.read(_MAX_PAGE_BYTES))
        if page is None:
            if is_ended:
                return  # something else behind the stream, such as a tag
            raise truncated(f"its page at byte {offset} is not whole", offset=offset)
        serial, number = page[14:18], int.from_bytes(page[18:22], "little")
        if checksum(page) != int.from_bytes(page[22:26], "little") or numbers.get(serial, number) != number:
            raise truncated(f"its page at byte {offset} is damaged or follows on one that is missing", offset=offset)
        numbers[serial] = number + 1
        is_ended = bool(page[5] & _ENDS)
        offset += len(page)
    if not is_ended:
        raise truncated("its last page is not marked as the end")


def checksum(page: bytes) -> int:
    """The checksum that the page should have.

    Ogg's is the common CRC-32 from the other end of each byte, with neither start nor end inverted.
    """
    plain = page[:22] + bytes(4) + page[26:]
    mirrored = zlib.crc32(plain.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def _page(data: bytes) -> bytes | None:
    """The page that these bytes begin with, if it is whole."""
    if data[:4] != b"OggS" or len(data) < _HEAD_BYTES:
        return None
    table = data[_HEAD_BYTES : _HEAD_BYTES + data[26]]
    length = _HEAD_BYTES + data[26] + sum(table)
    return data[:length] if len(table) == data[26] and len(data) >= length else None
