"""The boxes that MPEG-4 files are made of."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from audiofiles.faults import truncated, unreadable

Int64 = npt.NDArray[np.int64]

# The index of a file of a day is a tenth of this.
_MAX_BYTES = 1 << 26


@dataclass(frozen=True, slots=True)
class Box:
    """What a box holds."""

    data: memoryview

    def each(self, kind: bytes) -> Iterator[Box]:
        """The boxes of this kind directly within."""
        place = 0
        while place + 8 <= len(self.data):
            length, found = struct.unpack_from(">I4s", self.data, place)
            body = place + 8
            if length == 1:
                (length,) = struct.unpack_from(">Q", self.data, body)
                body += 8
            end = len(self.data) if length == 0 else place + length
            if end < body or end > len(self.data):
                raise ValueError("a box goes beyond the one around it")
            if found == kind:
                yield Box(self.data[body:end])
            place = end

    def find(self, *path: bytes) -> Box | None:
        """The first box at the path."""
        box: Box | None = self
        for kind in path:
            box = next(box.each(kind), None) if box is not None else None
        return box

    def at(self, *path: bytes) -> Box:
        """The first box at the path; raises KeyError when there is none."""
        box = self.find(*path)
        if box is None:
            raise KeyError(path)
        return box

    def table(self, kind: str, columns: int = 1) -> Int64:
        """The rows of a table, shape (n_rows, columns): behind version and flags a count, then numbers of this kind."""
        (count,) = struct.unpack_from(">I", self.data, 4)
        numbers = np.frombuffer(self.data, kind, count * columns, 8) if count else np.zeros(0)
        return numbers.astype(np.int64).reshape(-1, columns)


@dataclass(frozen=True, slots=True)
class Place:
    """Where what a box of a file holds begins, and how long it is."""

    kind: bytes
    start: int
    length: int

    def read(self, file: BinaryIO) -> Box:
        """The box; raises ValueError when it is longer than one of an index is."""
        if self.length > _MAX_BYTES:
            raise ValueError("a box of the index is too long")
        file.seek(self.start)
        return Box(memoryview(file.read(self.length)))


def timescale(header: memoryview) -> int:
    """Ticks per second that a header, `mvhd` or `mdhd`, counts in."""
    (scale,) = struct.unpack_from(">I", header, 20 if header[0] else 12)
    if not scale:
        raise ValueError("there are no ticks in a second")
    return int(scale)


def top_boxes(file: BinaryIO, size: int) -> Iterator[Place]:
    """The boxes of the file; raises `Unfit` when the file ends within one."""
    place = 0
    while place + 8 <= size:
        file.seek(place)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        header = 8
        if length == 1:
            length, header = int.from_bytes(head[8:16], "big"), 16
        if length == 0:
            length = size - place
        if length < header:
            raise unreadable(f"a box at byte {place} makes no sense")
        if place + length > size:
            there = size - place
            raise truncated(
                f"it promises {length} bytes of {kind!r} and {there} are there", promised=length, there=there
            )
        yield Place(kind, place + header, length - header)
        place += length
