"""Zip archives as a layout of byte ranges: headers are made here, audio stays where it is.

Nothing is compressed and nothing is read: a stored entry needs the checksum and size of its bytes, and both are known.
The layout holds every header, so any range of the archive can be served without the rest of it.

Source of all structures: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence

from services.datasets.domain.exports import Entry, Layout, Segment

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR64 = struct.Struct("<4sIQI")
_END = struct.Struct("<4sHHHHIIH")
_UTF8_NAMES = 1 << 11
_DOS_TIME, _DOS_DATE = 0, 0x21  # midnight of 1 January 1980: equal content gives equal bytes
_MADE_BY_UNIX, _REGULAR_FILE = 3 << 8, 0o100644 << 16
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
_PLAIN, _ZIP64 = 20, 45  # versions needed to extract
INLINE_MAX = 64 * 1024  # longest run of header bytes in one segment


class _Layouter:
    """Collects segments; neighbouring header bytes become one."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.offset = 0
        self._pending = bytearray()
        self._digest = hashlib.sha256()

    def add_bytes(self, data: bytes) -> None:
        self._pending += data
        self.offset += len(data)
        self._digest.update(data)
        while len(self._pending) >= INLINE_MAX:
            self._flush(INLINE_MAX)

    def add_object(self, entry: Entry) -> None:
        self._flush(len(self._pending))
        if entry.size_bytes:
            self.segments.append(
                Segment(self.offset, entry.size_bytes, object_key=entry.object_key, object_offset_bytes=0)
            )
        self.offset += entry.size_bytes
        self._digest.update(f"{entry.sha256}:{entry.size_bytes};".encode())

    def finish(self) -> Layout:
        self._flush(len(self._pending))
        return Layout(tuple(self.segments), self.offset, self._digest.hexdigest())

    def _flush(self, length: int) -> None:
        if length:
            data = bytes(self._pending[:length])
            start = self.offset - len(self._pending)
            del self._pending[:length]
            self.segments.append(Segment(start, len(data), inline=data))


def lay_out(entries: Sequence[Entry], *, report: Callable[[int], None] = lambda _done: None) -> Layout:
    """The archive of these files as byte ranges; equal files give an equal archive.

    Args:
        entries: Files in archive order, with unique names.
        report: Called with the number of files done.
    """
    names = {entry.name for entry in entries}
    if len(names) != len(entries):
        raise ValueError("two files of an archive have the same name")
    out = _Layouter()
    offsets: list[int] = []
    for done, entry in enumerate(entries, start=1):
        offsets.append(out.offset)
        out.add_bytes(_local_header(entry))
        if entry.object_key:
            out.add_object(entry)
        else:
            out.add_bytes(entry.inline)
        report(done)
    directory = out.offset
    for entry, offset in zip(entries, offsets, strict=True):
        out.add_bytes(_central_header(entry, offset))
    out.add_bytes(_end_records(len(entries), out.offset - directory, directory))
    return out.finish()


def _local_header(entry: Entry) -> bytes:
    name = entry.name.encode()
    large = entry.size_bytes >= _MAX32
    extra = struct.pack("<HHQQ", 1, 16, entry.size_bytes, entry.size_bytes) if large else b""
    size = _MAX32 if large else entry.size_bytes
    needs = _ZIP64 if large else _PLAIN
    fixed = _LOCAL.pack(
        b"PK\x03\x04", needs, _UTF8_NAMES, 0, _DOS_TIME, _DOS_DATE, entry.crc32, size, size, len(name), len(extra)
    )
    return fixed + name + extra


def _central_header(entry: Entry, offset: int) -> bytes:
    name = entry.name.encode()
    large, far = entry.size_bytes >= _MAX32, offset >= _MAX32
    fields = [entry.size_bytes] * 2 * large + [offset] * far
    extra = struct.pack(f"<HH{len(fields)}Q", 1, 8 * len(fields), *fields) if fields else b""
    size = _MAX32 if large else entry.size_bytes
    needs = _ZIP64 if fields else _PLAIN
    fixed = _CENTRAL.pack(
        b"PK\x01\x02",
        _MADE_BY_UNIX | needs,
        needs,
        _UTF8_NAMES,
        0,
        _DOS_TIME,
        _DOS_DATE,
        entry.crc32,
        size,
        size,
        len(name),
        len(extra),
        0,
        0,
        0,
        _REGULAR_FILE,
        _MAX32 if far else offset,
    )
    return fixed + name + extra


def _end_records(count: int, size: int, offset: int) -> bytes:
    end64 = b""
    if count >= _MAX16 or size >= _MAX32 or offset >= _MAX32:
        end64 = _END64.pack(b"PK\x06\x06", 44, _MADE_BY_UNIX | _ZIP64, _ZIP64, 0, 0, count, count, size, offset)
        end64 += _LOCATOR64.pack(b"PK\x06\x07", 0, offset + size, 1)
    short = min(count, _MAX16)
    return end64 + _END.pack(b"PK\x05\x06", 0, 0, short, short, min(size, _MAX32), min(offset, _MAX32), 0)
