from __future__ import annotations

from pathlib import Path
from typing import cast

import lameenc
import numpy as np
import pytest

from audiofiles.faults import Unfit
from audiofiles.loudness import LoudnessMeter
from audiofiles.mpeg import frame_bytes
from services.sessions.probe.decode import measure_file
from tests.material import audio, mpeg4

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
    return measure_file(str(file), str(folder / "peaks"), max_duration_s=max_duration_s)


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


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_page_that_is_missing_or_changed_is_refused(tmp_path: Path, subtype: str) -> None:
    whole = audio.encode(audio.mix(3.0), format="ogg", subtype=subtype)
    pages = [place for place in range(len(whole)) if whole.startswith(b"OggS", place)]
    third, fourth = pages[2:4]
    changed = bytearray(whole)
    changed[third + 200] ^= 1

    assert refusal(tmp_path, whole[:third] + whole[fourth:]).reason == "AUDIO_TRUNCATED"
    assert f"byte {third} is damaged" in refusal(tmp_path, bytes(changed)).message


def test_a_tag_behind_an_ogg_stream_is_no_damage(tmp_path: Path) -> None:
    assert probe(tmp_path, audio.encode(audio.mix(0.5), format="ogg") + b"TAG" + bytes(125))["frames"] == 24_000


@pytest.mark.parametrize("rate_kbits", [8, 128, 0])
def test_an_mp3_that_does_not_count_its_frames_is_read_to_its_end(tmp_path: Path, rate_kbits: int) -> None:
    # Loud, then silent: with a variable rate a decoder takes the file for a fifth of its length.
    frames = np.concatenate(
        (audio.mix(4.0, rate_hz=24_000, channels=1), audio.silence(8.0, rate_hz=24_000, channels=1))
    )
    encoder = lameenc.Encoder()
    encoder.set_in_sample_rate(24_000)
    encoder.set_channels(1)
    encoder.set_bit_rate(rate_kbits or 128)
    if not rate_kbits:
        encoder.set_vbr(lameenc.VBR_MTRH)
    encoder.silence()
    data = bytes(encoder.encode((frames * 32_000).astype("<i2").tobytes()) + encoder.flush())

    found = probe(tmp_path, data)
    cut = refusal(tmp_path, data[:-5])

    assert 12.0 <= cast(int, found["frames"]) / cast(int, found["rate_hz"]) <= 12.25
    assert cut.reason == "AUDIO_TRUNCATED"


def test_an_mp3_cut_between_frames_is_refused_by_its_own_count(tmp_path: Path) -> None:
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
        (bytes(range(256)), "no known audio format"),
    ],
)
def test_bytes_that_are_no_audio_are_named(tmp_path: Path, data: bytes, words: str) -> None:
    fault = refusal(tmp_path, data)

    assert fault.reason == "UNSUPPORTED_MEDIA"
    assert words in fault.message


@pytest.mark.parametrize("index_first", [False, True])
def test_m4a_has_the_frames_that_its_edit_list_tells(tmp_path: Path, index_first: bool) -> None:
    found = probe(tmp_path, mpeg4.m4a(index_first=index_first))

    assert (found["media_type"], found["frames"]) == ("audio/mp4", 48_000)
    assert (found["rate_hz"], found["channels"]) == (48_000, 2)
    assert found["peak"] == pytest.approx(float(np.abs(audio.mix(1.0)).max()), rel=0.05)


def test_m4a_without_an_edit_list_has_the_frames_that_itunes_noted(tmp_path: Path) -> None:
    noted = probe(tmp_path, mpeg4.m4a(has_edit_list=False, has_itunes_note=True))

    assert noted["frames"] == 48_000
    assert noted["pcm_sha256"] == probe(tmp_path, mpeg4.m4a())["pcm_sha256"]


def test_m4a_that_tells_of_no_delay_keeps_all_frames(tmp_path: Path) -> None:
    bare = probe(tmp_path, mpeg4.m4a(has_edit_list=False))

    assert bare["frames"] == len(mpeg4.units(mpeg4.adts())) * 1024
    assert bare["pcm_sha256"] == probe(tmp_path, mpeg4.adts())["pcm_sha256"]


def test_an_edit_list_in_coarse_ticks_is_met_to_the_frame(tmp_path: Path) -> None:
    assert probe(tmp_path, mpeg4.m4a(frame_count=47_803, movie_scale=600))["frames"] == 47_803


def test_an_edit_list_that_ends_early_is_met(tmp_path: Path) -> None:
    stream = mpeg4.units(mpeg4.adts())
    cut = (
        mpeg4.M4a(movie_scale=48_000)
        .file(stream)
        .replace(
            (48_000).to_bytes(4, "big") + (1024).to_bytes(4, "big"),
            (12_345).to_bytes(4, "big") + (1024).to_bytes(4, "big"),
        )
    )

    assert probe(tmp_path, cut)["frames"] == 12_345


@pytest.mark.parametrize("each", [1, 7, 100])
def test_m4a_in_fragments_is_the_same_recording(tmp_path: Path, each: int) -> None:
    found = probe(tmp_path, mpeg4.M4a().fragmented(mpeg4.units(mpeg4.adts()), each=each))

    assert found["pcm_sha256"] == probe(tmp_path, mpeg4.m4a())["pcm_sha256"]


def test_m4a_that_ends_within_a_fragment_is_truncated(tmp_path: Path) -> None:
    whole = mpeg4.M4a().fragmented(mpeg4.units(mpeg4.adts()), each=20)

    assert refusal(tmp_path, whole[:-100]).reason == "AUDIO_TRUNCATED"


@pytest.mark.parametrize("channels", [1, 2])
def test_adts_is_measured_with_its_encoders_delay(tmp_path: Path, channels: int) -> None:
    stream = mpeg4.adts(channels=channels)

    found = probe(tmp_path, stream)

    assert (found["media_type"], found["channels"]) == ("audio/aac", channels)
    assert found["frames"] == len(mpeg4.units(stream)) * 1024


@pytest.mark.parametrize("count", [1, 2, 3, 511, 512, 513, 1030])
def test_aac_of_any_number_of_units_has_all_its_frames(tmp_path: Path, count: int) -> None:
    stream = (mpeg4.units(mpeg4.adts()) * (1 + count // 40))[:count]

    assert probe(tmp_path, mpeg4.M4a(frame_count=count * 1024, skipped=0).file(stream))["frames"] == count * 1024


def test_tags_around_adts_are_no_sound(tmp_path: Path) -> None:
    tag = b"ID3\x04\0\0\0\0\1\0" + bytes(128)

    found = probe(tmp_path, tag + mpeg4.adts() + b"TAG" + bytes(125))

    assert found["pcm_sha256"] == probe(tmp_path, mpeg4.adts())["pcm_sha256"]


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.66, 0.99])
@pytest.mark.parametrize("kind", ["adts", "index last", "index first"])
def test_aac_cut_off_is_refused_as_truncated(tmp_path: Path, kind: str, kept: float) -> None:
    whole = mpeg4.adts() if kind == "adts" else mpeg4.m4a(index_first=kind == "index first")

    fault = refusal(tmp_path, whole[: int(len(whole) * kept)])

    assert fault.reason == "AUDIO_TRUNCATED"


def test_an_index_that_promises_more_than_there_is_is_refused(tmp_path: Path) -> None:
    stream = mpeg4.units(mpeg4.adts())
    whole = mpeg4.M4a(index_first=True).file(stream)
    sound = whole.index(b"mdat") - 4
    shorter = whole[:sound] + mpeg4.box(b"mdat", b"".join(stream[:30]))

    assert "30 are there" in refusal(tmp_path, shorter).message


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"codec": b"alac"}, "Apple Lossless"),
        ({"codec": b"enca"}, "protected"),
        ({"codec": b"ac-3"}, "ac-3"),
        ({"config": bytes((5 << 3 | 1, 0x98, 0x90))}, "HE-AAC"),  # signalled outright
        ({"config": bytes((0x13, 0x10, 0x56, 0xE5, 0x98))}, "HE-AAC"),  # signalled behind, for old decoders
        ({"config": bytes((1 << 3 | 1, 0x90))}, "object type 1"),
        ({"config": bytes((0x11, 0xB0))}, "channel configuration 6"),
    ],
)
def test_other_sound_in_mpeg4_is_named(tmp_path: Path, told: dict[str, object], words: str) -> None:
    fault = refusal(tmp_path, mpeg4.m4a(**told))

    assert fault.reason == "UNSUPPORTED_MEDIA"
    assert words in fault.message


def test_mpeg4_without_an_index_is_truncated(tmp_path: Path) -> None:
    assert refusal(tmp_path, bytes(4) + b"ftypM4A " + bytes(60)).reason == "AUDIO_TRUNCATED"


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
