"""Tempo and time signature of a Live Set, and where its beats fall in seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass

from services.prompt.alsfile.tree import Node, as_number


@dataclass(frozen=True, slots=True)
class TempoMap:
    """Points of tempo over beats (quarter notes); between two points the tempo is linear in beats."""

    bpm: float | None
    points: tuple[tuple[float, float], ...] = ()

    def seconds_at(self, beat: float) -> float | None:
        """Seconds from the start of the song to the beat; None when no tempo is known."""
        if self.bpm is None:
            return None
        points = self.points or ((0.0, self.bpm),)
        seconds, (here, bpm) = 0.0, points[0]
        here = min(here, 0.0)
        for at, next_bpm in points[1:]:
            end = min(at, beat)
            if end > here:
                reached = next_bpm if at <= here else bpm + (next_bpm - bpm) * (end - here) / (at - here)
                seconds += _segment_s(end - here, bpm, reached)
            here, bpm = max(here, min(at, beat)), next_bpm
            if at >= beat:
                return seconds
        return seconds + _segment_s(beat - here, bpm, bpm)


def _segment_s(beats: float, start_bpm: float, end_bpm: float) -> float:
    if abs(end_bpm - start_bpm) < 1e-6:
        return 60 * beats / start_bpm
    return 60 * beats * math.log(end_bpm / start_bpm) / (end_bpm - start_bpm)


def mixer_of(master: Node) -> Node | None:
    """The mixer of the master track: Live 8 keeps it in another chain."""
    return master.at("DeviceChain/Mixer") or master.at("MasterChain/Mixer")


def read_tempo(master: Node) -> TempoMap:
    """The tempo map of the master track."""
    mixer = mixer_of(master)
    tempo = mixer.at("Tempo") if mixer else None
    if tempo is None:
        return TempoMap(None)
    events = [
        (beat, bpm)
        for event in parameter_events(master, tempo)
        if (beat := as_number(event.attributes.get("Time"))) is not None
        and (bpm := _tempo(as_number(event.attributes.get("Value")))) is not None
    ]
    events.sort(key=lambda event: event[0])
    bpm = _tempo(tempo.number("Manual")) or (events[0][1] if events else None)
    return TempoMap(round(bpm, 3) if bpm else None, _points(events))


def _tempo(bpm: float | None) -> float | None:
    """The tempo if music can have it: Live itself goes from 20 to 999."""
    return bpm if bpm is not None and 1 <= bpm <= 1000 else None


def _points(events: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The events as points from beat 0 on, none twice; none at all when the tempo does not move."""
    if len(events) < 2:
        return ()
    before = [event for event in events if event[0] < 0]
    points = [event for event in events if event[0] >= 0]
    if before and (not points or points[0][0] > 0):
        (here, bpm), after = before[-1], points[0] if points else before[-1]
        share = -here / (after[0] - here) if after[0] > here else 0.0
        points.insert(0, (0.0, bpm + (after[1] - bpm) * share))
    rounded = [(round(beat, 6), round(bpm, 3)) for beat, bpm in points]
    distinct = [point for place, point in enumerate(rounded) if place == 0 or point != rounded[place - 1]]
    return tuple(distinct) if len({bpm for _beat, bpm in distinct}) > 1 else ()


def read_signatures(master: Node) -> tuple[str, list[dict[str, object]]]:
    """The time signature at the start, and its later changes."""
    mixer = mixer_of(master)
    parameter = mixer.at("TimeSignature") if mixer else None
    if parameter is None:
        return "", []
    events = [
        (beat, text)
        for event in parameter_events(master, parameter)
        if (beat := as_number(event.attributes.get("Time"))) is not None
        and (text := decode_signature(as_number(event.attributes.get("Value"))))
    ]
    events.sort(key=lambda event: event[0])
    start = decode_signature(parameter.number("Manual")) or (events[0][1] if events else "")
    changes: list[dict[str, object]] = []
    for beat, text in events:
        if changes and changes[-1]["beat"] == max(beat, 0.0):
            changes.pop()
        if not changes or changes[-1]["time_signature"] != text:
            changes.append({"beat": max(beat, 0.0), "time_signature": text})
    return start, changes if len(changes) > 1 else []


def decode_signature(code: float | None) -> str:
    """The signature of Live's integer: numerator = v mod 99 + 1, denominator = 2 ** (v div 99)."""
    if code is None or code < 0 or code >= 99 * 6 or code != int(code):  # up to 99/32
        return ""
    power, beats = divmod(int(code), 99)
    return f"{beats + 1}/{2**power}"


def parameter_events(track: Node, parameter: Node) -> list[Node]:
    """Automation events of a parameter: inside it up to Live 9, in the track's envelopes from Live 10 on."""
    inside = parameter.under("ArrangerAutomation/Events")
    if inside:
        return inside
    target = parameter.at("AutomationTarget")
    wanted = target.attributes.get("Id") if target else None
    for envelope in track.under("AutomationEnvelopes/Envelopes"):
        if wanted is not None and envelope.value("EnvelopeTarget/PointeeId") == wanted:
            return envelope.under("Automation/Events")
    return []
