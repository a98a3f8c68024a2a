"""Headers say what a decoder finds, and damaged ones are refused."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import lameenc
import numpy as np
import pytest
import soundfile

from tonewright_client.audio_headers import HeaderUnread, read_header

RATE_HZ = 44_100
SOUND = (np.sin(np.arange(RATE_HZ * 3) / 20) * 0.3).astype(np.float32)


def _written(name: str, channels: int, **how: str) -> bytes:
    made = io.BytesIO()
    frames = np.repeat(SOUND[:, None], channels, axis=1)
    soundfile.write(made, frames, RATE_HZ, format=Path(name).suffix[1:].upper(), **how)
    return made.getvalue()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.wav", {"subtype": "PCM_16"}),
        ("a.wav", {"subtype": "FLOAT"}),
        ("a.aiff", {"subtype": "PCM_24"}),
        ("a.flac", {"subtype": "PCM_16"}),
        ("a.ogg", {"subtype": "VORBIS"}),
    ],
    ids=["wav", "wav-float", "aiff", "flac", "ogg"],
)
def test_length_rate_and_channels_are_those_of_the_audio(name: str, how: dict[str, str], channels: int) -> None:
    data = _written(name, channels, **how)

    header = read_header(name, io.BytesIO(data), len(data))

    assert (header.rate_hz, header.channels) == (RATE_HZ, channels)
    assert header.duration_s == pytest.approx(3.0, abs=0.001)


@pytest.mark.parametrize("tagged", [b"", b"ID3\x04\x00\x00\x00\x00\x00\x0a" + b"\0" * 10], ids=["bare", "tagged"])
@pytest.mark.parametrize(("rate_hz", "channels"), [(44_100, 2), (22_050, 1)])
def test_frames_of_an_mp3_are_counted(rate_hz: int, channels: int, tagged: bytes) -> None:
    encoder = lameenc.Encoder()
    encoder.set_bit_rate(96 * channels)
    encoder.set_out_sample_rate(rate_hz)
    encoder.set_in_sample_rate(rate_hz)
    encoder.set_channels(channels)
    encoder.silence()
    pcm = np.zeros(rate_hz * 2 * channels, dtype=np.int16).tobytes()
    data = tagged + bytes(encoder.encode(pcm) + encoder.flush())

    header = read_header("a.mp3", io.BytesIO(data), len(data))

    assert (header.rate_hz, header.channels) == (rate_hz, channels)
    assert header.duration_s == pytest.approx(2.0, abs=0.15)  # an encoder's delay and its last, filled frame


def test_a_stream_whose_writer_did_not_know_its_length_ends_with_the_file() -> None:
    data = bytearray(_written("a.wav", 2, subtype="PCM_16"))
    at = bytes(data).index(b"data")
    data[at + 4 : at + 8] = struct.pack("<I", 0xFFFFFFFF)

    assert read_header("a.wav", io.BytesIO(bytes(data)), len(data)).duration_s == pytest.approx(3.0, abs=0.001)


@pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.flac", "a.mp3", "a.ogg", "a.m4a"])
@pytest.mark.parametrize("data", [b"", b"no music at all" * 4, b"RIFF\x10\0\0\0WAVEfmt \x04\0\0\0\0\0"])
def test_what_is_no_audio_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(HeaderUnread, match="a\\."):
        read_header(name, io.BytesIO(data), len(data))
