"""What cannot be right is refused before anything is sent, in words that say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tonewright_client.cli import app


def _run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["--key", "k", "--url", "http://127.0.0.1:9", "stems", *arguments])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--two-stems", "vocals", "--only", "drums"], "leave one out"),
        (["--two-stems", "vocals", "--residual"], "leave --residual out"),
        (["--format", "mp3", "--residual"], "--format flac or wav"),
        (["--format", "ogg"], "flac"),
        ([], "there is no file"),
    ],
)
def test_what_cannot_be_is_refused_at_once(arguments: list[str], message: str) -> None:
    code, said = _run("split", "missing.wav", *arguments)

    assert code != 0
    assert message in said


def test_a_folder_is_no_recording(tmp_path: Path) -> None:
    code, said = _run("split", str(tmp_path))

    assert code == 1
    assert "is a folder" in said.replace("\n", " ")
