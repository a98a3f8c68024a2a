"""A little piece of music and files of it, the same on each run, for tests, benches and the demo.

The piece has a kick, a bass, a held chord and a lead that sings, so that separation, loudness and peaks have something
to find.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile as sf

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

RATE_HZ = 48_000
TEMPO_BPM = 120.0
FORMATS = ("wav", "flac", "ogg", "mp3", "aiff")
# One chord per bar of two seconds: A minor, F, C, G (Hz of root, third, fifth).
_CHORDS = ((220.0, 261.63, 329.63), (174.61, 220.0, 261.63), (261.63, 329.63, 392.0), (196.0, 246.94, 293.66))
_MELODY = (440.0, 523.25, 659.25, 587.33, 523.25, 440.0, 392.0, 440.0)


@dataclass(frozen=True, slots=True)
class Piece:
    """The piece as its four parts; each of shape (frames, 2), float32, full scale is 1.0."""

    kick: Float32
    bass: Float32
    chord: Float32
    lead: Float32
    rate_hz: int

    @property
    def mix(self) -> Float32:
        """All parts together, shape (frames, 2), float32, below full scale."""
        return (self.kick + self.bass + self.chord + self.lead).astype(np.float32)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.kick) / self.rate_hz


def piece(duration_s: float = 6.0, *, rate_hz: int = RATE_HZ, seed: int = 7) -> Piece:
    """The piece at 120 beats per minute; another seed gives another breath of noise on the lead, nothing else."""
    frames = round(duration_s * rate_hz)
    time_s = np.arange(frames, dtype=np.float64) / rate_hz
    noise = np.random.default_rng(seed).standard_normal(frames)
    return Piece(
        kick=_stereo(_kick(time_s), pan=0.5),
        bass=_stereo(_bass(time_s), pan=0.5),
        chord=_stereo(_chord(time_s), pan=0.35),
        lead=_stereo(_lead(time_s, noise), pan=0.6),
        rate_hz=rate_hz,
    )


def mix(duration_s: float = 6.0, *, rate_hz: int = RATE_HZ, channels: int = 2, seed: int = 7) -> Float32:
    """The mixed piece, shape (frames, channels), float32."""
    whole = piece(duration_s, rate_hz=rate_hz, seed=seed).mix
    return whole if channels == 2 else np.repeat(whole.mean(axis=1, keepdims=True), channels, axis=1).astype(np.float32)


def tone(
    frequency_hz: float = 997.0,
    duration_s: float = 5.0,
    *,
    gain: float = 0.5,
    rate_hz: int = RATE_HZ,
    channels: int = 2,
) -> Float32:
    """A steady sine, shape (frames, channels), float32; 997 Hz is what loudness meters are aligned with."""
    time_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    wave = gain * np.sin(2 * np.pi * frequency_hz * time_s)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def silence(duration_s: float = 1.0, *, rate_hz: int = RATE_HZ, channels: int = 2) -> Float32:
    """Silence, shape (frames, channels), float32."""
    return np.zeros((round(duration_s * rate_hz), channels), dtype=np.float32)


def encode(samples: Float32, *, rate_hz: int = RATE_HZ, format: str = "wav", subtype: str | None = None) -> bytes:
    """The samples as the bytes of a file in one of FORMATS; 16 bits unless `subtype` says otherwise.

    Equal samples give equal bytes, but for Ogg, whose stream gets a new serial number on each call.
    """
    buffer = io.BytesIO()
    kind = {"wav": "WAV", "flac": "FLAC", "ogg": "OGG", "mp3": "MP3", "aiff": "AIFF"}[format]
    default = {"wav": "PCM_16", "flac": "PCM_16", "ogg": "VORBIS", "mp3": "MPEG_LAYER_III", "aiff": "PCM_16"}[format]
    with sf.SoundFile(buffer, "w", rate_hz, samples.shape[1], subtype=subtype or default, format=kind) as file:
        # libsndfile's Vorbis encoder runs out of stack on one long write.
        for start in range(0, len(samples), 16_384):
            file.write(samples[start : start + 16_384])
    return buffer.getvalue()


def wav(duration_s: float = 4.0, *, rate_hz: int = RATE_HZ, channels: int = 2, seed: int = 7) -> bytes:
    """The mixed piece as a 16-bit WAV file."""
    return encode(mix(duration_s, rate_hz=rate_hz, channels=channels, seed=seed), rate_hz=rate_hz)


def write(path: Path, duration_s: float = 6.0, *, rate_hz: int = RATE_HZ, seed: int = 7) -> Path:
    """Write the mixed piece in the format of the path's ending; gives the path back."""
    samples = mix(duration_s, rate_hz=rate_hz, seed=seed)
    path.write_bytes(encode(samples, rate_hz=rate_hz, format=path.suffix.removeprefix(".")))
    return path


def _kick(time_s: Float64) -> Float64:
    beat = time_s % (60 / TEMPO_BPM)
    sweep = 2 * np.pi * (50 * beat + 90 / 30 * (1 - np.exp(-30 * beat)))
    return np.asarray(0.35 * np.sin(sweep) * np.exp(-12 * beat))


def _bass(time_s: Float64) -> Float64:
    root = np.take([chord[0] / 4 for chord in _CHORDS], (time_s // 2).astype(int) % len(_CHORDS))
    eighth = time_s % 0.25
    return 0.16 * np.sin(2 * np.pi * root * (time_s % 2)) * np.exp(-4 * eighth) * np.minimum(1, eighth * 200)


def _chord(time_s: Float64) -> Float64:
    bar = (time_s // 2).astype(int) % len(_CHORDS)
    envelope = np.minimum(1, (time_s % 2) * 20) * np.minimum(1, (2 - time_s % 2) * 20)
    notes = np.take(_CHORDS, bar, axis=0)
    return np.asarray(0.05 * envelope * np.sin(2 * np.pi * notes * time_s[:, None]).sum(axis=1))


def _lead(time_s: Float64, noise: Float64) -> Float64:
    note = np.take(_MELODY, (time_s // 0.5).astype(int) % len(_MELODY))
    inside = time_s % 0.5
    phase = 2 * np.pi * note * inside + 0.6 * np.sin(2 * np.pi * 5.5 * time_s)
    sung = sum(level * np.sin(harmonic * phase) for harmonic, level in ((1, 1.0), (2, 0.6), (3, 0.35), (4, 0.1)))
    envelope = np.minimum(1, inside * 40) * np.minimum(1, (0.5 - inside) * 40)
    return np.asarray((0.09 * sung + 0.004 * noise) * envelope)


def _stereo(wave: Float64, *, pan: float) -> Float32:
    """Place a part between left (0) and right (1) with constant power."""
    sides = np.array([np.cos(pan * np.pi / 2), np.sin(pan * np.pi / 2)])
    return np.asarray(wave[:, None] * sides * np.sqrt(2), dtype=np.float32)
