"""Loops of known tempo and cadences of known key, the same on each run."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

RATE_HZ = 22_050
LOOPS = ("click", "accents", "four", "rock", "bass", "drums and bass")
STEADY = ("noise", "pad", "slow chords", "sine", "silence")
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def loop(kind: str, bpm: float, duration_s: float = 16.0) -> Float32:
    """One of LOOPS at that tempo, mono, shape (frames, 1)."""
    noise = np.random.default_rng(5)
    sound = np.zeros(round(duration_s * RATE_HZ))
    beat_s = 60 / bpm
    for beat in range(int(duration_s / beat_s) + 1):
        for offset, stroke in _strokes(kind, beat, beat_s, noise):
            _put(sound, (beat + offset) * beat_s, stroke)
    return _levelled(sound)


def steady(kind: str, duration_s: float = 16.0) -> Float32:
    """One of STEADY, which has no tempo; mono, shape (frames, 1)."""
    time_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    if kind == "noise":
        return _levelled(np.random.default_rng(3).standard_normal(len(time_s)))
    if kind == "pad":
        return _levelled(sum(np.sin(2 * np.pi * hz * time_s + np.sin(time_s)) for hz in (220, 261.63, 329.63)))
    if kind == "slow chords":
        swell = [np.clip((time_s - at) / 2, 0, 1) * np.clip((at + 6 - time_s) / 2, 0, 1) for at in (0, 4, 8, 12)]
        roots = (220.0, 174.61, 130.81, 196.0)
        return _levelled(sum(a * np.sin(2 * np.pi * hz * time_s) for a, hz in zip(swell, roots, strict=True)))
    return _levelled(np.sin(2 * np.pi * 440 * time_s)) if kind == "sine" else np.zeros((len(time_s), 1), np.float32)


def cadence(tonic: int, mode: str, *, cents: float = 0.0) -> Float32:
    """I IV V I in that key, C is 0; mono, shape (frames, 1)."""
    third = 4 if mode == "major" else 3
    chords = ((0, third, 7), (5, 5 + third, 12), (7, 11, 14), (0, third, 7))
    time_s = np.arange(round(1.5 * RATE_HZ)) / RATE_HZ
    played = []
    for chord in chords:
        pitches = [261.63 * 2 ** ((tonic + step) / 12 + cents / 1200) for step in (chord[0] - 12, *chord)]
        tones = sum(np.sin(2 * np.pi * hz * part * time_s) / part**1.2 for hz in pitches for part in range(1, 5))
        played.append(tones * np.exp(-0.8 * time_s))
    return _levelled(np.concatenate(played))


def song(seed: int, duration_s: float = 20.0) -> Float32:
    """Another piece of music for each seed: tempo, key, chords, melody, drums; mono, shape (frames, 1)."""
    dice = np.random.default_rng(seed)
    sound = np.zeros(round(duration_s * RATE_HZ))
    step_s, key, decay = 15 / dice.uniform(80, 150), int(dice.integers(12)), dice.uniform(1, 6)
    third, roots = int(dice.integers(3, 5)), dice.permutation((0, 5, 7, 9))
    melody, rhythm = dice.integers(-5, 12, 32), dice.random(16) < dice.uniform(0.3, 0.7)
    for step in range(int(duration_s / step_s)):
        root = key + roots[step // 16 % 4]
        if step % 4 == 0:
            for interval in (-24, 0, third, 7):
                _put(sound, step * step_s, 0.2 * _tone(220 * 2 ** ((root + interval) / 12), 3.6 * step_s, decay))
        if rhythm[step % 16]:
            _put(sound, step * step_s, 0.2 * _tone(440 * 2 ** ((key + melody[step % 32]) / 12), 2 * step_s, 4))
        if step % 8 in (0, 4):
            _put(sound, step * step_s, _kick() if step % 8 == 0 else _snare(dice))
    return _levelled(sound)


def _strokes(kind: str, beat: int, beat_s: float, noise: np.random.Generator) -> list[tuple[float, Float64]]:
    """What sounds within a beat: place in beats and sound."""
    drum = _kick() if beat % 2 == 0 else _snare(noise)
    bass = _tone((55.0, 55.0, 65.41, 49.0)[beat // 4 % 4], 0.9 * beat_s, 2 / beat_s)
    match kind:
        case "click":
            return [(0, _click())]
        case "accents":
            return [(0, _click() * (1.0 if beat % 4 == 0 else 0.6))]
        case "four":
            return [(0, _kick()), (0.5, _hat(noise))]
        case "rock":
            return [(0, drum), (0, _hat(noise)), (0.5, _hat(noise))]
        case "bass":
            return [(0, bass)]
    return [(0, drum), (0, bass), (0.5, _hat(noise))]


def _put(sound: Float64, at_s: float, stroke: Float64) -> None:
    start = round(at_s * RATE_HZ)
    part = stroke[: max(0, len(sound) - start)]
    sound[start : start + len(part)] += part


def _times(duration_s: float) -> Float64:
    return np.arange(int(duration_s * RATE_HZ)) / RATE_HZ


def _click() -> Float64:
    time_s = _times(0.03)
    return np.asarray(np.sin(2 * np.pi * 1500 * time_s) * np.exp(-time_s / 0.006))


def _kick() -> Float64:
    time_s = _times(0.25)
    return np.asarray(0.9 * np.sin(2 * np.pi * (50 * time_s + 3 * (1 - np.exp(-30 * time_s)))) * np.exp(-12 * time_s))


def _snare(noise: np.random.Generator) -> Float64:
    time_s = _times(0.2)
    rattle = 0.3 * noise.standard_normal(len(time_s)) * np.exp(-18 * time_s)
    return np.asarray(rattle + 0.3 * np.sin(2 * np.pi * 190 * time_s) * np.exp(-15 * time_s))


def _hat(noise: np.random.Generator) -> Float64:
    time_s = _times(0.06)
    return np.asarray(0.15 * np.diff(noise.standard_normal(len(time_s) + 1)) * np.exp(-time_s / 0.015))


def _tone(hz: float, duration_s: float, decay: float) -> Float64:
    time_s = _times(duration_s)
    swing = np.minimum(1, time_s / 0.005) * np.exp(-decay * time_s)
    return np.asarray(0.3 * swing * sum(np.sin(2 * np.pi * hz * part * time_s) / part for part in range(1, 6)))


def _levelled(sound: Any) -> Float32:
    return np.asarray(sound / np.abs(sound).max() * 0.8, np.float32)[:, None]
