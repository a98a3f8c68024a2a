"""A picture of stems is a PNG with one row each, all on one scale."""

from __future__ import annotations

import builtins
import math
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tonewright_client.waveforms import (
    FOOT,
    HEAD,
    LEFT,
    RIGHT,
    ROW,
    WIDTH,
    PicturesUnavailable,
    Waveform,
    draw_waveforms,
)

PAPER = (255, 255, 255)
GREYS = {PAPER, (34, 34, 34), (208, 208, 208)}


def _tone(level: int, buckets: int = 3000) -> list[int]:
    highs = [round(level * abs(math.sin(at / 200))) for at in range(buckets)]
    return [value for high in highs for value in (-high, high)]


def _draw(tmp_path: Path, *rows: Waveform, duration_s: float = 30.0) -> Any:
    with Image.open(draw_waveforms(tmp_path / "a" / "stems.png", rows, title="Song", duration_s=duration_s)) as picture:
        picture.load()
        return picture


def _reach(picture: Any, row: int) -> int:
    """How many lines of a row have colour."""
    top = HEAD + row * ROW
    return sum(
        any(picture.getpixel((column, line)) not in GREYS for column in range(LEFT, WIDTH - RIGHT, 3))
        for line in range(top, top + ROW)
    )


def test_there_is_a_row_for_every_stem_on_one_scale(tmp_path: Path) -> None:
    picture = _draw(tmp_path, Waveform("drums", _tone(100)), Waveform("bass", _tone(25)), Waveform("hush", _tone(0)))

    assert (picture.format, picture.size) == ("PNG", (WIDTH, HEAD + 3 * ROW + FOOT))
    assert _reach(picture, 0) == pytest.approx(ROW - 12, abs=2)
    assert _reach(picture, 1) == pytest.approx((ROW - 12) / 4, abs=2)
    assert _reach(picture, 2) == 0


@pytest.mark.parametrize("buckets", [0, 1, 2, 40_000])
@pytest.mark.parametrize("duration_s", [0.0, 0.01, 3.0, 10_800.0])
def test_any_length_can_be_drawn(tmp_path: Path, buckets: int, duration_s: float) -> None:
    picture = _draw(tmp_path, Waveform("vocals", _tone(90, buckets)), duration_s=duration_s)

    assert picture.size == (WIDTH, HEAD + ROW + FOOT)


def test_long_names_stay_on_the_picture(tmp_path: Path) -> None:
    long = Waveform("a stem that an operator named in many words", _tone(0))

    picture = _draw(tmp_path, long)

    row = range(HEAD + 20, HEAD + ROW - 20)
    assert all(picture.getpixel((LEFT - 2, line)) == PAPER for line in row)


def test_without_the_library_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "PIL":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)

    with pytest.raises(PicturesUnavailable, match=r"tonewright\[pictures\]"):
        draw_waveforms(tmp_path / "a.png", [], title="", duration_s=1.0)
