"""Archives of others are read on this machine, as far as a trainer would look at them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tonewright_client.demo_dataset import PIECES, write_loop
from tonewright_client.foreign_archives import ArchiveUnread, read_archive


def test_audio_has_its_facts_and_texts_their_words(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "theirs.zip", "w") as archive:
        archive.write(write_loop(tmp_path / "a.wav", PIECES[0]), "dataset/track.wav")
        archive.writestr("dataset/track.txt", "\ufeffWarm pads\nsecond line")
        archive.writestr("dataset/notes.pdf", b"%PDF")
        archive.mkdir("empty")

    files, unread = read_archive(tmp_path / "theirs.zip")

    assert files == [
        {"path": "dataset/track.wav", "duration_s": pytest.approx(7.5), "rate_hz": 44_100, "channels": 2},
        {"path": "dataset/track.txt", "text": "\ufeffWarm pads\nsecond line"},
        {"path": "dataset/notes.pdf"},
    ]
    assert unread == []


def test_damaged_audio_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "theirs.zip", "w") as archive:
        archive.writestr("broken.wav", b"RIFF")
        archive.writestr("broken.txt", "a text")

    files, unread = read_archive(tmp_path / "theirs.zip")

    assert [file["path"] for file in files] == ["broken.wav", "broken.txt"]
    assert len(unread) == 1
    assert "broken.wav" in unread[0]


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("hello")

    with pytest.raises(ArchiveUnread, match="no zip"):
        read_archive(tmp_path / "a.zip")
