"""Clips of a track: where they are, what they play, whose scale they are set to."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.prompt.alsfile.devices import clip_text, refuse_many
from services.prompt.alsfile.notes import NoteCounts, Window, count_notes
from services.prompt.alsfile.tree import Node, as_number

CLIP_TAGS = {"MidiClip": "MIDI", "AudioClip": "Audio"}


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip in a session slot or in the arrangement; positions in beats.

    Attributes:
        name: As shown.
        kind: MIDI or Audio.
        place: session or arrangement.
        slot: Row of the session grid, which is its scene; None in the arrangement.
        start_beat: Place in the arrangement; in the session where its content begins.
        end_beat: Likewise its end, not before the start.
        is_looped: Whether its content repeats.
        is_enabled: False for one that was deactivated.
        color: Place in Live's palette; None when the file names none.
        counts: Its notes, if it is enabled.
        envelopes: Number of parameters that it moves itself.
        scale: Root and name of the scale it is set to, as they stand in the file.
    """

    name: str
    kind: str
    place: str
    slot: int | None
    start_beat: float
    end_beat: float
    is_looped: bool
    is_enabled: bool
    color: int | None
    counts: NoteCounts = field(default_factory=NoteCounts)
    envelopes: int = 0
    scale: tuple[str, str] | None = None


def clip_nodes(track: Node) -> list[tuple[Node, int | None]]:
    """The clips of a track with their session row; take lanes and frozen copies are no clips of the track."""
    sequencer = track.at("DeviceChain/MainSequencer")
    if sequencer is None:
        return []
    found: list[tuple[Node, int | None]] = []
    for row, slot in enumerate(sequencer.under("ClipSlotList")):
        found += [(clip, row) for clip in slot.under("ClipSlot/Value") if clip.tag in CLIP_TAGS]
    for path in ("ClipTimeable/ArrangerAutomation/Events", "Sample/ArrangerAutomation/Events"):
        found += [(clip, None) for clip in sequencer.under(path) if clip.tag in CLIP_TAGS]
    refuse_many(len(found), "clips")
    return found


def read_clip(node: Node, row: int | None) -> Clip:
    """The clip of an element that `clip_nodes` found."""
    is_enabled = node.value("Disabled") != "true"
    is_looped = node.value("Loop/LoopOn") == "true"
    start, end = _span(node, in_session=row is not None)
    counts = NoteCounts()
    if is_enabled and node.tag == "MidiClip":
        counts = count_notes(node, window_of(node, in_session=row is not None), in_session=row is not None)
    scale = node.at("ScaleInformation") if node.value("IsInKey") == "true" else None
    return Clip(
        name=clip_text(node.value("Name")),
        kind=CLIP_TAGS[node.tag],
        place="arrangement" if row is None else "session",
        slot=row,
        start_beat=start,
        end_beat=end,
        is_looped=is_looped,
        is_enabled=is_enabled,
        color=color_of(node),
        counts=counts,
        envelopes=len(node.under("Envelopes/Envelopes")),
        scale=scale_values(scale) if scale is not None and is_enabled else None,
    )


def window_of(clip: Node, *, in_session: bool) -> Window:
    """What a MIDI clip plays: a session clip once through its content, an arrangement clip as long as it is."""
    loop_start, loop_end = clip.number("Loop/LoopStart") or 0.0, clip.number("Loop/LoopEnd")
    start = loop_start + (clip.number("Loop/StartRelative") or 0.0)
    is_looped = clip.value("Loop/LoopOn") == "true"
    here, there = clip.number("CurrentStart"), clip.number("CurrentEnd")
    if in_session or here is None or there is None:
        length = max(0.0, (loop_end if loop_end is not None else loop_start) - min(start, loop_start))
        return Window(min(start, loop_start), length)
    length = max(0.0, there - here)
    return Window(start, length, loop_start, loop_end or loop_start) if is_looped else Window(start, length)


def color_of(node: Node) -> int | None:
    """Place in Live's palette: `Color` from Live 11 on, `ColorIndex` before."""
    color = node.number("Color")
    if color is None:
        color = node.number("ColorIndex")
    return int(color) if color is not None and 0 <= color < 1000 else None


def scale_values(scale: Node) -> tuple[str, str]:
    """Root and name of a ScaleInformation element as they stand in the file."""
    return scale.value("RootNote") or scale.value("Root"), scale.value("Name")


def _span(node: Node, *, in_session: bool) -> tuple[float, float]:
    start, end = node.number("CurrentStart"), node.number("CurrentEnd")
    if start is None:
        start = as_number(node.attributes.get("Time")) or 0.0
    # The loop of an audio clip that is not warped counts in seconds.
    in_beats = node.tag == "MidiClip" or node.value("IsWarped", "true") != "false"
    if in_session and in_beats and node.number("Loop/LoopEnd") is not None:
        start, end = node.number("Loop/LoopStart") or 0.0, node.number("Loop/LoopEnd")
    return round(start, 4), round(max(start, end if end is not None else start), 4)
