"""A timeline's SVG becomes a PNG of the same size and colours."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tonewright_client.pictures import draw_timeline

SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" width="300" height="100" viewBox="0 0 300 100">
<title>night drive</title><rect x="0" y="0" width="300" height="100" fill="#101010"/>
<rect x="20" y="10" width="200" height="30" fill="#eeeeee"/><rect x="70" y="15" width="40" height="20" fill="#0072b2"/>
<text x="22" y="30" fill="#ff0000" font-size="12" text-anchor="start">Dr&#252;ms</text>
<line x1="0" y1="90" x2="300" y2="90" stroke="#00ff00"/></svg>"""


def test_shapes_stand_where_the_svg_says(tmp_path: Path) -> None:
    path = draw_timeline(SVG, tmp_path / "timeline.png")

    with Image.open(path) as image:
        assert image.size == (300, 100)
        seen = [image.getpixel(place) for place in ((5, 5), (200, 20), (80, 20), (150, 90))]
    assert seen == [(16, 16, 16), (238, 238, 238), (0, 114, 178), (0, 255, 0)]
