"""Files are sent under names that the platform knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tonewright_client.audio import media_type_of


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.WAV", "audio/wav"),
        ("a.aif", "audio/aiff"),
        ("a.opus", "audio/ogg"),
        ("a.m4a", "audio/mp4"),
        ("a.mp3", "audio/mpeg"),
        ("a", "application/octet-stream"),
    ],
)
def test_a_suffix_stands_for_a_media_type(name: str, media_type: str) -> None:
    assert media_type_of(Path(name)) == media_type
