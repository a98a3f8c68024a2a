"""Files of audio in and out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from services.stems.audio import AudioFiles
from services.stems.domain import (
    OutputFormat,
    Recording,
    Selection,
    SeparationInputDamaged,
    SourceAsset,
    StemSet,
)

Float32 = npt.NDArray[np.float32]


def read(recording: Recording) -> Float32:
    return np.fromfile(recording.path, np.float32).reshape(-1, recording.channels)


def kept(tmp_path: Path, name: str, frames: Float32) -> Recording:
    frames.astype(np.float32).tofile(tmp_path / name)
    return Recording(tmp_path / name, 44100, frames.shape[1], len(frames))


def asset_of(file: Path, frame_count: int, channels: int = 2) -> SourceAsset:
    size = file.stat().st_size
    return SourceAsset("artists/a/assets/1", "key", "audio/wav", size, frame_count, 44100, channels, "0" * 64)


def test_decoding_replaces_what_is_not_a_number(tmp_path: Path) -> None:
    frames = np.array([[0.5, np.nan], [np.inf, -0.25], [-np.inf, 1.0]], np.float32)
    soundfile.write(tmp_path / "in.wav", frames, 44100, subtype="FLOAT")

    mix = AudioFiles().decode(tmp_path / "in.wav", tmp_path / "mix.f32", asset_of(tmp_path / "in.wav", 3))

    assert read(mix).tolist() == [[0.5, 0.0], [0.0, -0.25], [0.0, 1.0]]


@pytest.mark.parametrize("frame_count", [99, 101])
def test_another_length_than_the_asset_has_is_damage(tmp_path: Path, frame_count: int) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros((100, 2)), 44100)

    with pytest.raises(SeparationInputDamaged, match="frames"):
        AudioFiles().decode(tmp_path / "in.wav", tmp_path / "mix.f32", asset_of(tmp_path / "in.wav", frame_count))


def test_text_called_wav_is_damage(tmp_path: Path) -> None:
    (tmp_path / "in.wav").write_text("not audio at all")

    with pytest.raises(SeparationInputDamaged, match="does not decode"):
        AudioFiles().decode(tmp_path / "in.wav", tmp_path / "mix.f32", asset_of(tmp_path / "in.wav", 3))


def test_the_second_of_two_stems_is_the_rest(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    whole, voice = (rng.standard_normal((70_000, 2)).astype(np.float32) * 0.1 for _ in range(2))
    mix, vocals = kept(tmp_path, "mix.f32", whole), kept(tmp_path, "vocals.f32", voice)

    stems = AudioFiles().select(
        mix, {"vocals": vocals, "drums": vocals}, Selection(StemSet.TWO_STEMS, "vocals"), tmp_path
    )

    assert list(stems) == ["vocals", "instruments"]
    assert np.abs(read(stems["vocals"]) + read(stems["instruments"]) - whole).max() <= 1e-6


def test_encoded_stems_still_sum_to_the_mix(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    parts = [rng.uniform(-0.2, 0.2, (70_000, 2)).astype(np.float32) for _ in range(4)]
    audio = AudioFiles()

    for index, part in enumerate(parts):
        stem = kept(tmp_path, f"{index}.f32", part)
        audio.encode(stem, tmp_path / f"{index}.flac", OutputFormat.FLAC_24, audio.common_gain_db([stem]))
    total = sum(soundfile.read(tmp_path / f"{index}.flac", dtype="float64")[0] for index in range(4))

    assert np.abs(total - sum(part.astype(np.float64) for part in parts)).max() <= 1e-6


def test_one_gain_keeps_all_stems_from_clipping(tmp_path: Path) -> None:
    loud, soft = (np.full((10, 1), value, np.float32) for value in (2.0, 0.5))
    stems = [kept(tmp_path, "loud.f32", loud), kept(tmp_path, "soft.f32", soft)]
    audio = AudioFiles()

    gain_db = audio.common_gain_db(stems)
    for stem in stems:
        audio.encode(stem, stem.path.with_suffix(".flac"), OutputFormat.FLAC_24, gain_db)
    written = [float(soundfile.read(stem.path.with_suffix(".flac"))[0][0]) for stem in stems]

    assert gain_db == pytest.approx(-6.02, abs=0.01)
    assert written == pytest.approx([1.0, 0.25], abs=1e-6)


def test_float_output_is_exact(tmp_path: Path) -> None:
    frames = np.random.default_rng(3).uniform(-1, 1, (1000, 2)).astype(np.float32)

    AudioFiles().encode(kept(tmp_path, "x.f32", frames), tmp_path / "x.wav", OutputFormat.WAV_FLOAT, 0.0)

    assert np.array_equal(soundfile.read(tmp_path / "x.wav", dtype="float32")[0], frames)
