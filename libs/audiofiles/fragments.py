"""Where the access units of an MPEG-4 file lie whose index comes in parts, as streams leave it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audiofiles.boxes import Box

Int64 = npt.NDArray[np.int64]
# Each part with the place in the file where its box begins.
Parts = Sequence[tuple[int, Box]]

_MAX_UNITS = 1 << 20  # of one run
# Flags of `tfhd` and `trun` (ISO/IEC 14496-12, 8.8.7 and 8.8.8): which of their fields are there.
_BASE, _DESCRIPTION, _DURATION, _SIZE = 0x1, 0x2, 0x8, 0x10
_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_OF_EACH = (0x100, 0x200, 0x400, 0x800)  # duration, size, flags, composition offset


@dataclass(slots=True)
class _Defaults:
    """What is true of a unit whose run does not say."""

    duration: int
    size: int


def fragment_units(movie: Box, track: Box, parts: Parts) -> tuple[Int64, Int64, float]:
    """Place and size of each access unit of the track, and how long all last together in its ticks."""
    number = _track_number(track)
    usual = _usual(movie, number)
    places, sizes, ticks = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], 0.0
    for start, part in parts:
        for fragment in part.each(b"traf"):
            header = fragment.at(b"tfhd").data
            if struct.unpack_from(">I", header, 4)[0] != number:
                continue
            base, defaults = _opening(header, start, usual)
            for run in fragment.each(b"trun"):
                durations, lengths, begin = _run(run.data, base, defaults)
                places.append(begin + np.cumsum(lengths) - lengths)
                sizes.append(lengths)
                ticks += float(durations.astype(np.float64).sum())
                base = begin + int(lengths.sum())
    return np.concatenate(places), np.concatenate(sizes), ticks


def _track_number(track: Box) -> int:
    header = track.at(b"tkhd").data
    (number,) = struct.unpack_from(">I", header, 20 if header[0] else 12)
    return int(number)


def _usual(movie: Box, number: int) -> _Defaults:
    for extended in movie.at(b"mvex").each(b"trex"):
        found, _, duration, size = struct.unpack_from(">4I", extended.data, 4)
        if found == number:
            return _Defaults(duration, size)
    return _Defaults(0, 0)


def _opening(header: memoryview, start: int, usual: _Defaults) -> tuple[int, _Defaults]:
    """Where the data of a fragment is counted from, and what is true of its units."""
    (flags,) = struct.unpack_from(">I", header, 0)
    base, defaults, place = start, _Defaults(usual.duration, usual.size), 8
    if flags & _BASE:
        (base,) = struct.unpack_from(">Q", header, place)
        place += 8
    if flags & _DESCRIPTION:
        place += 4
    if flags & _DURATION:
        (defaults.duration,) = struct.unpack_from(">I", header, place)
        place += 4
    if flags & _SIZE:
        (defaults.size,) = struct.unpack_from(">I", header, place)
    return base, defaults


def _run(data: memoryview, base: int, defaults: _Defaults) -> tuple[Int64, Int64, int]:
    """Duration and size of each unit of a run, and where the first lies."""
    flags, count = struct.unpack_from(">II", data, 0)
    place = 8
    if flags & _OFFSET:
        base += struct.unpack_from(">i", data, place)[0]
        place += 4
    if flags & _FIRST_FLAGS:
        place += 4
    columns = [flag for flag in _OF_EACH if flags & flag]
    if base < 0 or count > _MAX_UNITS:
        raise ValueError("a run makes no sense")
    numbers = np.frombuffer(data, ">u4", count * len(columns), place) if columns and count else np.zeros(0)
    rows = numbers.astype(np.int64).reshape(count, len(columns))

    def column(flag: int, default: int) -> Int64:
        return rows[:, columns.index(flag)] if flag in columns else np.full(count, default, np.int64)

    return column(0x100, defaults.duration), column(0x200, defaults.size), base
