"""A short piece of music made on the spot, so that a first walk needs no file of the user's."""

from __future__ import annotations

import json
import math
import random
import wave
from array import array
from pathlib import Path

RATE_HZ = 44_100
TEMPO_BPM = 120.0
# A minor, F, C, G: roots in Hz, one bar each.
_ROOTS_HZ = (110.0, 87.31, 130.81, 98.0)
_BEAT_S = 60.0 / TEMPO_BPM
_LEAD_STEPS = (0, 3, 7, 10, 12, 10, 7, 3)


def write_piece(path: Path, *, bars: int = 4, seed: int = 7) -> Path:
    """A WAV file, 16-bit stereo, 44,100 Hz: kick, hat, bass, pad and a singing lead; two seconds a bar.

    The same `bars` and `seed` give the same bytes.
    """
    frames = int(bars * 4 * _BEAT_S * RATE_HZ)
    noise = random.Random(seed)  # noqa: S311 - sound, not secrets
    left, right = array("d", bytes(8 * frames)), array("d", bytes(8 * frames))
    for bar in range(bars):
        root = _ROOTS_HZ[bar % len(_ROOTS_HZ)]
        for beat in range(4):
            start = int((bar * 4 + beat) * _BEAT_S * RATE_HZ)
            _kick(left, right, start)
            _hat(left, right, start + int(_BEAT_S / 2 * RATE_HZ), noise)
            _tone(left, right, start, root, gain=0.22, seconds=_BEAT_S * 0.9, harmonics=3, pan=0.5)
        for step, offset in enumerate(_LEAD_STEPS):
            start = int((bar * 4 + step / 2) * _BEAT_S * RATE_HZ)
            pitch = root * 4 * 2 ** (offset / 12)
            _tone(left, right, start, pitch, gain=0.12, seconds=_BEAT_S * 0.45, harmonics=5, pan=0.5)
        for interval, pan in ((0, 0.2), (7, 0.8)):
            start = int(bar * 4 * _BEAT_S * RATE_HZ)
            pitch = root * 2 * 2 ** (interval / 12)
            _tone(left, right, start, pitch, gain=0.06, seconds=_BEAT_S * 4, harmonics=2, pan=pan)
    samples = array("h", bytes(4 * frames))
    samples[0::2] = array("h", [_to_int16(value) for value in left])
    samples[1::2] = array("h", [_to_int16(value) for value in right])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return path


def _tone(
    left: array[float],
    right: array[float],
    start: int,
    pitch_hz: float,
    *,
    gain: float,
    seconds: float,
    harmonics: int,
    pan: float,
) -> None:
    length = min(int(seconds * RATE_HZ), len(left) - start)
    ramp = RATE_HZ // 100
    to_left, to_right = gain * math.cos(pan * math.pi / 2), gain * math.sin(pan * math.pi / 2)
    step = 2 * math.pi * pitch_hz / RATE_HZ
    weights = [1 / (order * order) for order in range(1, harmonics + 1)]
    for frame in range(length):
        envelope = min(1.0, frame / ramp, (length - frame) / ramp)
        angle = step * frame
        value = envelope * sum(weight * math.sin(angle * order) for order, weight in enumerate(weights, start=1))
        left[start + frame] += to_left * value
        right[start + frame] += to_right * value


def _kick(left: array[float], right: array[float], start: int) -> None:
    length = min(int(0.18 * RATE_HZ), len(left) - start)
    for frame in range(length):
        time_s = frame / RATE_HZ
        value = 0.5 * math.exp(-18 * time_s) * math.sin(2 * math.pi * (48 * time_s + 4 * (1 - math.exp(-30 * time_s))))
        left[start + frame] += value
        right[start + frame] += value


def _hat(left: array[float], right: array[float], start: int, noise: random.Random) -> None:
    length = min(int(0.04 * RATE_HZ), len(left) - start)
    for frame in range(length):
        value = 0.08 * math.exp(-90 * frame / RATE_HZ) * noise.uniform(-1, 1)
        left[start + frame] += value
        right[start + frame] += value * 0.8


def _to_int16(value: float) -> int:
    return int(max(-1.0, min(1.0, value)) * 32_767)


def conversation() -> dict[str, object]:
    """A small conversation with everything that enrichment needs; its document is JSON text."""
    turns = [
        ("user", "My practice sessions fall apart after ten minutes. Is that just how I am?", "doubt", 0.6),
        ("assistant", "That sounds discouraging. Shall we look at what the first ten minutes have?", "empathy", 0.4),
        ("user", "A warm-up I know by heart. After that I do not know what comes next.", "curiosity", 0.45),
        ("assistant", "Then we write down the next two steps before you begin. Would two be enough?", "calm", 0.3),
    ]
    document = {
        "conversation_metadata": {
            "client_persona": "Mira Holt - The Returning Player",
            "session_context": "Mira plays the cello again after eight years and wants a routine that lasts.",
            "conversation_phase": "initial_exploration",
            "expected_outcome": "Agree a plan for one week of practice.",
        },
        "turns": [
            {
                "turn_number": number,
                "role": role,
                "content": content,
                "emotional_context": {"primary_emotion": emotion, "secondary_emotion": "hope", "intensity": intensity},
            }
            for number, (role, content, emotion, intensity) in enumerate(turns, start=1)
        ],
    }
    return {
        "display_name": "Practice that lasts",
        "document": json.dumps(document),
        "document_kind": "RAW",
        "persona": {"key": "returning_player", "display_name": "Mira Holt", "archetype": "The Returning Player"},
        "emotional_arc": {
            "key": "doubt_to_trust",
            "display_name": "Doubt to trust",
            "starting_emotion": "doubt",
            "ending_emotion": "trust",
        },
        "training_topic": {
            "key": "practice_routine",
            "display_name": "Practice routine",
            "complexity_level": "beginner",
        },
        "quality_score": 4.2,
    }
