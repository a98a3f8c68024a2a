"""Plain music from words: a pulse at the prompt's tempo, a bass and a pad in a key drawn from seed and words."""

from __future__ import annotations

import hashlib
import io
import re
import wave
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 32_000
_TEMPO = re.compile(r"\bBPM:? ?(\d{2,3}(?:\.\d+)?)|\b(\d{2,3}(?:\.\d+)?) ?bpm\b", re.IGNORECASE)
_SCALE = (0, 3, 5, 7, 10)
_PROGRESSION = (0, 5, 3, 7)
Signal = NDArray[np.float64]


def tempo_of(prompt: str, otherwise: float = 100.0) -> float:
    """The tempo that the words ask for, 40 to 240 beats per minute."""
    found = _TEMPO.search(prompt)
    return min(240.0, max(40.0, float(found[1] or found[2]) if found else otherwise))


def render_wav(prompt: str, *, duration_s: float, seed: int, tempo_bpm: float) -> bytes:
    """A stereo WAV file, 16 bits, 32 kHz: equal for equal words, length, seed and tempo."""
    draw = np.random.default_rng(int.from_bytes(hashlib.sha256(f"{seed}|{prompt}".encode()).digest()[:8]))
    frames, beat_s = round(duration_s * RATE_HZ), 60.0 / tempo_bpm
    root_hz = 55.0 * 2.0 ** (int(draw.integers(0, 12)) / 12)
    mono = np.zeros(frames)
    for beat in range(int(duration_s / beat_s) + 1):
        chord = _PROGRESSION[beat // 4 % 4]
        _add(mono, beat * beat_s, _kick(), 0.8)
        _add(mono, (beat + 0.5) * beat_s, _hat(draw), 0.2)
        bass = root_hz * 2.0 ** ((chord + _SCALE[int(draw.integers(0, 5))]) / 12)
        _add(mono, beat * beat_s, _tone(bass, beat_s * 0.9, 6.0), 0.35)
        if beat % 4 == 0:
            for step in (0, 3, 7):
                _add(mono, beat * beat_s, _tone(root_hz * 4 * 2.0 ** ((chord + step) / 12), beat_s * 4, 0.8), 0.12)
    peak = max(1e-9, float(np.abs(mono).max(initial=0.0)))
    width = np.roll(mono, RATE_HZ // 100)
    stereo = np.stack([mono * 0.9 + width * 0.1, mono * 0.9 - width * 0.1], axis=1) * (0.8 / peak)
    return _wav(stereo)


def _add(mono: Signal, at_s: float, sound: Signal, gain: float) -> None:
    start = round(at_s * RATE_HZ)
    room = len(mono) - start
    if room > 0:
        mono[start : start + len(sound)] += gain * sound[:room]


def _times(seconds: float) -> Signal:
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


def _kick() -> Signal:
    t = _times(0.25)
    sound: Signal = np.sin(2 * np.pi * (50 * t + 4 * (1 - np.exp(-30 * t)))) * np.exp(-14 * t)
    return sound


def _hat(draw: Any) -> Signal:
    t = _times(0.05)
    noise: Signal = draw.standard_normal(len(t)) * np.exp(-90 * t)
    return noise


def _tone(hz: float, seconds: float, decay: float) -> Signal:
    t = _times(seconds)
    fade = np.minimum(1.0, np.minimum(t, seconds - t) * 100)
    sound: Signal = (np.sin(2 * np.pi * hz * t) + 0.3 * np.sin(4 * np.pi * hz * t)) * np.exp(-decay * t) * fade
    return sound


def _wav(stereo: Signal) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes((np.clip(stereo, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()
