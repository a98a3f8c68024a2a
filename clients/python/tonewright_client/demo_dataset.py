"""A small dataset made on the spot: eight short pieces with the Live Sets behind them."""

from __future__ import annotations

import math
import operator
import random
import wave
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tonewright_client.demo_live_set import DemoTrack, write_live_set

RATE_HZ = 44_100
# A trainer throws pieces of 5 seconds and less away.
MIN_S = 6.5
_BEATS = 4


@dataclass(frozen=True, slots=True)
class DemoPiece:
    """One piece.

    Attributes:
        title: Stem of its files.
        tempo_bpm: Beats per minute.
        root_midi: Note of its bass.
        instruments: Live's own names of the devices that play it.
        kick: Beats that have a kick.
    """

    title: str
    tempo_bpm: float
    root_midi: int
    instruments: Sequence[str]
    kick: Sequence[float]


PIECES = (
    DemoPiece("night drive", 96, 45, ("Operator", "UltraAnalog"), (0, 1, 2, 3)),
    DemoPiece("low tide", 84, 41, ("InstrumentVector", "Reverb"), (0, 2)),
    DemoPiece("glass stairs", 122, 48, ("Collision", "Delay"), (0, 1, 2, 3)),
    DemoPiece("paper lanterns", 108, 43, ("StringStudio", "Chorus"), (0, 1.5, 3)),
    DemoPiece("cold harbour", 74, 40, ("UltraAnalog", "Reverb"), (0,)),
    DemoPiece("copper wire", 128, 46, ("Operator", "Saturator"), (0, 1, 2, 3)),
    DemoPiece("slow orbit", 66, 38, ("LoungeLizard", "Chorus"), (0, 2.5)),
    DemoPiece("street rain", 90, 50, ("MultiSampler", "Eq8"), (0, 0.75, 2, 3.5)),
)


def write_dataset(folder: Path, pieces: Iterable[DemoPiece] = PIECES) -> Path:
    """The folder with `TITLE.wav` and `TITLE.als` for each piece; the same bytes each time, in about a second."""
    folder.mkdir(parents=True, exist_ok=True)
    for piece in pieces:
        write_loop(folder / f"{piece.title}.wav", piece)
        lead, colour = piece.instruments
        tracks = (
            DemoTrack("Drums", "midi", ("DrumGroupDevice",), "Pattern", [(36, beat, 0.25) for beat in piece.kick]),
            DemoTrack("Bass", "midi", ("Operator",), "Root", [(piece.root_midi, 0, 4), (piece.root_midi + 7, 8, 4)]),
            DemoTrack(
                "Lead", "midi", (lead, colour), "Line", [(piece.root_midi + 24, 0, 2), (piece.root_midi + 27, 4, 2)]
            ),
        )
        write_live_set(folder / f"{piece.title}.als", tempo_bpm=piece.tempo_bpm, tracks=tracks)
    return folder


def write_loop(path: Path, piece: DemoPiece) -> Path:
    """A WAV file, 16-bit stereo, 44,100 Hz, of at least `MIN_S` seconds: whole bars of drums, bass and a chord."""
    frames = round(_BEATS * 60 / piece.tempo_bpm * RATE_HZ)
    root_hz = 440 * 2 ** ((piece.root_midi - 69) / 12)
    bass = _tone(root_hz, frames, peak=7000, harmonics=4)
    left = _sum(bass, _tone(root_hz * 4, frames, peak=3000, harmonics=2), _drums(piece, frames))
    right = _sum(bass, _tone(root_hz * 4 * 2 ** (7 / 12), frames, peak=3000, harmonics=3), _drums(piece, frames))
    samples = array("h", bytes(4 * frames))
    samples[0::2], samples[1::2] = array("h", left), array("h", right)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes() * math.ceil(MIN_S * RATE_HZ / frames))
    return path


def _tone(pitch_hz: float, frames: int, *, peak: int, harmonics: int) -> list[int]:
    """One period, repeated: a thousand times as fast as a sine for each frame."""
    period = round(RATE_HZ / pitch_hz)
    step = 2 * math.pi / period
    cycle = [
        int(peak * sum(math.sin(step * frame * order) / order**2 for order in range(1, harmonics + 1)))
        for frame in range(period)
    ]
    return (cycle * (frames // period + 1))[:frames]


def _drums(piece: DemoPiece, frames: int) -> list[int]:
    noise = random.Random(piece.root_midi)  # noqa: S311 - sound, not secrets
    kick = [int(9000 * math.exp(-frame / 2500) * math.sin(2 * math.pi * 52 * frame / RATE_HZ)) for frame in range(8000)]
    hat = [int(2200 * math.exp(-frame / 500) * noise.uniform(-1, 1)) for frame in range(2000)]
    found = [0] * frames
    beat = 60 / piece.tempo_bpm * RATE_HZ
    struck = [(at, kick) for at in piece.kick] + [(at + 0.5, hat) for at in range(_BEATS)]
    for at, sound in struck:
        start = round(at * beat)
        length = min(len(sound), frames - start)
        found[start : start + length] = map(operator.add, found[start : start + length], sound[:length])
    return found


def _sum(*voices: Sequence[int]) -> list[int]:
    return [sum(at) for at in zip(*voices, strict=True)]
