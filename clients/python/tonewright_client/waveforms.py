"""A picture of stems: one row per stem, all on one scale and one time axis."""

from __future__ import annotations

import base64
import math
import unicodedata
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonewright_client.client import ArtistHandle
from tonewright_client.models import Separation
from tonewright_client.separations import engine_label

if TYPE_CHECKING:
    from PIL import ImageDraw

WIDTH = 1600
HEAD, ROW, FOOT = 56, 120, 44
# The first column of the waveforms, and what is left free on the right.
LEFT, RIGHT = 150, 20
_PAPER, _INK, _FAINT = (255, 255, 255), (34, 34, 34), (208, 208, 208)
# Okabe and Ito, "Color universal design" (2008): told apart by colour-blind eyes, too.
_COLOURS = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233))
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_MOST_TICKS = 12


class PicturesUnavailable(Exception):
    """The library that draws is not installed."""


@dataclass(frozen=True, slots=True)
class Waveform:
    """One row.

    Attributes:
        label: Name of the stem.
        peaks: Lowest and highest sample of each bucket in turn, -128 to 127; 127 is full scale.
    """

    label: str
    peaks: Sequence[int]


def require_pictures() -> None:
    """Do nothing when pictures can be drawn.

    Raises:
        PicturesUnavailable: Pillow is missing; the message says how to get it.
    """
    try:
        import PIL  # noqa: F401
    except ImportError as fault:
        raise PicturesUnavailable("pictures need Pillow; run: pip install 'tonewright[pictures]'") from fault


def draw_stems(artist: ArtistHandle, separation: Separation, target: Path, *, title: str) -> Path:
    """Write the picture of a finished separation's stems as PNG; the waveforms come from the gateway.

    Raises:
        PicturesUnavailable: Pillow is missing.
    """
    require_pictures()
    rows, duration_s = [], 0.0
    for stem in separation["stems"]:
        asset = artist.assets.get(stem["asset"])
        duration_s = asset["duration_s"]
        rows.append(Waveform(stem["stem"], _peaks(artist, stem["asset"])))
    heading = f"{title}   ·   model {separation['model']}, engine {engine_label(separation)}"
    return draw_waveforms(target, rows, title=heading, duration_s=duration_s)


def _peaks(artist: ArtistHandle, asset: str) -> Sequence[int]:
    """The coarsest waveform that still has more buckets than the picture has columns, or else the finest."""
    level = artist.assets.peaks(asset, level=0, bucket_count=1)["levels"] - 1
    while True:
        found = artist.assets.peaks(asset, level=level)
        if level == 0 or found["total_buckets"] >= WIDTH:
            return array("b", base64.b64decode(found["peaks"]))
        level -= 1


def draw_waveforms(target: Path, rows: Sequence[Waveform], *, title: str, duration_s: float) -> Path:
    """Write a PNG of `WIDTH` by `HEAD + len(rows) * ROW + FOOT` pixels.

    All rows have one scale: the loudest sample of all reaches the edge of its row, and the picture says how loud it is.

    Raises:
        PicturesUnavailable: Pillow is missing.
    """
    require_pictures()
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH, HEAD + len(rows) * ROW + FOOT), _PAPER)
    draw = ImageDraw.Draw(image)
    loudest = max((abs(value) for row in rows for value in _extremes(row.peaks)), default=0)
    _write(draw, (20, HEAD / 2), title, size=20, anchor="lm", width=WIDTH - 260)
    _write(draw, (WIDTH - RIGHT, HEAD / 2), _scale(loudest), size=16, anchor="rm")
    _draw_time(draw, duration_s, top=HEAD, bottom=HEAD + len(rows) * ROW)
    for number, row in enumerate(rows):
        _draw_row(draw, row, HEAD + number * ROW + ROW // 2, loudest or 1, _COLOURS[number % len(_COLOURS)])
    target.parent.mkdir(parents=True, exist_ok=True)
    image.save(target, format="PNG", optimize=True)
    return target


def _extremes(peaks: Sequence[int]) -> tuple[int, ...]:
    return (min(peaks), max(peaks)) if peaks else ()


def _scale(loudest: int) -> str:
    return f"edge of a row: {20 * math.log10(min(loudest, 127) / 127):.1f} dBFS" if loudest else "silence"


def _draw_row(
    draw: ImageDraw.ImageDraw, row: Waveform, middle: int, loudest: int, colour: tuple[int, int, int]
) -> None:
    _write(draw, (20, middle), row.label, size=18, anchor="lm", width=LEFT - 30)
    draw.line([(LEFT, middle), (WIDTH - RIGHT, middle)], fill=_FAINT)
    if not row.peaks:
        return
    lows, highs = row.peaks[::2], row.peaks[1::2]
    columns, per_level = WIDTH - LEFT - RIGHT, (ROW / 2 - 6) / loudest
    for column in range(columns):
        first = column * len(lows) // columns
        last = max(first + 1, (column + 1) * len(lows) // columns)
        low, high = min(lows[first:last]), max(highs[first:last])
        if low or high:
            ends = [(LEFT + column, middle - high * per_level), (LEFT + column, middle - low * per_level)]
            draw.line(ends, fill=colour)


def _draw_time(draw: ImageDraw.ImageDraw, duration_s: float, *, top: int, bottom: int) -> None:
    if duration_s <= 0:
        return
    step_s = next((step for step in _STEPS_S if duration_s / step <= _MOST_TICKS), _STEPS_S[-1])
    columns = WIDTH - LEFT - RIGHT
    for number in range(int(duration_s / step_s) + 1):
        column = LEFT + round(number * step_s / duration_s * columns)
        draw.line([(column, top), (column, bottom + 6)], fill=_FAINT)
        _write(draw, (column, bottom + 10), _clock(number * step_s, step_s), size=14, anchor="mt")


def _clock(second: float, step_s: float) -> str:
    if step_s < 1:
        return f"{second:.1f} s"
    minutes, seconds = divmod(round(second), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _write(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    *,
    size: int,
    anchor: Any,
    width: float = math.inf,
) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    # The font that the library brings has no letters with accents.
    shown = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    while len(shown) > 1 and draw.textlength(shown, font=font) > width:
        shown = f"{shown[:-2]}…"
    draw.text(place, shown, fill=_INK, font=font, anchor=anchor)
