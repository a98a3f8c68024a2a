"""AAC for tests: the mixed piece as ADTS, kept as made once by another encoder, and MPEG-4 files around its units."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path

_GOLDEN = Path(__file__).resolve().parent.parent / "golden/audio"
# What the encoder put before the recording, in frames.
DELAY = 1024
UNIT_FRAMES = 1024
_RATES_HZ = (96000, 88200, 64000, 48000, 44100, 32000)


def adts(*, channels: int = 2) -> bytes:
    """A second of the mixed piece (`tests.material.audio.mix`): 48 kHz in stereo or 44.1 kHz in mono."""
    return (_GOLDEN / ("mix-48000-stereo.aac" if channels == 2 else "mix-44100-mono.aac")).read_bytes()


def units(stream: bytes) -> list[bytes]:
    """The access units of an ADTS stream without its headers."""
    found, place = [], 0
    while place < len(stream):
        length = (stream[place + 3] & 3) << 11 | stream[place + 4] << 3 | stream[place + 5] >> 5
        found.append(stream[place + 7 : place + length])
        place += length
    return found


@dataclass(frozen=True, slots=True)
class M4a:
    """What an MPEG-4 file says of its sound."""

    rate_hz: int = 48000
    channels: int = 2
    skipped: int = DELAY
    frame_count: int = 48000
    movie_scale: int = 1000
    has_edit_list: bool = True
    has_itunes_note: bool = False
    index_first: bool = False
    codec: bytes = b"mp4a"
    config: bytes | None = None  # AudioSpecificConfig; AAC-LC when None
    more_boxes: bytes = b""  # within moov

    def file(self, stream: list[bytes]) -> bytes:
        """The file of these access units."""
        head = box(b"ftyp", b"M4A " + bytes(4) + b"M4A mp42")
        sound = box(b"mdat", b"".join(stream))
        begin = len(head) + 8 + (len(self._index(stream, 0)) if self.index_first else 0)
        index = self._index(stream, begin)
        return head + index + sound if self.index_first else head + sound + index

    def fragmented(self, stream: list[bytes], *, each: int) -> bytes:
        """The same as fragments of so many units, without a table of them in the index."""
        extended = full(b"trex", struct.pack(">IIIII", 0, 1, UNIT_FRAMES, 0, 0))
        told = replace(self, index_first=True, more_boxes=box(b"mvex", extended))
        out = box(b"ftyp", b"iso5" + bytes(4)) + told._index([], 0)
        for start in range(0, len(stream), each):
            some = stream[start : start + each]
            sizes = struct.pack(f">{len(some)}I", *(len(unit) for unit in some))
            part = b""
            for _ in range(2):  # the place of the data depends on the length of what tells it
                run = struct.pack(">III", 0x201, len(some), len(part) + 8) + sizes
                header = box(b"tfhd", struct.pack(">II", 0x20000, 0))
                part = box(b"moof", full(b"mfhd", bytes(4)) + box(b"traf", header + box(b"trun", run)))
            out += part + box(b"mdat", b"".join(some))
        return out

    def _index(self, stream: list[bytes], begin: int) -> bytes:
        kept = self.frame_count + self.skipped
        media = full(b"mdhd", struct.pack(">IIIIHH", 0, 0, self.rate_hz, kept, 0x55C4, 0))
        media += full(b"hdlr", bytes(4) + b"soun" + bytes(12) + b"sound\0")
        media += box(b"minf", box(b"stbl", self._tables(stream, begin)))
        length = round(self.frame_count / self.rate_hz * self.movie_scale)
        edit = box(b"edts", full(b"elst", struct.pack(">IIiI", 1, length, self.skipped, 0x10000)))
        track = full(b"tkhd", bytes(80)) + (edit if self.has_edit_list else b"") + box(b"mdia", media)
        movie = full(b"mvhd", struct.pack(">IIII", 0, 0, self.movie_scale, length) + bytes(80))
        note = self._note(len(stream)) if self.has_itunes_note else b""
        return box(b"moov", movie + box(b"trak", track) + note + self.more_boxes)

    def _tables(self, stream: list[bytes], begin: int) -> bytes:
        last = self.frame_count + self.skipped - (len(stream) - 1) * UNIT_FRAMES
        durations = struct.pack(">IIIII", 2, max(0, len(stream) - 1), UNIT_FRAMES, 1, max(0, min(last, UNIT_FRAMES)))
        sizes = [len(unit) for unit in stream]
        # Two chunks: five units, then the rest.
        first = min(5, len(sizes))
        chunks = struct.pack(">II", 2, begin) + struct.pack(">I", begin + sum(sizes[:first]))
        runs = struct.pack(">IIIIIII", 2, 1, first, 1, 2, len(sizes) - first, 1)
        return (
            full(b"stsd", struct.pack(">I", 1) + self._described())
            + full(b"stts", durations)
            + full(b"stsc", runs)
            + full(b"stsz", struct.pack(">II", 0, len(sizes)) + struct.pack(f">{len(sizes)}I", *sizes))
            + full(b"stco", chunks)
        )

    def _described(self) -> bytes:
        plain = (2 << 11 | _RATES_HZ.index(self.rate_hz) << 7 | self.channels << 3).to_bytes(2, "big")
        config = plain if self.config is None else self.config
        decoder = _descriptor(4, bytes((0x40, 0x15)) + bytes(11) + _descriptor(5, config))
        stream = full(b"esds", _descriptor(3, bytes(3) + decoder + _descriptor(6, b"\x02")))
        fixed = bytes(6) + b"\0\1" + bytes(8) + struct.pack(">HHII", self.channels, 16, 0, self.rate_hz << 16)
        return box(self.codec, fixed + stream)

    def _note(self, unit_count: int) -> bytes:
        padding = unit_count * UNIT_FRAMES - self.skipped - self.frame_count
        text = f" 00000000 {self.skipped:08X} {padding:08X} {self.frame_count:016X}" + " 00000000" * 8
        inner = full(b"mean", b"com.apple.iTunes") + full(b"name", b"iTunSMPB")
        note = box(b"----", inner + full(b"data", bytes(4) + text.encode()))
        return box(b"udta", full(b"meta", full(b"hdlr", bytes(4) + b"mdirappl" + bytes(9)) + box(b"ilst", note)))


def m4a(**told: object) -> bytes:
    """A second of the mixed piece as M4A, 48 kHz in stereo; what is told replaces what `M4a` says."""
    return M4a(**told).file(units(adts()))  # type: ignore[arg-type]


def box(kind: bytes, body: bytes) -> bytes:
    """A box of MPEG-4."""
    return struct.pack(">I", 8 + len(body)) + kind + body


def full(kind: bytes, body: bytes) -> bytes:
    """A box with version 0 and no flags."""
    return box(kind, bytes(4) + body)


def _descriptor(tag: int, body: bytes) -> bytes:
    return bytes((tag, 0x80, 0x80, 0x80, len(body))) + body
