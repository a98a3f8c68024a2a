"""What is heard in recordings of which everything is known."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiofiles.listening import LISTEN_RATE_HZ, Ear
from services.sessions.probe.analysis import Listener
from services.sessions.probe.decode import measure_file
from services.sessions.probe.key import Chroma, key_of
from services.sessions.probe.prober import Bounds, ChildProber
from services.sessions.probe.tempo import Onsets, tempo_of
from tests.material import audio, loops
from tests.material.loops import LOOPS, NAMES, RATE_HZ, STEADY, Float32, cadence, loop, steady


def tempo(sound: Float32, rate_hz: int = RATE_HZ) -> tuple[float, float]:
    ear, onsets = Ear(rate_hz), Onsets()
    for start in range(0, len(sound), 65_536):
        onsets.feed(ear.hear(sound[start : start + 65_536]))
    onsets.feed(ear.end())
    return tempo_of(onsets.curve())


def key(sound: Float32, rate_hz: int = RATE_HZ) -> tuple[str, float]:
    ear, chroma = Ear(rate_hz), Chroma()
    chroma.feed(ear.hear(sound))
    chroma.feed(ear.end())
    chroma.end()
    return key_of(chroma)


def heard(folder: Path, samples: Any, rate_hz: int = 44_100, subtype: str = "FLOAT", format: str = "wav") -> Any:
    file = folder / "take"
    file.write_bytes(audio.encode(samples.astype(np.float32), rate_hz=rate_hz, format=format, subtype=subtype))
    return measure_file(str(file), str(folder / "peaks"), max_duration_s=900)["analysis"]


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("bpm", [60, 87.5, 120, 151, 180])
def test_the_tempo_of_a_loop_is_right_within_two_percent_and_sure(kind: str, bpm: float) -> None:
    found, confidence = tempo(loop(kind, bpm))

    assert found == pytest.approx(bpm, rel=0.02)
    assert confidence >= 0.5


@pytest.mark.parametrize("kind", STEADY)
def test_what_has_no_beat_has_no_sure_tempo(kind: str) -> None:
    _found, confidence = tempo(steady(kind))

    assert confidence < 0.3


def test_the_tempo_does_not_depend_on_the_level() -> None:
    assert tempo(loop("rock", 97) * np.float32(0.02)) == tempo(loop("rock", 97))


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_the_key_of_a_cadence_is_right_in_any_tuning(tonic: int, mode: str) -> None:
    for cents in (0.0, 30.0):
        found, confidence = key(cadence(tonic, mode, cents=cents))

        assert found == f"{NAMES[tonic]} {mode}"
        assert confidence >= 0.5


@pytest.mark.parametrize("kind", ["noise", "silence", "sine"])
def test_what_has_no_key_has_no_sure_key(kind: str) -> None:
    assert key(steady(kind))[1] < 0.3


@pytest.mark.parametrize("rate_hz", [4000, 8000, 32_000, 44_100, 48_000, 44_101, 96_000, 768_000])
def test_every_rate_is_heard_alike(rate_hz: int) -> None:
    sound = audio.tone(700, 3.3, rate_hz=rate_hz, channels=1)
    ear = Ear(rate_hz)
    pieces = [ear.hear(sound[start : start + 50_000]) for start in range(0, len(sound), 50_000)]

    lower = np.concatenate([*pieces, ear.end()])

    assert len(lower) == len(sound) * LISTEN_RATE_HZ // rate_hz
    expected = audio.tone(700, 3.3, rate_hz=LISTEN_RATE_HZ, channels=1)[: len(lower), 0]
    assert np.abs(lower - expected)[600:-600].max() < 1e-5


def test_an_upload_is_heard_as_a_whole(tmp_path: Path) -> None:
    found = heard(tmp_path, audio.mix(12.0), 48_000)

    assert found["tempo_bpm"] == pytest.approx(audio.TEMPO_BPM, rel=0.02)
    assert (found["key"], found["clipped_share"], found["silent_share"]) == ("A minor", 0.0, 0.0)
    assert min(found["tempo_confidence"], found["key_confidence"]) >= 0.5
    assert len(base64.b64decode(found["fingerprint"])) % 4 == 0


def test_frames_at_full_scale_are_clipped_from_three_in_a_row(tmp_path: Path) -> None:
    samples = audio.tone(100, 10.0, rate_hz=44_100, gain=0.5)
    samples[1000:1002, 0] = 1.0  # two are no clipping
    samples[5000:5003, 1] = -1.0
    samples[131_070:131_074, 0] = 1.0  # across the blocks that are read

    found = heard(tmp_path, samples)

    assert found["clipped_share"] == pytest.approx(7 / 441_000)


@pytest.mark.parametrize("block", [1, 2, 3, 7, 4096])
def test_clipping_is_counted_the_same_in_any_blocks(block: int) -> None:
    samples = np.zeros((4096, 2), np.float32)
    for start, length, channel in ((0, 5, 0), (10, 2, 0), (20, 3, 1), (21, 9, 0), (4090, 6, 1)):
        samples[start : start + length, channel] = 1.0
    listener = Listener(8000, 2)

    for start in range(0, len(samples), block):
        part = samples[start : start + block]
        edges = np.arange(0, len(part), 512)
        buckets = np.stack((np.minimum.reduceat(part.min(1), edges), np.maximum.reduceat(part.max(1), edges)), axis=1)
        listener.feed(part, buckets)

    assert listener.heard()["clipped_share"] == (5 + 10 + 6) / 4096


def test_silence_is_told_as_a_share_of_the_length(tmp_path: Path) -> None:
    samples = np.concatenate((audio.tone(300, 6.0, rate_hz=44_100), audio.silence(4.0, rate_hz=44_100)))
    samples[300_000:] += 0.0005  # below -60 dBFS is silent, too

    found = heard(tmp_path, samples)

    assert found["silent_share"] == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize(
    ("frames", "rate_hz", "channels"),
    [(1, 44_100, 1), (2, 8000, 2), (511, 4000, 1), (5000, 384_000, 8), (99, 44_101, 64)],
)
def test_the_shortest_and_strangest_files_are_heard(tmp_path: Path, frames: int, rate_hz: int, channels: int) -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, (frames, channels))

    found = heard(tmp_path, samples, rate_hz)

    assert (found["tempo_bpm"], found["tempo_confidence"]) == (0.0, 0.0)


def test_a_fault_in_hearing_fails_no_upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr("services.sessions.probe.analysis.tempo_of", broken)
    assert heard(tmp_path, audio.mix(1.0)) is None

    monkeypatch.setattr("services.sessions.probe.analysis.Ear.hear", broken)
    assert heard(tmp_path, audio.mix(1.0)) is None


def test_ten_minutes_are_heard_and_no_more(tmp_path: Path) -> None:
    samples = np.concatenate(
        (audio.silence(601.0, rate_hz=4000, channels=1), audio.tone(300, 60, rate_hz=4000, channels=1))
    )

    found = heard(tmp_path, samples, 4000)

    assert (found["silent_share"], found["tempo_bpm"], found["key"]) == (1.0, 0.0, "")


def test_the_process_that_measures_hears_too(tmp_path: Path) -> None:
    (tmp_path / "take").write_bytes(audio.encode(loops.loop("drums and bass", 96, 12.0), rate_hz=RATE_HZ))

    found = ChildProber(Bounds(memory_bytes=1 << 30)).measure(tmp_path / "take", tmp_path / "peaks").analysis

    assert found is not None
    assert found.tempo_bpm == pytest.approx(96, rel=0.02)
    assert 4 * 8 * 11 <= len(found.fingerprint) <= 4 * 8 * 12
