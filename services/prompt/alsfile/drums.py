"""What drum clips play: how regular kick, snare and hats are over the beats of a bar."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.prompt.alsfile.devices import Pad
from services.prompt.alsfile.notes import Window, notes_of
from services.prompt.alsfile.tree import Node

# General MIDI percussion, for pads whose names say nothing.
_GM = {"kick": {35, 36}, "snare": {37, 38, 39, 40}, "hat": {42, 44, 46}}
_WORDS = {
    "kick": re.compile(r"kick|bass ?drum|(?<![a-z])(bd|kk|kik)(?![a-z])", re.I),
    "snare": re.compile(r"snare|clap|(?<![a-z])(sd|sn|snr)(?![a-z])", re.I),
    "hat": re.compile(r"hat|(?<![a-z])(hh|ch|oh)(?![a-z])", re.I),
}
_NEAR_BEATS = 0.08
_LONGEST_CLIP_BEATS = 4096.0


@dataclass(slots=True)
class Beat:
    """Drum onsets over whole bars of four beats.

    Attributes:
        bars: Bars that were looked at.
        kicks: Bars with a kick on beat 1, 2, 3 and 4.
        snares: Bars with a snare or clap on beat 1, 2, 3 and 4.
        off_kicks: Kicks that fall on no beat.
        hats: Hits of hats.
    """

    bars: int
    kicks: list[int]
    snares: list[int]
    off_kicks: int
    hats: int

    def add(self, other: Beat) -> None:
        """Count the other's bars in."""
        self.bars += other.bars
        self.kicks = [mine + its for mine, its in zip(self.kicks, other.kicks, strict=True)]
        self.snares = [mine + its for mine, its in zip(self.snares, other.snares, strict=True)]
        self.off_kicks += other.off_kicks
        self.hats += other.hats


def no_beat() -> Beat:
    """A beat of no bars."""
    return Beat(0, [0] * 4, [0] * 4, 0, 0)


def read_beat(pads: Sequence[Pad], clips: Iterable[tuple[Node, Window]]) -> Beat | None:
    """The beat of the drum clips, each passed through once; None when they hold no kick, snare or hat."""
    roles = _roles(pads)
    beat = no_beat()
    for clip, window in clips:
        onsets: dict[str, set[float]] = {"kick": set(), "snare": set(), "hat": set()}
        length = min(window.length, _LONGEST_CLIP_BEATS)
        for pitch, at, _length in notes_of(clip):
            place = at - window.start
            if (role := roles.get(pitch)) and 0 <= place < length:
                onsets[role].add(round(place, 3))
        if any(onsets.values()):
            beat.add(_bars(onsets, length))
    return beat if beat.bars else None


def _roles(pads: Sequence[Pad]) -> dict[int, str]:
    """Which pitch is a kick, a snare or a hat: by the pads' names, else by General MIDI."""
    roles: dict[int, str] = {}
    for pad in pads:
        named = next((role for role, words in _WORDS.items() if words.search(pad.name)), "")
        if pad.pitch is not None and named:
            roles.setdefault(pad.pitch, named)
    for role, pitches in _GM.items():
        if role not in roles.values():
            roles.update({pitch: role for pitch in pitches if pitch not in roles})
    return roles


def _bars(onsets: dict[str, set[float]], length: float) -> Beat:
    bars = max(1, int(length / 4 + 0.5))
    kicks, off = _on_beats(onsets["kick"], bars)
    snares, _off = _on_beats(onsets["snare"], bars)
    return Beat(bars, kicks, snares, off, len(onsets["hat"]))


def _on_beats(places: set[float], bars: int) -> tuple[list[int], int]:
    on = {round(place) for place in places if abs(place - round(place)) <= _NEAR_BEATS}
    off = sum(abs(place - round(place)) > _NEAR_BEATS for place in places)
    counts = [0] * 4
    for place in on:
        if place < bars * 4:
            counts[place % 4] += 1
    return counts, off
