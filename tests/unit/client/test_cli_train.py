"""What cannot be right is refused before anything is sent, in words that say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tonewright_client.cli import app


def _run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["--key", "k", "--url", "http://127.0.0.1:9", *arguments])
    return done.exit_code, " ".join(done.output.split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one recording."""
    (tmp_path / "night.wav").write_bytes(b"RIFF")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--start", "me/model"], "--max-cost"),
        (["--prompt", "pads"], "--start OWNER/MODEL"),
        (["--option", "loud=yes"], "one of: trigger, suffix"),
        (["--set", "epochs=x"], "epochs is a number"),
    ],
)
def test_what_cannot_be_is_refused_at_once(folder: Path, arguments: list[str], message: str) -> None:
    code, said = _run("train", str(folder), *arguments)

    assert code == 1
    assert message in said


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    assert _run("train", str(tmp_path))[0] == 1
    assert "no recording" in _run("train", str(tmp_path))[1]
    assert "is no folder" in _run("train", str(tmp_path / "nowhere"))[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["items", "edit"], "say what to change"),
        (["emulate", "nowhere.zip"], "there is no file"),
        (["live-sets", "picture", "x", "--out", "a.gif"], "neither .svg nor .png"),
        (["exports", "create", "--option", "cut"], "NAME=VALUE"),
        (["chat"], "give the question"),
    ],
)
def test_verbs_refuse_before_they_ask(arguments: list[str], message: str) -> None:
    code, said = _run(*arguments)

    assert code == 1
    assert message in said
