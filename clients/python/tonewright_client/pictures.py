"""A Live Set's timeline as PNG, drawn from the SVG that the gateway gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from tonewright_client.waveforms import require_pictures

if TYPE_CHECKING:
    from PIL import ImageDraw

_RULE = re.compile(r"\.([\w-]+)\s*\{([^}]*)\}")
_SHIFT = re.compile(r"translate\(\s*(-?[\d.]+)[\s,]*(-?[\d.]+)?\s*\)")
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
_PAPER = "#ffffff"

Facts = Mapping[str, str]


def draw_timeline(svg: bytes, target: Path) -> Path:
    """Write the picture as PNG, as many pixels as the SVG's own width and height.

    It knows rectangles, lines, texts, moved groups, and colours by attribute, `style` or class; no more.

    Raises:
        PicturesUnavailable: Pillow is missing.
    """
    require_pictures()
    from PIL import Image, ImageDraw

    root = ElementTree.fromstring(svg)  # noqa: S314 - the gateway made it
    styles = {name: _declared(body) for sheet in _texts(root, "style") for name, body in _RULE.findall(sheet)}
    image = Image.new("RGB", (round(_number(root.attrib, "width")), round(_number(root.attrib, "height"))), _PAPER)
    draw = ImageDraw.Draw(image, "RGBA")
    for tag, facts, text, x, y in _shapes(root, styles, {}, 0.0, 0.0):
        _DRAWN[tag](draw, facts, text, x, y)
    image.save(target, format="PNG", optimize=True)
    return target


def _shapes(
    parent: ElementTree.Element, styles: Mapping[str, Facts], inherited: Facts, x: float, y: float
) -> Iterator[tuple[str, Facts, str, float, float]]:
    for element in parent:
        tag = element.tag.rpartition("}")[2]
        facts = {**inherited, **element.attrib, **_style(element, styles)}
        if tag in _DRAWN:
            yield tag, facts, "".join(element.itertext()), x, y
        elif tag in ("g", "svg", "a"):
            moved = _SHIFT.search(element.get("transform", ""))
            by_x, by_y = (float(part or 0) for part in moved.groups()) if moved else (0.0, 0.0)
            passed = {
                name: value for name, value in facts.items() if name not in ("transform", "x", "y", "class", "style")
            }
            yield from _shapes(element, styles, passed, x + by_x, y + by_y)


def _style(element: ElementTree.Element, styles: Mapping[str, Facts]) -> Facts:
    found: dict[str, str] = {}
    for name in element.get("class", "").split():
        found.update(styles.get(name, {}))
    found.update(_declared(element.get("style", "")))
    return found


def _declared(body: str) -> Facts:
    pairs = (part.partition(":") for part in body.split(";"))
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}


def _texts(root: ElementTree.Element, tag: str) -> Iterator[str]:
    return (element.text or "" for element in root.iter() if element.tag.rpartition("}")[2] == tag)


def _number(facts: Facts, name: str, otherwise: float = 0.0) -> float:
    found = re.match(r"-?[\d.]+", facts.get(name, ""))
    return float(found.group()) if found else otherwise


def _colour(facts: Facts, name: str, otherwise: str | None) -> Any:
    from PIL import ImageColor

    value = facts.get(name, otherwise)
    if value is None or value == "none":
        return None
    share = _number(facts, "opacity", 1.0) * _number(facts, f"{name}-opacity", 1.0)
    return (*ImageColor.getrgb(value)[:3], round(255 * share))


def _rect(draw: ImageDraw.ImageDraw, facts: Facts, _text: str, x: float, y: float) -> None:
    left, top = x + _number(facts, "x"), y + _number(facts, "y")
    right, bottom = left + _number(facts, "width"), top + _number(facts, "height")
    if facts.get("width", "").endswith("%"):
        right, bottom = draw.im.size
    outline = _colour(facts, "stroke", None)
    draw.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), _colour(facts, "fill", "#000000"), outline)


def _line(draw: ImageDraw.ImageDraw, facts: Facts, _text: str, x: float, y: float) -> None:
    ends = [(x + _number(facts, f"x{end}"), y + _number(facts, f"y{end}")) for end in (1, 2)]
    draw.line(ends, _colour(facts, "stroke", "#000000"), max(1, round(_number(facts, "stroke-width", 1))))


def _text(draw: ImageDraw.ImageDraw, facts: Facts, text: str, x: float, y: float) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(_number(facts, "font-size", 12))
    anchor = _ANCHORS.get(facts.get("text-anchor", "start"), "ls")
    place = (x + _number(facts, "x"), y + _number(facts, "y"))
    draw.text(place, text.strip(), _colour(facts, "fill", "#000000"), font, anchor=anchor)


_DRAWN = {"rect": _rect, "line": _line, "text": _text}
