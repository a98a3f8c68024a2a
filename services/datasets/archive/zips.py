"""Zip archives, stored and never deflated.

Nothing is compressed and nothing is read: a stored entry needs the checksum and size of its bytes, and both are known.
The layout holds every header, so any range of the archive can be served without the rest of it.

Source of all structures: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence

from services.datasets.archive.segments import Layouter
from services.datasets.domain.exports import ArchiveInvalid, Entry, Layout

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR64 = struct.Struct("<4sIQI")
_END = struct.Struct("<4sHHHHIIH")
_UTF8_NAMES = 1 << 11
_DOS_TIME, _DOS_DATE = 0, 0x21  # midnight of 1 January 1980: equal content gives equal bytes
_MADE_BY_UNIX, _REGULAR_FILE = 3 << 8, 0o100644 << 16
Read = Callable[[int, int], bytes]  # offset and length give the bytes
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
_PLAIN, _ZIP64 = 20, 45  # versions needed to extract
_TAIL = 65_557 + 76  # the end record with its longest comment, and what zip64 puts before it


def lay_out(entries: Sequence[Entry], report: Callable[[int], None]) -> Layout:
    """The archive of these files as byte ranges; equal files give an equal archive.

    Args:
        entries: Files in archive order, with unique names.
        report: Called with the number of files done.
    """
    out = Layouter()
    offsets: list[int] = []
    for done, entry in enumerate(entries, start=1):
        offsets.append(out.offset)
        out.add_bytes(_local_header(entry))
        out.add_file(entry)
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


def listed(size_bytes: int, read: Read) -> Iterator[tuple[str, int, int, int]]:
    """Name, size, CRC-32 and offset of the local header of each file, from the end of the archive as any reader does.

    Raises:
        ArchiveInvalid: The end is not that of a zip archive.
    """
    at = max(0, size_bytes - _TAIL)
    tail = read(at, size_bytes - at)
    end_at = tail.rfind(b"PK\x05\x06")
    if end_at < 0:
        raise ArchiveInvalid("the archive has no end record; export again")
    _sign, _disk, _start, _here, count, size, offset, _comment = _END.unpack_from(tail, end_at)
    locator = tail.rfind(b"PK\x06\x06", 0, end_at)
    if locator >= 0 and (count == _MAX16 or size == _MAX32 or offset == _MAX32):
        count, size, offset = _END64.unpack_from(tail, locator)[7:10]
    directory = read(offset, size)
    place = 0
    for _ in range(count):
        fields = _CENTRAL.unpack_from(directory, place)
        crc32, length, name_length, extra_length, header = fields[7], fields[9], fields[10], fields[11], fields[16]
        place += _CENTRAL.size
        name = directory[place : place + name_length].decode()
        extra = directory[place + name_length : place + name_length + extra_length]
        wide = list(struct.unpack(f"<{(len(extra) - 4) // 8}Q", extra[4:])) if extra else []
        if length == _MAX32:
            length = wide[0]
        if header == _MAX32:
            header = wide[-1]
        place += name_length + extra_length
        yield name, length, crc32, header


def header_bytes(entry: Entry) -> bytes:
    """What stands before the bytes of a file."""
    return _local_header(entry)
