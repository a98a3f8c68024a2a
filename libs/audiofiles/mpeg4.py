"""AAC in an MPEG-4 file (M4A): where its access units lie, and which frames are the recording."""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from audiofiles.aac import LOW_COMPLEXITY, MAX_UNIT_BYTES, RATES_HZ, Track
from audiofiles.boxes import Box, timescale, top_boxes
from audiofiles.faults import truncated, unreadable, unsupported
from audiofiles.fragments import Parts, fragment_units

Int64 = npt.NDArray[np.int64]

_MAX_UNITS = 1 << 24
_AAC_TYPES = (0x40, 0x66, 0x67, 0x68)
_WITH_SBR = (5, 29)


def is_mpeg4(head: bytes) -> bool:
    """Whether a file that begins so is MPEG-4."""
    return head[4:8] == b"ftyp"


def mpeg4_track(file: BinaryIO, size: int) -> Track:
    """The access units of the file's sound; the delay and padding of its encoder are left out.

    By the edit list, or else by iTunes' own note (iTunSMPB). Raises `Unfit` when bytes that the index promises are not
    there, or the sound is other than AAC-LC.
    """
    boxes = list(top_boxes(file, size))
    index = next((place for place in boxes if place.kind == b"moov"), None)
    if index is None:
        raise truncated("it ends before its index")
    try:
        movie = index.read(file)
        parts = [(place.start - 8, place.read(file)) for place in boxes if place.kind == b"moof"]
        return _track(movie, parts, size)
    except (struct.error, IndexError, KeyError, ValueError, OverflowError) as error:
        raise unreadable("its index makes no sense") from error


def _track(movie: Box, parts: Parts, size: int) -> Track:
    for track in movie.each(b"trak"):
        if bytes(track.at(b"mdia", b"hdlr").data[8:12]) == b"soun":
            break
    else:
        raise unreadable("it has no sound in it")
    table = track.at(b"mdia", b"minf", b"stbl")
    rate_hz, channels = _configuration(table.at(b"stsd").data)
    offsets, sizes, ticks = fragment_units(movie, track, parts) if parts else _units(table)
    if len(sizes) > _MAX_UNITS or (len(sizes) and not 0 < sizes.min() <= sizes.max() < MAX_UNIT_BYTES - 8):
        raise ValueError("a unit has a size that none has")
    if len(offsets) and int((offsets + sizes).max()) > size:
        there = int((offsets + sizes <= size).sum())
        raise truncated(
            f"its index promises {len(sizes)} access units and {there} are there", promised=len(sizes), there=there
        )
    lasting = round(ticks * rate_hz / timescale(track.at(b"mdia", b"mdhd").data))
    skipped, kept = _edit(movie, track, rate_hz, lasting) or _itunes_note(movie) or (0, None)
    return Track(rate_hz, channels, offsets, sizes, skipped, kept)


# ---- what the sound is


def _configuration(described: memoryview) -> tuple[int, int]:
    """Rate and channels of AAC-LC, by the description of the track's samples."""
    entry = Box(described[8:])
    kind = bytes(described[12:16])
    if kind != b"mp4a":
        name = {b"enca": "protected", b"drms": "protected", b"alac": "Apple Lossless"}.get(kind, repr(kind)[2:-1])
        raise unsupported(f"is an MPEG-4 file whose sound is {name}, not AAC")
    sample = entry.at(b"mp4a").data
    # Sound descriptions of QuickTime have 16 or 36 bytes more.
    extra = {0: 0, 1: 16, 2: 36}[struct.unpack_from(">H", sample, 8)[0]]
    inner = Box(sample[28 + extra :])
    stream = inner.find(b"esds") or inner.at(b"wave", b"esds")
    return _audio_specific(_decoder_configuration(stream.data[4:]))


def _decoder_configuration(data: memoryview) -> bytes:
    """The AudioSpecificConfig among the descriptors of a stream."""
    tag, body, _ = _descriptor(data, 0)
    if tag == 3:
        flags = data[body + 2]
        place = body + 3 + (2 if flags & 0x80 else 0) + (2 if flags & 0x20 else 0)
        if flags & 0x40:
            place += 1 + data[place]
        tag, body, _ = _descriptor(data, place)
    if tag != 4:
        raise ValueError("no decoder is configured")
    if data[body] not in _AAC_TYPES:
        raise unsupported(f"is an MPEG-4 file whose sound has type {data[body]:#x}, not AAC")
    tag, start, length = _descriptor(data, body + 13)
    if tag != 5:
        raise ValueError("no decoder is configured")
    return bytes(data[start : start + length])


def _descriptor(data: memoryview, place: int) -> tuple[int, int, int]:
    """Tag, place of the body and its length."""
    tag, length = data[place], 0
    for count in range(1, 5):
        byte = data[place + count]
        length = length << 7 | byte & 0x7F
        if not byte & 0x80:
            break
    return tag, place + 1 + count, length


def _audio_specific(config: bytes) -> tuple[int, int]:
    """Rate and channels of an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1)."""
    bits = _Bits(config)
    kind = _object_type(bits)
    rate_index = bits.take(4)
    rate_hz = bits.take(24) if rate_index == 15 else RATES_HZ[rate_index]
    channels = bits.take(4)
    has_short_frames = kind == LOW_COMPLEXITY and bits.take(1)
    if kind == LOW_COMPLEXITY and not has_short_frames:
        depends, extended = bits.take(1), 0
        bits.take((14 if depends else 0) + 1)
        if bits.left >= 16 and bits.take(11) == 0x2B7 and _object_type(bits) in _WITH_SBR:
            extended = bits.take(1)
        kind = _WITH_SBR[0] if extended else kind
    if kind in _WITH_SBR:
        raise unsupported("is HE-AAC, of which only AAC-LC's lower half would be heard")
    if kind != LOW_COMPLEXITY or has_short_frames or rate_hz not in RATES_HZ:
        raise unsupported(f"is AAC of object type {kind} at {rate_hz} Hz; AAC-LC is read")
    return rate_hz, channels


def _object_type(bits: _Bits) -> int:
    kind = bits.take(5)
    return 32 + bits.take(6) if kind == 31 else kind


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._number, self.left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self.left:
            raise ValueError("a configuration ends too early")
        self.left -= count
        return self._number >> self.left & (1 << count) - 1


# ---- where the sound is


def _units(table: Box) -> tuple[Int64, Int64, float]:
    """Place and size of each access unit, and how long all last together in the track's ticks."""
    durations = table.at(b"stts").table(">u4", 2).astype(np.float64)
    ticks = float((durations[:, 0] * durations[:, 1]).sum())
    sizes = _sizes(table.at(b"stsz").data)
    short = table.find(b"stco")
    starts = (short.table(">u4") if short else table.at(b"co64").table(">u8"))[:, 0]
    rows = table.at(b"stsc").table(">u4", 3)[:, :2]
    if not len(sizes):
        return sizes, sizes, ticks
    if not (len(starts) and starts.min() >= 0 and len(rows) and rows[0, 0] == 1 and (np.diff(rows[:, 0]) > 0).all()):
        raise ValueError("the chunks make no sense")
    lasting = np.diff(np.append(rows[:, 0], len(starts) + 1))
    per_chunk = np.repeat(rows[:, 1], np.maximum(lasting, 0))[: len(starts)]
    if len(per_chunk) != len(starts) or per_chunk.astype(np.float64).sum() != len(sizes):
        raise ValueError("the chunks make no sense")
    chunk = np.repeat(np.arange(len(starts)), per_chunk)
    before = np.cumsum(sizes) - sizes
    first = np.minimum(np.cumsum(per_chunk) - per_chunk, len(sizes) - 1)
    return starts[chunk] + before - before[first][chunk], sizes, ticks


def _sizes(data: memoryview) -> Int64:
    common, count = struct.unpack_from(">II", data, 4)
    if count > _MAX_UNITS:
        raise ValueError("more units than a file of ours has")
    return np.full(count, common, np.int64) if common else np.frombuffer(data, ">u4", count, 12).astype(np.int64)


# ---- which of it is the recording


def _edit(movie: Box, track: Box, rate_hz: int, whole: int) -> tuple[int, int | None] | None:
    """Frames to leave out at the beginning and frames to keep, by the edit list; None when there is nothing to say."""
    found = track.find(b"edts", b"elst")
    if found is None:
        return None
    is_long = bool(found.data[0])
    (count,) = struct.unpack_from(">I", found.data, 4)
    row = struct.Struct(">QqI" if is_long else ">IiI")
    edits = [row.unpack_from(found.data, 8 + place * row.size) for place in range(min(count, 16))]
    real = [(length, start) for length, start, _ in edits if start >= 0]
    if len(real) != 1:
        raise unsupported("is an MPEG-4 file that is cut together from several parts")
    length, start = real[0]
    skipped = round(start * rate_hz / timescale(track.at(b"mdia", b"mdhd").data))
    lasting = whole - skipped
    # The length is told in ticks of the movie, which are longer than a frame; the track knows better within one.
    tick = rate_hz / timescale(movie.at(b"mvhd").data)
    told = length * tick
    kept = lasting if not length or abs(told - lasting) <= tick else min(round(told), lasting)
    return skipped, max(0, kept)


def _itunes_note(movie: Box) -> tuple[int, int | None] | None:
    """The same by iTunes' note: hexadecimal numbers, of which the second is the delay and the fourth the length."""
    listed = movie.find(b"udta", b"meta")
    if listed is None:
        return None
    for note in (found for items in Box(listed.data[4:]).each(b"ilst") for found in items.each(b"----")):
        name, data = note.find(b"name"), note.find(b"data")
        if name and data and bytes(name.data[4:]) == b"iTunSMPB":
            numbers = [int(word, 16) for word in bytes(data.data[8:]).split()[:4]]
            return (numbers[1], numbers[3]) if len(numbers) == 4 and numbers[3] else None
    return None
