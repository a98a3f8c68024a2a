"""Files of audio in and out."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from audiofiles.containers import check_container
from audiofiles.raw import decode_to_raw
from services.stems.audio import AudioFiles
from services.stems.audio.encoders import SUFFIXES, open_encoder
from services.stems.audio.stems import StemsClosed
from services.stems.domain import (
    Encoded,
    OutputFormat,
    Recording,
    ScratchFull,
    Selection,
    SeparationChannelsUnsupported,
    SeparationFormatUnsupported,
    SeparationInputDamaged,
    SeparationInputNotFinite,
    SeparationInputTooLong,
    SourceAsset,
    StemSet,
)
from tests.material import audio as material
from tests.material import mpeg4

Float32 = npt.NDArray[np.float32]
NAMES = ("drums", "bass", "other", "vocals")
FULL = 1 - 2.0**-23


def asset_of(file: Path, **facts: object) -> SourceAsset:
    found = soundfile.info(file)
    asset = SourceAsset(
        "artists/a/assets/1",
        "key",
        "audio/wav",
        file.stat().st_size,
        found.frames,
        found.samplerate,
        found.channels,
        "0" * 64,
    )
    return replace(asset, **facts)  # type: ignore[arg-type]


def decode(file: Path, **facts: object) -> tuple[Recording, Float32]:
    mix = AudioFiles().decode(file, file.with_name("mix.f32"), asset_of(file, **facts))
    return mix, read(mix)


def read(recording: Recording) -> Float32:
    return np.fromfile(recording.path, np.float32).reshape(-1, recording.channels)


def kept(tmp_path: Path, frames: Float32, rate_hz: int = 44100) -> Recording:
    frames.astype(np.float32).tofile(tmp_path / "mix.f32")
    return Recording(tmp_path / "mix.f32", rate_hz, frames.shape[1], len(frames))


def write(
    mix: Recording,
    sources: Mapping[str, Float32],
    output_format: OutputFormat = OutputFormat.FLAC_24,
    selection: Selection = Selection(),
) -> Encoded:
    files = AudioFiles().write(mix, selection, output_format, mix.path.parent)
    try:
        for start in range(0, mix.frame_count, 30_000):
            files.add({})
            files.add({name: frames[start : start + 30_000] for name, frames in sources.items()})
        return files.finish()
    finally:
        files.close()


def whole_steps(file: Path) -> npt.NDArray[np.int64]:
    return np.asarray(soundfile.read(file, dtype="int32", always_2d=True)[0] >> 8, np.int64)


def noise(frame_count: int, size: float, seed: int = 1, channels: int = 2) -> Float32:
    return np.random.default_rng(seed).uniform(-size, size, (frame_count, channels)).astype(np.float32)


def of_bits(bits: int, frame_count: int = 70_000, size: float = 0.4) -> Float32:
    return np.asarray(np.rint(noise(frame_count, size, 9) * 2 ** (bits - 1)) / 2 ** (bits - 1), np.float32)


# ---- decoding


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_every_format_decodes_as_the_decoder_gives_it(tmp_path: Path, kind: str) -> None:
    file = material.write(tmp_path / f"in.{kind}", 1.5)

    mix, frames = decode(file)

    assert (mix.rate_hz, mix.channels, mix.frame_count) == (48_000, 2, 72_000)
    assert np.array_equal(frames, soundfile.read(file, dtype="float32")[0])


def test_m4a_decodes_to_the_frames_behind_its_encoders_delay(tmp_path: Path) -> None:
    (tmp_path / "in.m4a").write_bytes(mpeg4.m4a())
    size_bytes = len(mpeg4.m4a())
    asset = SourceAsset("artists/a/assets/1", "key", "audio/mp4", size_bytes, 48_000, 48_000, 2, "0" * 64)

    frames = read(AudioFiles().decode(tmp_path / "in.m4a", tmp_path / "mix.f32", asset))
    given = material.mix(1.0)

    assert frames.shape == given.shape
    errors = [np.std(frames[10:-10] - given[10 + late : len(given) - 10 + late]) for late in (-1, 0, 1)]
    assert min(errors) == errors[1] < 0.06 * np.std(given)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_frame_that_is_no_number_is_named(tmp_path: Path, value: float) -> None:
    frames = noise(400_000, 0.5)
    frames[333_333, 1] = frames[390_000, 0] = value
    soundfile.write(tmp_path / "in.wav", frames, 44100, subtype="FLOAT")

    with pytest.raises(SeparationInputNotFinite, match="frame 333333 is NaN or infinite"):
        decode(tmp_path / "in.wav")


@pytest.mark.parametrize("frame_count", [99, 101])
def test_another_length_than_the_asset_has_is_damage(tmp_path: Path, frame_count: int) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros((100, 2)), 44100)

    with pytest.raises(SeparationInputDamaged, match="100"):
        decode(tmp_path / "in.wav", frame_count=frame_count)


@pytest.mark.parametrize("fact", ["rate_hz", "channels"])
def test_another_rate_or_number_of_channels_than_the_asset_has_is_damage(tmp_path: Path, fact: str) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros((100, 2)), 44100)

    with pytest.raises(SeparationInputDamaged, match=f"with {fact} "):
        decode(tmp_path / "in.wav", **{fact: 1})


def test_text_called_wav_is_damage(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros((100, 2)), 44100)
    asset = asset_of(tmp_path / "in.wav")
    (tmp_path / "in.wav").write_text("not audio at all")

    with pytest.raises(SeparationInputDamaged, match="holds text"):
        AudioFiles().decode(tmp_path / "in.wav", tmp_path / "mix.f32", asset)


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_a_file_cut_off_is_damage_and_says_so(tmp_path: Path, kind: str) -> None:
    file = material.write(tmp_path / f"in.{kind}", 1.5)
    asset = asset_of(file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])

    with pytest.raises(SeparationInputDamaged) as caught:
        AudioFiles().decode(file, tmp_path / "mix.f32", asset)

    assert caught.value.metadata["fault"] == "AUDIO_TRUNCATED"


def test_a_decoder_beyond_its_memory_is_damage(tmp_path: Path) -> None:
    file = material.write(tmp_path / "in.wav", 0.5)

    with pytest.raises(SeparationInputDamaged, match="bounds"):
        AudioFiles(decode_memory_bytes=64 << 20).decode(file, tmp_path / "mix.f32", asset_of(file))


def test_a_decoder_beyond_its_time_is_named(tmp_path: Path) -> None:
    file = material.write(tmp_path / "in.wav", 0.5)

    with pytest.raises(SeparationInputTooLong, match="takes too long"):
        AudioFiles(decode_timeout_s=0).decode(file, tmp_path / "mix.f32", asset_of(file))


# ---- more than two channels


def mixed_down(file: Path) -> Float32:
    found = decode_to_raw(str(file), str(file.with_name("mix.f32")), max_frames=1 << 20)
    assert found["kept_channels"] == 2
    return np.fromfile(file.with_name("mix.f32"), np.float32).reshape(-1, 2)


@pytest.mark.parametrize("kind", ["wav", "flac"])
@pytest.mark.parametrize(
    ("channels", "left"),
    [
        (3, (1, 0, 0.7071)),
        (4, (1, 0, 0.7071, 0)),
        (5, (1, 0, 0.7071, 0.7071, 0)),
        (6, (1, 0, 0.7071, 0, 0.7071, 0)),
        (7, (1, 0, 0.7071, 0, 0.5, 0.7071, 0)),
        (8, (1, 0, 0.7071, 0, 0.7071, 0, 0.7071, 0)),
    ],
)
def test_channels_beyond_two_are_mixed_down(tmp_path: Path, kind: str, channels: int, left: tuple[float, ...]) -> None:
    # One click per channel, so that what each gives can be read off.
    frames = np.zeros((channels * 10, channels), np.float32)
    frames[np.arange(channels) * 10, np.arange(channels)] = 0.5
    soundfile.write(tmp_path / f"in.{kind}", frames, 44100, subtype="PCM_24")

    mixed = mixed_down(tmp_path / f"in.{kind}")

    assert mixed[::10, 0] * 2 == pytest.approx(left, abs=1e-4)
    assert sorted(mixed[::10, 1]) == pytest.approx(sorted(mixed[::10, 0]), abs=1e-6)


def test_the_centre_of_vorbis_is_its_second_channel(tmp_path: Path) -> None:
    tones = np.stack([material.tone(200.0 * (1 + place), 1.0, channels=1)[:, 0] for place in range(6)], axis=1)
    material_bytes = material.encode(tones, format="ogg")
    (tmp_path / "in.ogg").write_bytes(material_bytes)

    mixed = mixed_down(tmp_path / "in.ogg")
    sizes = np.abs(np.fft.rfft(mixed[:48_000], axis=0))[[200, 400, 600, 800, 1000, 1200]] / 12_000

    assert sizes[:, 0] == pytest.approx([1, 0.7071, 0, 0.7071, 0, 0], abs=0.02)
    assert sizes[:, 1] == pytest.approx([0, 0.7071, 1, 0, 0.7071, 0], abs=0.02)


def test_what_goes_beyond_full_scale_in_the_mix_down_stays(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.full((100, 3), 0.9), 44100, subtype="FLOAT")

    assert mixed_down(tmp_path / "in.wav").max() == pytest.approx(0.9 * 1.7071, abs=1e-4)


def test_the_mix_has_two_channels_of_its_six(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", noise(1000, 0.5, channels=6), 44100)

    mix, frames = decode(tmp_path / "in.wav")

    assert (mix.channels, mix.frame_count, frames.shape) == (2, 1000, (1000, 2))


def test_nine_channels_are_too_many(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros((100, 9)), 44100)

    with pytest.raises(SeparationChannelsUnsupported, match="9 channels"):
        decode(tmp_path / "in.wav")


# ---- stems


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("wanted", [(), ("vocals",), ("drums", "vocals")])
def test_flac_stems_and_their_residual_sum_to_the_mix_bit_for_bit(
    tmp_path: Path, bits: int, wanted: tuple[str, ...]
) -> None:
    mix = kept(tmp_path, of_bits(bits))
    sources = {name: noise(70_000, 0.1, seed) for seed, name in enumerate(wanted or NAMES)}
    stem_set = StemSet.SUBSET if wanted else StemSet.ALL

    encoded = write(mix, sources, selection=Selection(stem_set, "", wanted, include_residual=True))
    total = sum(whole_steps(file) for file in encoded.files.values())

    assert list(encoded.files) == [*sources, "residual"]
    assert encoded.gain_db == 0
    assert np.array_equal(total, np.rint(read(mix) * 2.0**23).astype(np.int64))


@pytest.mark.parametrize(("target", "rest"), [("vocals", "instruments"), ("drums", "no_drums")])
def test_the_second_of_two_stems_is_the_exact_rest(tmp_path: Path, target: str, rest: str) -> None:
    mix = kept(tmp_path, of_bits(16))

    encoded = write(mix, {target: noise(70_000, 0.1)}, selection=Selection(StemSet.TWO_STEMS, target))
    total = sum(whole_steps(file) for file in encoded.files.values())

    assert list(encoded.files) == [target, rest]
    assert np.array_equal(total, np.rint(read(mix) * 2.0**23).astype(np.int64))


def test_a_residual_of_floats_is_exact_to_the_rounding_of_floats(tmp_path: Path) -> None:
    mix = kept(tmp_path, noise(70_000, 0.9))
    sources = {name: noise(70_000, 0.2, seed) for seed, name in enumerate(NAMES)}

    encoded = write(mix, sources, OutputFormat.WAV_FLOAT, Selection(include_residual=True))
    total = sum(soundfile.read(file, dtype="float64")[0] for file in encoded.files.values())

    assert np.abs(total - read(mix)).max() <= 2**-23


def test_wav_holds_the_very_floats_and_never_gets_a_gain(tmp_path: Path) -> None:
    frames = noise(70_000, 3.0)

    encoded = write(kept(tmp_path, frames), {"vocals": frames}, OutputFormat.WAV_FLOAT)

    assert encoded.gain_db == 0
    assert np.array_equal(soundfile.read(encoded.files["vocals"], dtype="float32")[0], frames)


def test_one_gain_keeps_all_stems_from_clipping(tmp_path: Path) -> None:
    loud, soft = (np.full((70_000, 1), value, np.float32) for value in (2.0, 0.5))
    loud[:60_000] = 0.25  # found late

    encoded = write(kept(tmp_path, loud + soft), {"drums": loud, "bass": soft})
    written = [float(soundfile.read(file)[0][-1]) for file in encoded.files.values()]

    assert encoded.gain_db == pytest.approx(-6.02, abs=0.01)
    assert written == pytest.approx([1.0, 0.25], abs=1e-5)


def test_stems_with_a_common_gain_still_sum_to_the_mix_with_that_gain(tmp_path: Path) -> None:
    mix = kept(tmp_path, of_bits(24, size=0.9))
    sources = {name: noise(70_000, 1.3, seed) for seed, name in enumerate(NAMES)}

    encoded = write(mix, sources, selection=Selection(include_residual=True))
    total = sum(whole_steps(file) for file in encoded.files.values())
    gained = read(mix).astype(np.float64) * 10 ** (encoded.gain_db / 20) * 2.0**23

    assert encoded.gain_db < 0
    assert all(np.abs(whole_steps(file)).max() < 2**23 - 1 for file in encoded.files.values())
    assert np.abs(total - gained).max() <= 1


def test_the_largest_floats_are_brought_to_full_scale(tmp_path: Path) -> None:
    frames = noise(1000, 1.0) * np.float32(1e37)

    encoded = write(kept(tmp_path, frames), {"vocals": frames})

    assert encoded.gain_db == pytest.approx(-740, abs=1)
    assert soundfile.read(encoded.files["vocals"])[0].max() == pytest.approx(1, abs=1e-3)


def test_a_wav_file_beyond_4_gib_has_sizes_of_64_bits(tmp_path: Path) -> None:
    frame_count = (1 << 29) + 5
    encoder = open_encoder(tmp_path / "long.wav", 44100, 2, frame_count, OutputFormat.WAV_FLOAT)
    encoder.write(noise(1000, 0.5))
    encoder.close()
    with (tmp_path / "long.wav").open("r+b") as file:
        file.truncate(file.seek(0, 2) + (frame_count - 1000) * 8)  # a hole, which takes no room

    with soundfile.SoundFile(tmp_path / "long.wav") as back:
        found = (back.format, back.frames, np.array_equal(back.read(1000, dtype="float32"), noise(1000, 0.5)))

    assert found == ("RF64", frame_count, True)
    assert check_container(tmp_path / "long.wav") == "audio/wav"


@pytest.mark.parametrize("output_format", OutputFormat)
def test_equal_stems_are_equal_files(tmp_path: Path, output_format: OutputFormat) -> None:
    def made(folder: str) -> bytes:
        (tmp_path / folder).mkdir()
        frames = noise(20_000, 0.4)
        return write(kept(tmp_path / folder, frames), {"vocals": frames}, output_format).files["vocals"].read_bytes()

    first = made("first")
    time.sleep(1.1)  # libsndfile writes whole seconds of the time of day into some files

    assert made("second") == first


def test_the_residual_alone_can_call_for_the_gain(tmp_path: Path) -> None:
    mix = kept(tmp_path, np.full((100, 2), 0.75, np.float32))

    encoded = write(mix, {"vocals": np.full((100, 2), -0.5, np.float32)}, selection=Selection(include_residual=True))

    assert encoded.gain_db == pytest.approx(20 * np.log10(1 / 1.25), abs=1e-3)


@pytest.mark.parametrize("rate_hz", [32_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("frame_count", [1, 575, 576, 577, 1151, 1152, 1153, 44_100, 60_001])
def test_mp3_stems_keep_the_number_of_frames(tmp_path: Path, frame_count: int, channels: int, rate_hz: int) -> None:
    tone = material.tone(440.0, 2.0, rate_hz=rate_hz, channels=channels)[:frame_count]

    encoded = write(kept(tmp_path, tone, rate_hz), {"vocals": tone}, OutputFormat.MP3)
    back = soundfile.read(encoded.files["vocals"], dtype="float32", always_2d=True)[0]

    assert check_container(encoded.files["vocals"]) == "audio/mpeg"
    assert back.shape == tone.shape
    assert np.abs(back - tone)[1000:-1000].max(initial=0) < 0.01


def test_mp3_stems_have_320_kbit_per_second(tmp_path: Path) -> None:
    mix = material.mix(3.0, rate_hz=48_000)

    file = write(kept(tmp_path, mix, 48_000), {"vocals": mix}, OutputFormat.MP3).files["vocals"]

    assert file.stat().st_size == pytest.approx(3 * 40_000, rel=0.03)


def test_a_rate_that_mp3_lacks_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(SeparationFormatUnsupported, match="FLAC_24"):
        AudioFiles().write(kept(tmp_path, noise(10, 0.1), 96_000), Selection(), OutputFormat.MP3, tmp_path)


def test_a_stretch_comes_back_as_stems_as_their_files_hold_them(tmp_path: Path) -> None:
    mix = kept(tmp_path, of_bits(16, 1000))
    files = AudioFiles().write(mix, Selection(StemSet.TWO_STEMS, "vocals"), OutputFormat.FLAC_24, tmp_path)

    stems = files.add({"vocals": noise(1000, 0.1)})
    encoded = files.finish()

    assert list(stems) == ["vocals", "instruments"]
    for name, frames in stems.items():
        assert np.array_equal(np.rint(frames * 2.0**23), whole_steps(encoded.files[name]))


def test_closing_halfway_ends_the_threads_and_a_repeat_does_nothing(tmp_path: Path) -> None:
    files = AudioFiles().write(kept(tmp_path, noise(1000, 0.1)), Selection(), OutputFormat.FLAC_24, tmp_path)
    files.add({"vocals": noise(500, 0.1)})

    files.close()
    files.close()


def test_closing_while_another_thread_finishes_ends_that(tmp_path: Path) -> None:
    loud = noise(3_000_000, 1.5)
    files = AudioFiles().write(kept(tmp_path, loud), Selection(), OutputFormat.MP3, tmp_path)
    files.add({"vocals": loud})
    with ThreadPoolExecutor() as threads:
        finishing = threads.submit(files.finish)
        while threading.active_count() < 3:
            time.sleep(0.001)

        files.close()

        with pytest.raises((StemsClosed, ValueError)):
            finishing.result(timeout=10)


@pytest.mark.parametrize("full", ["vocals.flac", "vocals.wav", "vocals.mp3", "vocals.raw"])
def test_a_full_disk_is_told_as_such(tmp_path: Path, full: str) -> None:
    # The device refuses each write as a full disk does.
    (tmp_path / full).symlink_to("/dev/full")
    formats = {suffix: kind for kind, suffix in SUFFIXES.items()}
    mix = kept(tmp_path, noise(500_000, 0.9))

    with pytest.raises(ScratchFull) as caught:
        write(mix, {"vocals": read(mix)}, formats.get(Path(full).suffix, OutputFormat.FLAC_24))

    assert caught.value.retry_after_s


def test_a_disk_that_fills_up_while_a_source_is_decoded_is_told_as_such(tmp_path: Path) -> None:
    file = material.write(tmp_path / "in.wav", 0.5)
    (tmp_path / "mix.f32").symlink_to("/dev/full")

    with pytest.raises(ScratchFull):
        AudioFiles().decode(file, tmp_path / "mix.f32", asset_of(file))


def test_chunks_play_by_themselves(tmp_path: Path) -> None:
    stretch = {name: of_bits(24, 1000) for name in ("vocals", "drums")}

    flac = AudioFiles().encode_chunk(stretch, 44100, OutputFormat.FLAC_24, tmp_path)
    wav = AudioFiles().encode_chunk(stretch, 44100, OutputFormat.WAV_FLOAT, tmp_path)
    for_mp3 = AudioFiles().encode_chunk(stretch, 44100, OutputFormat.MP3, tmp_path)

    assert [path.name for path in (*flac.values(), *wav.values())] == [
        "vocals.flac",
        "drums.flac",
        "vocals.wav",
        "drums.wav",
    ]
    assert [path.suffix for path in for_mp3.values()] == [".flac", ".flac"]
    for path in (*flac.values(), *wav.values()):
        assert np.array_equal(soundfile.read(path, dtype="float32")[0], of_bits(24, 1000))


# ---- memory


def peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("kind", ["wav", "flac", "m4a"])
def test_decoding_takes_no_more_memory_for_more_sound(tmp_path: Path, kind: str) -> None:
    def peak(minutes: int) -> int:
        file = tmp_path / f"{minutes}.{kind}"
        if kind == "m4a":
            stream = mpeg4.units(mpeg4.adts()) * 60 * minutes
            file.write_bytes(mpeg4.M4a(frame_count=len(stream) * 1024, skipped=0).file(stream))
        else:
            soundfile.write(file, np.zeros((minutes * 60 * 22_050, 2), np.int16), 22_050)
        return peak_bytes(lambda: decode_to_raw(str(file), str(tmp_path / "mix.f32"), max_frames=1 << 40))

    first, longer = peak(1), peak(3)

    assert longer < 1.1 * first
    assert longer < 40 << 20


@pytest.mark.parametrize(
    ("output_format", "size"),
    [(OutputFormat.FLAC_24, 0.2), (OutputFormat.FLAC_24, 1.5), (OutputFormat.WAV_FLOAT, 1.5)],
)
def test_writing_takes_no_more_memory_for_more_sound(tmp_path: Path, output_format: OutputFormat, size: float) -> None:
    stretch = noise(65_536, size)

    def peak(count: int) -> int:
        mix = kept(tmp_path, np.tile(stretch, (count, 1)))
        files = AudioFiles().write(mix, Selection(), output_format, tmp_path)

        def work() -> None:
            for _ in range(count):
                files.add({name: stretch.copy() for name in ("drums", "vocals")})
            files.finish()

        return peak_bytes(work)

    first, longer = peak(6), peak(24)

    assert longer < 1.2 * first + (4 << 20)  # the queues may be fuller
