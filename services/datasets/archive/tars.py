"""Tar archives, deterministic: ustar headers, and a pax header only where a name or size does not fit.

Source of all structures: POSIX.1-2017, utility pax, sections "pax Header Block" and "ustar Interchange Format".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from services.datasets.archive.segments import Layouter
from services.datasets.domain.exports import Entry, Layout

BLOCK = 512
_RECORD = 20 * BLOCK  # an archive is a whole number of records
_NAME_MAX, _PREFIX_MAX = 100, 155
_SIZE_MAX = 8**11 - 1
_HEADER = struct.Struct("100s8s8s8s12s12s8sc100s6s2s32s32s8s8s155s12x")
_MTIME = 315_532_800  # midnight of 1 January 1980, as in the zip archives


def lay_out(entries: Sequence[Entry], report: Callable[[int], None]) -> Layout:
    """The archive of these files as byte ranges; equal files give an equal archive."""
    out = Layouter()
    for done, entry in enumerate(entries, start=1):
        out.add_bytes(header_bytes(entry))
        out.add_file(entry)
        out.add_bytes(bytes(-entry.size_bytes % BLOCK))
        report(done)
    end = out.offset + 2 * BLOCK
    out.add_bytes(bytes(2 * BLOCK + -end % _RECORD))
    return out.finish()


def header_bytes(entry: Entry) -> bytes:
    """What stands before the bytes of a file."""
    name = entry.name.encode()
    prefix, stem = _split(name)
    records = b""
    if stem is None or not entry.name.isascii():
        records += _pax_record("path", name)
        prefix, stem = b"", name[:_NAME_MAX]
    if entry.size_bytes > _SIZE_MAX:
        records += _pax_record("size", str(entry.size_bytes).encode())
    extended = b""
    if records:
        extended = _header(b"pax/header", b"", len(records), b"x") + records + bytes(-len(records) % BLOCK)
    size = entry.size_bytes if entry.size_bytes <= _SIZE_MAX else 0
    return extended + _header(stem, prefix, size, b"0")


def _split(name: bytes) -> tuple[bytes, bytes | None]:
    """The name as prefix and rest; no rest when it does not fit."""
    if len(name) <= _NAME_MAX:
        return b"", name
    cut = name.find(b"/", len(name) - _NAME_MAX - 1)
    if 0 < cut <= _PREFIX_MAX and cut + 1 < len(name):
        return name[:cut], name[cut + 1 :]
    return b"", None


def _header(name: bytes, prefix: bytes, size_bytes: int, kind: bytes) -> bytes:
    numbers = (0o644, 0, 0)
    mode, owner, group = (b"%07o\0" % number for number in numbers)
    fields = [
        name, mode, owner, group, b"%011o\0" % size_bytes, b"%011o\0" % _MTIME, b" " * 8, kind, b"",
        b"ustar\0", b"00", b"", b"", b"%07o\0" % 0, b"%07o\0" % 0, prefix,
    ]  # fmt: skip
    fields[6] = b"%06o\0 " % sum(_HEADER.pack(*fields))
    return _HEADER.pack(*fields)


def _pax_record(key: str, value: bytes) -> bytes:
    body = b" " + key.encode() + b"=" + value + b"\n"
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body
