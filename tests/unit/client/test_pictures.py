"""A timeline's SVG becomes a PNG of the same size and colours."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tonewright_client.pictures import draw_timeline

SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" width="300" height="100" viewBox="0 0 300 100">
<style>.lane{fill:#eeeeee} .clip{fill:rgb(0,114,178)}</style>
<rect width="300" height="100" fill="#101010"/>
<g transform="translate(20 10)" font-size="12"><rect class="lane" x="0" y="0" width="200" height="30"/>
<rect class="clip" x="50" y="5" width="40" height="20"/><text x="2" y="20" fill="#ff0000">Drums</text></g>
<line x1="0" y1="90" x2="300" y2="90" stroke="lime"/><path d="M0 0"/></svg>"""


def test_shapes_stand_where_the_svg_says(tmp_path: Path) -> None:
    path = draw_timeline(SVG, tmp_path / "timeline.png")

    with Image.open(path) as image:
        assert image.size == (300, 100)
        seen = [image.getpixel(place) for place in ((5, 5), (200, 20), (80, 20), (150, 90))]
    assert seen == [(16, 16, 16), (238, 238, 238), (0, 114, 178), (0, 255, 0)]
