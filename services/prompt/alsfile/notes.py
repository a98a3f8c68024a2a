"""Notes of clips: what is written, and how often each note is heard when loops are played out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.prompt.alsfile.tree import Node

# A loop shorter than this is no loop that anybody hears: it counts as one pass.
_SHORTEST_LOOP_BEATS = 1 / 64
_MOST_PASSES = 100_000
# A drone weighs no more than this in the key.
_LONGEST_NOTE_BEATS = 16.0


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a clip's content that plays, in beats of the content.

    Attributes:
        start: Where playing begins.
        length: How long the clip sounds.
        loop_start: Where the loop begins.
        loop_end: Where the loop ends; not after its start when the clip does not loop.
    """

    start: float
    length: float
    loop_start: float = 0.0
    loop_end: float = 0.0

    @property
    def is_looped(self) -> bool:
        """Whether the content repeats."""
        return self.loop_end - self.loop_start >= _SHORTEST_LOOP_BEATS

    def plays(self, beat: float) -> int:
        """How often a note that begins at `beat` of the content is heard."""
        if not self.is_looped:
            return int(self.start <= beat < self.start + self.length)
        first_pass = min(self.length, max(0.0, self.loop_end - self.start))
        heard = int(self.start <= beat < self.start + first_pass)
        left = self.length - first_pass
        if left <= 0 or not self.loop_start <= beat < self.loop_end:
            return heard
        passes, rest = divmod(left, self.loop_end - self.loop_start)
        return heard + min(int(passes), _MOST_PASSES) + int(beat - self.loop_start < rest)


@dataclass(slots=True)
class NoteCounts:
    """Notes of a clip, a track or a set.

    Attributes:
        written: Notes that stand in clips that play.
        session: Notes of one pass through each session clip.
        arrangement: Notes heard in the arrangement, loops played out.
        pitches: Notes heard, by MIDI pitch; session and arrangement together.
        beats: Beats that pitches sound, for the key; longest note 16 beats.
    """

    written: int = 0
    session: int = 0
    arrangement: int = 0
    pitches: Counter[int] = field(default_factory=Counter)
    beats: dict[int, float] = field(default_factory=dict)

    def add(self, other: NoteCounts) -> None:
        """Count the other's notes in."""
        self.written += other.written
        self.session += other.session
        self.arrangement += other.arrangement
        self.pitches.update(other.pitches)
        for pitch, beats in other.beats.items():
            self.beats[pitch] = self.beats.get(pitch, 0.0) + beats


def count_notes(clip: Node, window: Window, *, in_session: bool) -> NoteCounts:
    """The notes of a MIDI clip that plays the window."""
    counts = NoteCounts()
    for pitch, beat, length in notes_of(clip):
        counts.written += 1
        heard = window.plays(beat)
        if heard:
            counts.pitches[pitch] += heard
            counts.beats[pitch] = counts.beats.get(pitch, 0.0) + heard * min(length, _LONGEST_NOTE_BEATS)
    heard_in_all = counts.pitches.total()
    counts.session, counts.arrangement = (heard_in_all, 0) if in_session else (0, heard_in_all)
    return counts


def notes_of(clip: Node) -> Iterator[tuple[int, float, float]]:
    """Pitch, beat in the content and length in beats of each sounding note."""
    for key_track in clip.under("Notes/KeyTracks"):
        key, notes = key_track.number("MidiKey"), key_track.at("Notes")
        if key is None or not 0 <= key <= 127 or notes is None or notes.notes is None:
            continue
        values = iter(notes.notes)
        yield from ((int(key), beat, length) for beat, length in zip(values, values, strict=True))
