"""Settings that say more than one thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.prompt.settings import PromptSettings


def test_public_names_come_from_the_list_and_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "names.txt"
    path.write_text("Beyoncé\n\n 米津玄師 \n", encoding="utf-8")
    monkeypatch.setenv("TONEWRIGHT_PROMPT_PUBLIC_ARTIST_NAMES", "Daft Punk; Aphex Twin;")
    monkeypatch.setenv("TONEWRIGHT_PROMPT_PUBLIC_ARTIST_NAMES_FILE", str(path))

    assert PromptSettings().public_names() == ("Daft Punk", "Aphex Twin", "Beyoncé", "米津玄師")
    monkeypatch.delenv("TONEWRIGHT_PROMPT_PUBLIC_ARTIST_NAMES_FILE")
    monkeypatch.delenv("TONEWRIGHT_PROMPT_PUBLIC_ARTIST_NAMES")
    assert PromptSettings().public_names() == ()
