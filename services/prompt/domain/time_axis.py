"""The time axis of an arrangement: where bars and seconds fall on its beats."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_STEPS, _MOST_BARS = 2_000, 50_000
_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 36000)


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Beats (quarter notes) from 0 on.

    Attributes:
        length_beats: Where the axis ends, above 0.
        points: Beat and tempo in beats per minute, in order, from beat 0 on; linear between two points.
        signatures: Beat and beats per bar, in order, from beat 0 on.
    """

    length_beats: float
    points: tuple[tuple[float, float], ...]
    signatures: tuple[tuple[float, float], ...]

    def bar_ticks(self, most: int) -> list[tuple[float, int]]:
        """Beat and number of at most so many bars, every first, second, fourth, … one; the first 50,000 at most."""
        bars = list(self._bars())
        every = 1
        while len(bars) / every > most:
            every *= 2
        return bars[::every]

    def second_ticks(self, most: int) -> list[tuple[float, int]]:
        """Beat and whole second of at most so many ticks, a round number of seconds apart."""
        beats = [self.length_beats * step / _STEPS for step in range(_STEPS + 1)]
        seconds = [0.0]
        width = self.length_beats / _STEPS
        for beat in beats[:-1]:
            seconds.append(seconds[-1] + 60 * width / self._bpm_at(beat + width / 2))
        apart = next((step for step in _SECONDS if seconds[-1] / step <= most), 0)
        if not apart:
            return []
        ticks: list[tuple[float, int]] = []
        for second in range(0, int(seconds[-1]) + 1, apart):
            place = min(bisect_right(seconds, second) - 1, _STEPS - 1)
            share = (second - seconds[place]) / ((seconds[place + 1] - seconds[place]) or 1.0)
            ticks.append((beats[place] + share * width, second))
        return ticks

    def _bars(self) -> Iterator[tuple[float, int]]:
        beat, bar, changes = 0.0, 1, list(self.signatures)
        while beat < self.length_beats:
            if bar > _MOST_BARS:
                return
            yield beat, bar
            while len(changes) > 1 and changes[1][0] <= beat + 1e-9:
                changes.pop(0)
            following = beat + changes[0][1]
            # A change of signature begins a bar, wherever it stands.
            beat = min(following, changes[1][0]) if len(changes) > 1 else following
            bar += 1

    def _bpm_at(self, beat: float) -> float:
        place = bisect_right(self.points, beat, key=lambda point: point[0]) - 1
        if place < 0:
            return self.points[0][1]
        here, bpm = self.points[place]
        if place + 1 == len(self.points):
            return bpm
        after, following = self.points[place + 1]
        return bpm + (following - bpm) * (beat - here) / (after - here) if after > here else following


def read_axis(summary: Mapping[str, Any]) -> TimeAxis:
    """The axis of a summary, 4/4 at 120 beats per minute where it says nothing."""
    overview = summary.get("overview") or {}
    length = float((summary.get("arrangement") or {}).get("length_beats") or 0.0)
    ends = [
        float(clip.get("end_beat") or 0.0)
        for track in summary.get("tracks") or []
        for clip in track.get("clips") or []
        if clip.get("place") == "arrangement"
    ]
    start_bpm = float(overview.get("tempo") or 0.0) or 120.0
    points = tuple(
        (float(point["beat"]), float(point["bpm"]))
        for point in summary.get("tempo_automation") or []
        if float(point.get("bpm") or 0.0) > 0
    )
    changes = [
        (float(change["beat"]), _beats_per_bar(change.get("time_signature")))
        for change in summary.get("time_signature_changes") or []
    ]
    signatures = tuple(changes) or ((0.0, _beats_per_bar(overview.get("time_signature"))),)
    return TimeAxis(max([length, *ends, 1.0]), points or ((0.0, start_bpm),), signatures)


def _beats_per_bar(signature: object) -> float:
    top, _, bottom = str(signature or "4/4").partition("/")
    if not (top.isdecimal() and bottom.isdecimal() and 0 < int(top) < 100 and 0 < int(bottom) < 100):
        return 4.0
    return int(top) * 4 / int(bottom)
