"""Fingerprints of music: the same after a new encoding, other for other music."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable

import numpy as np
import pytest
import soundfile as sf
import soxr

from audiofiles.fingerprint import ALIKE, fingerprint, likeness
from audiofiles.listening import Ear
from tests.material import audio
from tests.material.loops import RATE_HZ, Float32, song, steady

SEEDS = range(4)


def mark(sound: Float32, rate_hz: int = RATE_HZ) -> bytes:
    ear = Ear(rate_hz)
    return fingerprint(np.concatenate((ear.hear(sound), ear.end())))


def encoded(sound: Float32, format: str, rate: float | None = None) -> tuple[Float32, int]:
    buffer = io.BytesIO()
    kind = {"mp3": ("MP3", "MPEG_LAYER_III"), "ogg": ("OGG", "VORBIS")}[format]
    level = {} if rate is None else {"compression_level": rate, "bitrate_mode": "CONSTANT"}
    with sf.SoundFile(buffer, "w", RATE_HZ, 1, format=kind[0], subtype=kind[1], **level) as file:
        for start in range(0, len(sound), 16_384):
            file.write(sound[start : start + 16_384])
    buffer.seek(0)
    frames, rate_hz = sf.read(buffer, dtype="float32", always_2d=True)
    return np.asarray(frames, np.float32), int(rate_hz)


COPIES: dict[str, Callable[[Float32], tuple[Float32, int]]] = {
    "mp3, high rate": lambda sound: encoded(sound, "mp3", 0.0),
    "mp3, low rate": lambda sound: encoded(sound, "mp3", 0.8),
    "ogg": lambda sound: encoded(sound, "ogg"),
    "20 dB less": lambda sound: (sound * np.float32(0.1), RATE_HZ),
    "clipped": lambda sound: (np.clip(sound * 2, -1, 1), RATE_HZ),
    "48 kHz": lambda sound: (soxr.resample(sound, RATE_HZ, 48_000), 48_000),
    "16 kHz": lambda sound: (soxr.resample(sound, RATE_HZ, 16_000), 16_000),
    "3 s later": lambda sound: (sound[round(3.03 * RATE_HZ) :], RATE_HZ),
    "silence before": lambda sound: (np.concatenate((np.zeros((RATE_HZ, 1), np.float32), sound)), RATE_HZ),
}


@pytest.fixture(scope="module")
def songs() -> dict[int, Float32]:
    return {seed: song(seed) for seed in SEEDS}


@pytest.fixture(scope="module")
def marks(songs: dict[int, Float32]) -> dict[int, bytes]:
    return {seed: mark(sound) for seed, sound in songs.items()}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_known(copy: str, songs: dict[int, Float32], marks: dict[int, bytes]) -> None:
    found = [likeness(marks[seed], mark(*COPIES[copy](songs[seed]))) for seed in SEEDS]

    assert min(found) >= 0.85 > ALIKE


def test_other_music_is_not_alike(marks: dict[int, bytes]) -> None:
    found = [likeness(one, other) for one, other in itertools.combinations(marks.values(), 2)]

    assert max(found) <= 0.65 < ALIKE


def test_likeness_has_no_order_and_is_one_for_itself(marks: dict[int, bytes]) -> None:
    assert likeness(marks[0], marks[0]) == 1.0
    assert likeness(marks[0], marks[1]) == likeness(marks[1], marks[0])


def test_steady_sound_and_silence_are_like_nothing_for_sure(marks: dict[int, bytes]) -> None:
    sine, silence = mark(steady("sine")), mark(steady("silence"))

    assert likeness(sine, sine) <= 0.5
    assert likeness(silence, silence) == 0.0
    assert max(likeness(one, marks[0]) for one in (sine, silence)) < ALIKE


@pytest.mark.parametrize("broken", [b"", b"abc", bytes(40), b"\x01\x02\x03\x04\x05"])
def test_what_is_too_short_or_no_fingerprint_is_like_nothing(broken: bytes, marks: dict[int, bytes]) -> None:
    assert likeness(broken, marks[0]) == likeness(marks[0], broken) == 0.0


def test_a_fingerprint_has_eight_words_a_second_of_two_minutes_at_most() -> None:
    short, long = mark(audio.mix(10.0, rate_hz=RATE_HZ)), mark(np.tile(song(1), (7, 1)))

    assert 4 * 8 * 9 <= len(short) <= 4 * 8 * 10
    assert len(long) == 4 * 8 * 120
