"""A picture of a Live Set's arrangement as SVG: tracks and clips over bars and minutes.

Made of `rect`, `line` and `text` with plain attributes alone: no scripts, no styles, no links. Every name is escaped.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

from services.prompt.domain.time_axis import TimeAxis, read_axis

_ROW, _TOP, _TEMPO, _BOTTOM, _RIGHT = 20, 58, 44, 34, 16
_MOST_ROWS, _MOST_SCENES, _INDENT = 300, 200, 10
_INK, _PALE, _GRID, _PAPER, _GROUP = "#222222", "#777777", "#e2e2e2", "#ffffff", "#f2f2f2"
_LETTER = 6.8  # pixels per letter at size 11


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things go, in pixels."""

    width: int
    left: int
    rows: int

    @property
    def inner(self) -> float:
        return max(1.0, self.width - self.left - _RIGHT)

    @property
    def body_end(self) -> int:
        return _TOP + self.rows * _ROW


def draw_timeline(summary: Mapping[str, Any], width: int) -> str:
    """The picture as an SVG document of that width in pixels.

    A set without arrangement clips is drawn as the grid of its session clips, one without any clips says so.

    Args:
        summary: The Live Set's summary; any field may be missing.
        width: 200 to 8,000.
    """
    tracks = [track for track in _list(summary.get("tracks")) if isinstance(track, Mapping)]
    shown = tracks[:_MOST_ROWS]
    frame = _Frame(width, max(60, min(220, round(width * 0.2))), max(1, len(shown)))
    axis = read_axis(summary)
    clips = [clip for track in shown for clip in _list(track.get("clips"))]
    if any(clip.get("place") == "arrangement" for clip in clips):
        parts = [*_arrangement(summary, shown, frame, axis)]
    elif clips:
        parts = [*_session(summary, shown, frame)]
    else:
        parts = [*_labels(shown, frame), _text(frame.left + 8, _TOP + 14, "This Live Set holds no clips.", fill=_PALE)]
    if len(tracks) > len(shown):
        parts.append(_text(4, frame.body_end + 12, f"{len(tracks) - len(shown)} more tracks are not drawn", fill=_PALE))
    return _document(_title(summary), frame, parts)


def _document(title: str, frame: _Frame, parts: Sequence[str]) -> str:
    height = frame.body_end + _TEMPO + _BOTTOM
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{frame.width}" height="{height}" '
        f'viewBox="0 0 {frame.width} {height}" font-family="sans-serif">'
    )
    paper = _rect(0, 0, frame.width, height, _PAPER)
    heading = _text(4, 16, title, size=13, room=frame.width - 8)
    return "\n".join([head, f"<title>{escape(title)}</title>", paper, heading, *parts, "</svg>", ""])


def _title(summary: Mapping[str, Any]) -> str:
    overview = _mapping(summary.get("overview"))
    tempo, signature = _number(overview.get("tempo")), _name(overview.get("time_signature"))
    facts = [f"{tempo:g} BPM" if tempo else "", signature]
    return " · ".join(filter(None, [_name(summary.get("als_stem")) or "Live Set", *facts]))


def _arrangement(
    summary: Mapping[str, Any], tracks: Sequence[Mapping[str, Any]], frame: _Frame, axis: TimeAxis
) -> Iterator[str]:
    scale = frame.inner / axis.length_beats
    yield from _bars(frame, axis, scale)
    yield from _labels(tracks, frame)
    for row, track in enumerate(tracks):
        for clip in _list(track.get("clips")):
            if clip.get("place") == "arrangement":
                start, end = _number(clip.get("start_beat")) or 0.0, _number(clip.get("end_beat")) or 0.0
                x = frame.left + max(0.0, start) * scale
                wide = max(1.0, (min(end, axis.length_beats) - max(0.0, start)) * scale)
                yield from _clip(track, clip, x, _TOP + row * _ROW, wide)
    yield from _marks(summary, frame, axis, scale)
    yield from _tempo(frame, axis, scale)
    yield from _minutes(frame, axis, scale)


def _session(summary: Mapping[str, Any], tracks: Sequence[Mapping[str, Any]], frame: _Frame) -> Iterator[str]:
    """Scenes side by side: the set has no arrangement."""
    slots = [int(_number(clip.get("slot")) or 0) for track in tracks for clip in _list(track.get("clips"))]
    count = min(_MOST_SCENES, max(slots, default=0) + 1)
    wide = frame.inner / count
    scenes = [_name(scene.get("name")) for scene in _list(summary.get("scenes"))]
    yield _text(4, 34, "No arrangement: session clips by scene", fill=_PALE, room=frame.width - 8)
    for slot in range(count):
        x = frame.left + slot * wide
        yield _line(x, _TOP, x, frame.body_end, _GRID)
        label = scenes[slot] if slot < len(scenes) and scenes[slot] else str(slot + 1)
        yield _text(x + 2, _TOP - 6, label, fill=_PALE, room=wide - 4)
    yield from _labels(tracks, frame)
    for row, track in enumerate(tracks):
        for clip in _list(track.get("clips")):
            slot = int(_number(clip.get("slot")) or 0)
            if 0 <= slot < count:
                yield from _clip(track, clip, frame.left + slot * wide + 1, _TOP + row * _ROW, max(1.0, wide - 2))


def _labels(tracks: Sequence[Mapping[str, Any]], frame: _Frame) -> Iterator[str]:
    for row, track in enumerate(tracks):
        y = _TOP + row * _ROW
        if track.get("type") == "Group":
            yield _rect(0, y, frame.width - _RIGHT, _ROW, _GROUP)
        indent = 10 + min(8, int(_number(track.get("level")) or 0)) * _INDENT
        yield _rect(2, y + 2, 5, _ROW - 4, color_of(track.get("color"), row))
        fill = _PALE if track.get("muted") or track.get("frozen") else _INK
        notes = [word for word in ("muted", "frozen") if track.get(word)]
        name = " ".join([_name(track.get("name")), *(f"({note})" for note in notes)])
        yield _text(indent, y + 14, name, fill=fill, room=frame.left - indent - 4)
        yield _line(0, y + _ROW, frame.width - _RIGHT, y + _ROW, _GRID)


def _clip(track: Mapping[str, Any], clip: Mapping[str, Any], x: float, y: float, wide: float) -> Iterator[str]:
    is_off = clip.get("enabled") is False or bool(track.get("muted"))
    own = clip.get("color")
    fill = "#c4c4c4" if is_off else color_of(track.get("color") if own is None else own, 0)
    yield _rect(x, y + 2, wide, _ROW - 4, fill, stroke=_PAPER)
    yield _text(x + 3, y + 14, _name(clip.get("name")), size=10, fill=_INK, room=wide - 6)


def _bars(frame: _Frame, axis: TimeAxis, scale: float) -> Iterator[str]:
    yield _text(4, _TOP - 6, "bar", fill=_PALE)
    for beat, bar in axis.bar_ticks(max(1, int(frame.inner / 60))):
        x = frame.left + beat * scale
        yield _line(x, _TOP - 4, x, frame.body_end + _TEMPO, _GRID)
        yield _text(x + 2, _TOP - 6, str(bar), size=10, fill=_PALE, room=40)


def _marks(summary: Mapping[str, Any], frame: _Frame, axis: TimeAxis, scale: float) -> Iterator[str]:
    marks = [(_number(mark.get("beat")), _name(mark.get("name"))) for mark in _list(summary.get("locators"))]
    inside = [(beat, name) for beat, name in marks if beat is not None and 0 <= beat <= axis.length_beats]
    edges = [*(beat for beat, _name in inside), axis.length_beats]
    for (beat, name), following in zip(inside, edges[1:], strict=False):
        x = frame.left + beat * scale
        yield _line(x, 24, x, frame.body_end, "#c0392b")
        yield _text(x + 3, 34, name, size=10, fill="#c0392b", room=max(0.0, (following - beat) * scale - 6))


def _tempo(frame: _Frame, axis: TimeAxis, scale: float) -> Iterator[str]:
    top, bottom = frame.body_end + 8, frame.body_end + _TEMPO - 6
    yield _text(4, top + 12, "tempo", fill=_PALE)
    slowest, fastest = min(bpm for _beat, bpm in axis.points), max(bpm for _beat, bpm in axis.points)
    if slowest <= 0:
        return
    span = fastest - slowest

    def height(bpm: float) -> float:
        return (top + bottom) / 2 if span < 0.001 else bottom - (bpm - slowest) / span * (bottom - top)

    ends = [*axis.points, (axis.length_beats, axis.points[-1][1])]
    for (beat, bpm), (after, next_bpm) in pairwise(ends):
        if beat > axis.length_beats:
            break
        x, last = frame.left + beat * scale, frame.left + min(after, axis.length_beats) * scale
        yield _line(x, height(bpm), last, height(next_bpm), "#2c6fbb")
    label = f"{slowest:g}" if span < 0.001 else f"{slowest:g} to {fastest:g}"
    yield _text(4, top + 26, f"{label} BPM", size=10, fill=_PALE, room=frame.left - 8)


def _minutes(frame: _Frame, axis: TimeAxis, scale: float) -> Iterator[str]:
    y = frame.body_end + _TEMPO
    yield _line(frame.left, y, frame.width - _RIGHT, y, _PALE)
    yield _text(4, y + 16, "min:s", fill=_PALE)
    for beat, second in axis.second_ticks(max(1, int(frame.inner / 70))):
        x = frame.left + beat * scale
        yield _line(x, y, x, y + 5, _PALE)
        yield _text(x + 2, y + 16, f"{second // 60}:{second % 60:02d}", size=10, fill=_PALE, room=60)


def color_of(place: object, otherwise: int) -> str:
    """A colour for a place in Live's palette of 14 columns: hue by column, lightness by row."""
    number = _number(place)
    column, row = divmod(otherwise, 5)[::-1] if number is None else (int(number) % 14, int(number) // 14 % 5)
    red, green, blue = colorsys.hls_to_rgb(column / 14, (0.72, 0.6, 0.8, 0.66, 0.54)[row % 5], 0.6)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def _rect(x: float, y: float, width: float, height: float, fill: str, *, stroke: str = "") -> str:
    edge = f' stroke="{stroke}"' if stroke else ""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"{edge}/>'


def _line(x: float, y: float, x2: float, y2: float, stroke: str) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}"/>'


def _text(x: float, y: float, text: str, *, size: int = 11, fill: str = _INK, room: float = 10_000) -> str:
    letters = max(0, int(room / (_LETTER * size / 11)))
    if len(text) > letters:
        text = f"{text[: letters - 1]}…" if letters >= 4 else ""
    if not text:
        return ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}">{escape(text)}</text>'


def _name(value: object) -> str:
    return "".join(c for c in value if c.isprintable())[:200] if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
