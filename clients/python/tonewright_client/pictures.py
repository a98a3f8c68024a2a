"""A Live Set's timeline as PNG, drawn from the SVG that the gateway gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from tonewright_client.waveforms import require_pictures

if TYPE_CHECKING:
    from PIL import ImageDraw

_PAPER, _INK = "#ffffff", "#000000"
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def draw_timeline(svg: bytes, target: Path) -> Path:
    """Write the picture as PNG, as many pixels as the SVG's own width and height.

    It knows what timelines are made of: `rect`, `line` and `text` with plain attributes.

    Raises:
        PicturesUnavailable: Pillow is missing.
    """
    require_pictures()
    from PIL import Image, ImageDraw

    root = ElementTree.fromstring(svg)  # noqa: S314 - the gateway made it
    image = Image.new("RGB", (round(_number(root.attrib, "width")), round(_number(root.attrib, "height"))), _PAPER)
    draw = ImageDraw.Draw(image)
    for element in root.iter():
        shape = _SHAPES.get(element.tag.rpartition("}")[2])
        if shape is not None:
            shape(draw, element.attrib, element.text or "")
    target.parent.mkdir(parents=True, exist_ok=True)
    image.save(target, format="PNG", optimize=True)
    return target


def _number(facts: Mapping[str, str], name: str, otherwise: float = 0.0) -> float:
    return float(facts.get(name, otherwise))


def _rect(draw: ImageDraw.ImageDraw, facts: Mapping[str, str], _text: str) -> None:
    left, top = _number(facts, "x"), _number(facts, "y")
    right, bottom = left + _number(facts, "width") - 1, top + _number(facts, "height") - 1
    draw.rectangle((left, top, max(left, right), max(top, bottom)), facts.get("fill", _INK))


def _line(draw: ImageDraw.ImageDraw, facts: Mapping[str, str], _text: str) -> None:
    ends = [(_number(facts, f"x{end}"), _number(facts, f"y{end}")) for end in (1, 2)]
    draw.line(ends, facts.get("stroke", _INK))


def _write(draw: ImageDraw.ImageDraw, facts: Mapping[str, str], text: str) -> None:
    from PIL import ImageFont

    place = _number(facts, "x"), _number(facts, "y")
    anchor = _ANCHORS[facts.get("text-anchor", "start")]
    draw.text(place, text, facts.get("fill", _INK), ImageFont.load_default(_number(facts, "font-size", 12)), anchor)


_SHAPES: Mapping[str, Callable[[ImageDraw.ImageDraw, Mapping[str, str], str], None]] = {
    "rect": _rect,
    "line": _line,
    "text": _write,
}
