"""What a musician's folder is taken for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tonewright_client.training_folder import look


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Live project with a bounce beside it."""
    for name in (
        "Night/Night.als",
        "Night/Backup/Night [2026-01-01].als",
        "Night/Samples/Imported/kick.wav",
        "Night/.hidden.wav",
        "night mix.wav",
        "low tide.FLAC",
        "notes.pdf",
        "._night mix.wav",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "night mix.txt").write_bytes("\ufeffWarm pads. BPM: 96\n\nanother line\n".encode())
    return tmp_path


def test_recordings_and_live_sets_are_found_without_what_live_keeps_for_itself(folder: Path) -> None:
    found = look(folder)

    assert [path.name for path in found.live_sets] == ["Night.als"]
    assert [one.path.name for one in found.recordings] == ["low tide.FLAC", "night mix.wav"]
    assert [path.name for path in found.left_out] == ["kick.wav"]


def test_a_caption_is_the_first_line_of_the_text_beside_it(folder: Path) -> None:
    tide, night = look(folder).recordings

    assert (tide.caption, tide.extra_lines) == ("", 0)
    assert (night.caption, night.extra_lines) == ("Warm pads. BPM: 96", 1)
