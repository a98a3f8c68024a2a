"""Archives read back as a trainer reads them, before anybody is told that they are there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from services.datasets.archive import tars, zips
from services.datasets.domain.exports import ArchiveInvalid, Entry, Layout, Segment

Read = Callable[[int, int], bytes]  # offset and length give the bytes


class _Laid:
    """The bytes of a layout that are here, by offset."""

    def __init__(self, layout: Layout) -> None:
        self._segments = layout.segments
        self._offsets = [segment.offset_bytes for segment in layout.segments]

    def at(self, offset: int) -> Segment:
        """The segment that holds the offset."""
        return self._segments[bisect_right(self._offsets, offset) - 1]

    def read(self, offset: int, length: int) -> bytes:
        """Bytes from the offset; those of objects are not read, zeros stand for them."""
        out = bytearray()
        while len(out) < length:
            at = offset + len(out)
            segment = self.at(at)
            begin = at - segment.offset_bytes
            wanted = min(length - len(out), segment.length_bytes - begin)
            _require(wanted > 0, f"it ends at byte {at}")
            out += segment.inline[begin : begin + wanted] if segment.inline else bytes(wanted)
        return bytes(out)


def read_back(entries: Sequence[Entry], layout: Layout, *, suffix: str) -> None:
    """Nothing if a reader finds exactly these files in the layout: order, names, sizes, checksums, and their bytes.

    Raises:
        ArchiveInvalid: Something differs.
    """
    end = 0
    for segment in layout.segments:
        _require(segment.offset_bytes == end, "its segments do not join")
        end += segment.length_bytes
    _require(end == layout.size_bytes, "its size is not that of its segments")
    laid = _Laid(layout)
    for entry, at in (_in_zip if suffix == ".zip" else _in_tar)(entries, layout, laid):
        if entry.size_bytes:
            _has_bytes(entry, at, laid)


def read_stored(entries: Sequence[Entry], layout: Layout, read: Read, *, suffix: str) -> None:
    """Nothing if a stored archive begins and ends as it was laid out, and lists exactly these files.

    Raises:
        ArchiveInvalid: Something differs.
    """
    for segment in {layout.segments[0], layout.segments[-1]} if layout.segments else ():
        found = read(segment.offset_bytes, segment.length_bytes) if segment.inline else b""
        _require(found == segment.inline, f"the stored bytes from {segment.offset_bytes} differ")
    if suffix == ".zip":
        _same(entries, list(zips.listed(layout.size_bytes, read)))


def _in_zip(entries: Sequence[Entry], layout: Layout, laid: _Laid) -> Iterator[tuple[Entry, int]]:
    listed = list(zips.listed(layout.size_bytes, laid.read))
    _same(entries, listed)
    for entry, (_name, _size, _crc32, at) in zip(entries, listed, strict=True):
        header = zips.header_bytes(entry)
        _require(laid.read(at, len(header)) == header, f"the header of {entry.name} differs")
        yield entry, at + len(header)


def _in_tar(entries: Sequence[Entry], layout: Layout, laid: _Laid) -> Iterator[tuple[Entry, int]]:
    at = 0
    for entry in entries:
        header = tars.header_bytes(entry)
        _require(laid.read(at, len(header)) == header, f"the header of {entry.name} differs")
        yield entry, at + len(header)
        at += len(header) + entry.size_bytes + -entry.size_bytes % tars.BLOCK
    _require(not any(laid.read(at, layout.size_bytes - at)), "something follows its last file")


def _same(entries: Sequence[Entry], listed: Sequence[tuple[str, int, int, int]]) -> None:
    _require(len(listed) == len(entries), f"it lists {len(listed)} files, not {len(entries)}")
    for entry, (name, size_bytes, crc32, _at) in zip(entries, listed, strict=True):
        wanted = (entry.name, entry.size_bytes, entry.crc32)
        _require((name, size_bytes, crc32) == wanted, f"it lists {name} otherwise than {entry.name}")


def _has_bytes(entry: Entry, at: int, laid: _Laid) -> None:
    if not entry.object_key:
        _require(laid.read(at, entry.size_bytes) == entry.inline, f"{entry.name} holds another text")
        return
    segment = laid.at(at)
    found = (segment.offset_bytes, segment.object_key, segment.object_offset_bytes, segment.length_bytes)
    _require(found == (at, entry.object_key, 0, entry.size_bytes), f"{entry.name} holds other bytes")


def _require(claim: object, fault: str) -> None:
    if not claim:
        raise ArchiveInvalid(f"the archive does not read back as it was made: {fault}; export again")
