from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from services.sessions.probe.containers import check_container
from services.sessions.probe.decode import measure
from services.sessions.probe.faults import Unfit
from services.sessions.probe.loudness import LoudnessMeter
from tests.material import audio

MEDIA_TYPES = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mp3": "audio/mpeg",
    "aiff": "audio/aiff",
}


def probe(folder: Path, data: bytes, *, max_duration_s: int = 60) -> dict[str, object]:
    file = folder / "audio"
    file.write_bytes(data)
    return {"media_type": check_container(file), **measure(file, folder / "peaks", max_duration_s=max_duration_s)}


def refusal(folder: Path, data: bytes, **options: int) -> Unfit:
    with pytest.raises(Unfit) as caught:
        probe(folder, data, **options)
    return caught.value


@pytest.mark.parametrize("kind", audio.FORMATS)
def test_every_format_is_recognised_and_measured(tmp_path: Path, kind: str) -> None:
    found = probe(tmp_path, audio.encode(audio.mix(1.0), format=kind))

    assert found["media_type"] == MEDIA_TYPES[kind]
    assert (found["frames"], found["rate_hz"], found["channels"]) == (48_000, 48_000, 2)


@pytest.mark.parametrize("kind", audio.FORMATS)
def test_a_file_cut_off_is_refused_as_truncated(tmp_path: Path, kind: str) -> None:
    whole = audio.encode(audio.mix(1.0), format=kind)

    assert refusal(tmp_path, whole[: len(whole) * 2 // 3]).reason == "AUDIO_TRUNCATED"


def test_an_mp3_cut_between_frames_is_refused_by_its_own_count(tmp_path: Path) -> None:
    from services.sessions.probe.mpeg import frame_bytes

    whole = audio.encode(audio.mix(1.0), format="mp3")
    offset = whole.index(b"\xff\xfb")
    for _frame in range(20):
        offset += frame_bytes(whole[offset : offset + 4]) or 0

    assert "promises" in refusal(tmp_path, whole[:offset]).message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"Dear diary, this is no music.\n" * 20, "holds text"),
        ("Füße und Straßen sind Text\n".encode(), "holds text"),
        (b"", "is empty"),
        (b"PK\x03\x04" + bytes(60), "zip"),
        (b"\x1f\x8b\x08" + bytes(60), "gzip"),
        (bytes(4) + b"ftypM4A " + bytes(60), "MPEG-4"),
        (bytes(range(256)), "no known audio format"),
    ],
)
def test_bytes_that_are_no_audio_are_named(tmp_path: Path, data: bytes, words: str) -> None:
    fault = refusal(tmp_path, data)

    assert fault.reason == "UNSUPPORTED_MEDIA"
    assert words in fault.message


def test_a_wav_header_without_sound_is_unreadable(tmp_path: Path) -> None:
    assert refusal(tmp_path, audio.encode(audio.silence(0.0))).reason == "AUDIO_UNREADABLE"


def test_samples_that_are_no_numbers_are_unreadable(tmp_path: Path) -> None:
    samples = audio.mix(0.2)
    samples[100] = np.nan

    assert refusal(tmp_path, audio.encode(samples, subtype="FLOAT")).reason == "AUDIO_UNREADABLE"


def test_a_recording_over_the_limit_is_refused_with_both_lengths(tmp_path: Path) -> None:
    fault = refusal(tmp_path, audio.wav(3.0), max_duration_s=2)

    assert (fault.reason, fault.facts) == ("AUDIO_TOO_LONG", {"duration_s": "3", "limit_s": "2"})


def test_equal_sound_in_two_lossless_files_has_one_pcm_hash(tmp_path: Path) -> None:
    samples = audio.mix(0.5)
    as_wav, as_aiff = (probe(tmp_path, audio.encode(samples, format=kind)) for kind in ("wav", "aiff"))
    at_another_rate = probe(tmp_path, audio.encode(samples, rate_hz=44_100))

    assert as_wav["pcm_sha256"] == as_aiff["pcm_sha256"] != at_another_rate["pcm_sha256"]


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
def test_a_stereo_sine_of_minus_20_dbfs_has_minus_20_lufs(tmp_path: Path, rate_hz: int) -> None:
    sine = audio.tone(997.0, 3.0, gain=0.1, rate_hz=rate_hz)

    found = probe(tmp_path, audio.encode(sine, rate_hz=rate_hz, subtype="PCM_24"))

    assert found["loudness_lufs"] == pytest.approx(-20.0, abs=0.05)
    assert found["peak"] == pytest.approx(0.1, abs=1e-3)


def test_silence_has_no_loudness(tmp_path: Path) -> None:
    assert probe(tmp_path, audio.encode(audio.silence(1.0)))["loudness_lufs"] is None


def test_the_gate_leaves_long_quiet_parts_out() -> None:
    meter = LoudnessMeter(48_000, 2)
    meter.feed(audio.tone(gain=0.1, duration_s=5.0))
    meter.feed(audio.tone(gain=0.001, duration_s=20.0))

    # Blocks that overlap the edge pass the relative gate with less energy.
    assert meter.integrated_lufs() == pytest.approx(-20.0, abs=0.3)


def test_loudness_does_not_depend_on_the_size_of_the_pieces() -> None:
    samples = audio.mix(2.0)
    at_once, in_pieces = LoudnessMeter(48_000, 2), LoudnessMeter(48_000, 2)
    at_once.feed(samples)
    for start in range(0, len(samples), 7_001):
        in_pieces.feed(samples[start : start + 7_001])

    assert in_pieces.integrated_lufs() == pytest.approx(at_once.integrated_lufs(), abs=1e-9)


def test_peaks_hold_extremes_per_bucket_at_both_levels(tmp_path: Path) -> None:
    samples = np.zeros((20_000, 2), dtype=np.float32)
    samples[600, 0], samples[9_000, 1] = 1.0, -0.5

    probe(tmp_path, audio.encode(samples, subtype="FLOAT"))
    peaks = np.frombuffer((tmp_path / "peaks").read_bytes(), dtype=np.int8).reshape(-1, 2)
    fine, coarse = peaks[:40], peaks[40:]

    assert (fine[1].tolist(), fine[9_000 // 512].tolist(), fine[0].tolist()) == ([0, 127], [-64, 0], [0, 0])
    assert coarse.tolist() == [[0, 127], [-64, 0], [0, 0]]


def test_long_recordings_are_measured_in_blocks(tmp_path: Path) -> None:
    found = probe(tmp_path, audio.encode(audio.silence(7.0, channels=1), subtype="PCM_U8"))

    assert found["frames"] == 336_000
    assert (tmp_path / "peaks").stat().st_size == 2 * (657 + 42)
