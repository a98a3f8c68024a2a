"""Recordings and Live Sets of one artist, for tests through the API."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from tests.material import audio
from tests.material.live_set import live_set_bytes, small_plan
from tonewright_client import ArtistHandle


def song(seed: int, *, duration_s: float = 6.0, rate_hz: int = 44_100) -> npt.NDArray[np.float32]:
    """Notes of a melody that the seed chooses, with noise like hi-hats; shape (frames, 2), float32."""
    choice = np.random.default_rng(seed)
    steps = round(duration_s * 4)
    note_s = np.arange(rate_hz // 4) / rate_hz
    notes = []
    for _ in range(steps):
        pitch_hz = 110.0 * 2 ** (int(choice.integers(0, 37)) / 12)
        tones = sum(np.sin(2 * np.pi * pitch_hz * part * note_s) / part for part in (1, 2, 3, 5))
        hiss = choice.standard_normal(len(note_s)) * np.exp(-note_s * 60)
        notes.append(0.2 * tones * np.exp(-note_s * 5) + 0.05 * hiss)
    wave = np.concatenate(notes)
    return np.stack([wave, wave], axis=1).astype(np.float32)


def as_flac(wav: bytes) -> bytes:
    """The same frames in another wrapping."""
    frames, rate_hz = soundfile.read(io.BytesIO(wav), dtype="int16")
    out = io.BytesIO()
    soundfile.write(out, frames, rate_hz, format="FLAC", subtype="PCM_16")
    return out.getvalue()


class Studio:
    """What an artist brings along."""

    def __init__(self, artist: ArtistHandle, folder: Path) -> None:
        self.artist, self._folder = artist, folder

    def recording(self, seed: int, *, duration_s: float = 6.0) -> str:
        """Name of a new asset; other seeds sound different."""
        return self.upload(f"take-{seed}.wav", audio.encode(song(seed, duration_s=duration_s)))

    def upload(self, file_name: str, data: bytes) -> str:
        """Name of the asset of these bytes."""
        path = self._folder / file_name
        path.write_bytes(data)
        return self.artist.assets.upload(path)["name"]

    def live_set(self, title: str, tempo_bpm: float) -> str:
        """Name of a new Live Set."""
        path = self._folder / f"{title}.als"
        path.write_bytes(live_set_bytes(small_plan(tempo_bpm)))
        return self.artist.live_sets.upload(path)["name"]
