"""Files of audio with something wrong with them, the same on each run: hundreds of them, of every format."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from tests.material import audio, mpeg4

_EACH = 27  # of every format
_HUGE = (0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A damaged file."""

    name: str
    data: bytes


@cache
def mutants() -> tuple[Mutant, ...]:
    """All of them, more than 300; those of one format and kind of damage are spread over the whole."""
    made = [*_of_formats(), *_specials()]
    random.Random(4).shuffle(made)
    return tuple(made)


@cache
def sound_files() -> dict[str, bytes]:
    """Undamaged files of about half a second, by format."""
    mix = audio.mix(0.4)
    six = audio.mix(0.2, channels=6)
    return {
        "wav-16": audio.encode(mix),
        "wav-24": audio.encode(mix, subtype="PCM_24"),
        "wav-float": _without_time(audio.encode(mix, subtype="FLOAT")),
        "wav-5.1": audio.encode(six, subtype="PCM_16"),
        "flac": audio.encode(mix, format="flac"),
        "flac-24": audio.encode(mix, format="flac", subtype="PCM_24"),
        "vorbis": _with_serial(audio.encode(mix, format="ogg"), 1),
        "opus": _with_serial(audio.encode(mix, format="ogg", subtype="OPUS"), 2),
        "mp3": audio.encode(mix, format="mp3"),
        "aiff": audio.encode(mix, format="aiff"),
        "adts": mpeg4.adts(channels=1),
        "m4a": mpeg4.m4a(has_itunes_note=True),
        "m4a-index-first": mpeg4.m4a(index_first=True),
        "m4a-fragments": mpeg4.M4a().fragmented(mpeg4.units(mpeg4.adts()), each=10),
    }


def _of_formats() -> Iterator[Mutant]:
    kinds = list(_DAMAGES)
    for place, (name, whole) in enumerate(sound_files().items()):
        for number in range(_EACH):
            draw = random.Random(1000 * place + number)
            kind = kinds[number % len(kinds)]
            yield Mutant(f"{name}, {kind}, {number}", _DAMAGES[kind](whole, draw))


def _specials() -> Iterator[Mutant]:
    yield Mutant("no bytes", b"")
    for name, whole in sound_files().items():
        yield Mutant(f"{name}, only its head", whole[:44])
    for number in range(4):
        yield Mutant(f"noise {number}", random.Random(number).randbytes(4000))
    for rate_hz, channels, bits, data_bytes in (
        (0, 2, 16, 1000),
        (0xFFFFFFFF, 2, 16, 1000),
        (44100, 0, 16, 1000),
        (44100, 65535, 16, 1000),
        (44100, 2, 0, 1000),
        (44100, 2, 32, 0xFFFFFFFF),
        (44100, 2, 16, 0x7FFFFFFF),
        (44100, 2, 16, 0),
    ):
        yield Mutant(f"wav of {(rate_hz, channels, bits, data_bytes)}", _wav(rate_hz, channels, bits, data_bytes))


def _flip(whole: bytes, draw: random.Random, count: int, end: int) -> bytes:
    out = bytearray(whole)
    for _ in range(count):
        out[draw.randrange(min(end, len(out)))] ^= 1 << draw.randrange(8)
    return bytes(out)


def _huge_word(whole: bytes, draw: random.Random) -> bytes:
    """A number of the header that tells of far more, or nothing."""
    index = whole.find(b"moov")
    end = len(whole) if index > 200 else min(len(whole), 160)
    place = draw.randrange(max(0, index), end - 4)
    return whole[:place] + struct.pack(draw.choice("<>") + "I", draw.choice(_HUGE)) + whole[place + 4 :]


def _cut_out(whole: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(whole))
    return whole[:start] + whole[start + draw.randrange(1, 3000) :]


def _put_in(whole: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(whole))
    return whole[:start] + draw.randbytes(draw.randrange(1, 3000)) + whole[start:]


def _blank(whole: bytes, draw: random.Random) -> bytes:
    start, length = draw.randrange(len(whole)), draw.randrange(1, 3000)
    return (whole[:start] + bytes(length) + whole[start + length :])[: len(whole)]


def _splice(whole: bytes, draw: random.Random) -> bytes:
    other = draw.choice(list(sound_files().values()))
    return whole[: draw.randrange(len(whole))] + other[draw.randrange(len(other)) :]


_DAMAGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "one bit": lambda whole, draw: _flip(whole, draw, 1, len(whole)),
    "sixty bits": lambda whole, draw: _flip(whole, draw, 60, len(whole)),
    "bits of its head": lambda whole, draw: _flip(whole, draw, 4, 64),
    "cut off": lambda whole, draw: whole[: draw.randrange(len(whole))],
    "a huge number": _huge_word,
    "a piece missing": _cut_out,
    "a piece too much": _put_in,
    "a blank": _blank,
    "the end of another": _splice,
}


def _wav(rate_hz: int, channels: int, bits: int, data_bytes: int) -> bytes:
    frame_bytes = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * frame_bytes & 0xFFFFFFFF, frame_bytes & 0xFFFF, bits)
    body = b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", data_bytes) + bytes(1000)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def _without_time(wav: bytes) -> bytes:
    """A WAV file of floats without the time of day at which it was made."""
    place = wav.index(b"PEAK") + 12
    return wav[:place] + bytes(4) + wav[place + 4 :]


def _with_serial(stream: bytes, serial: int) -> bytes:
    """An Ogg stream under another number: its encoder draws a new one each time."""
    out, place = bytearray(), 0
    while place < len(stream):
        table = stream[place + 27 : place + 27 + stream[place + 26]]
        end = place + 27 + len(table) + sum(table)
        page = bytearray(stream[place:end])
        page[14:18], page[22:26] = struct.pack("<I", serial), bytes(4)
        page[22:26] = struct.pack("<I", _ogg_checksum(page))
        out += page
        place = end
    return bytes(out)


def _ogg_checksum(page: bytes | bytearray) -> int:
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value
