"""One track of a Live Set: name, clips, notes, devices, samples, automation."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from services.prompt.alsfile.devices import Device, clip_text, devices_of, samples_of
from services.prompt.alsfile.tree import Node, as_number

KINDS = {"MidiTrack": "MIDI", "AudioTrack": "Audio", "GroupTrack": "Group", "ReturnTrack": "Return"}
_CLIP_TAGS = {"MidiClip", "AudioClip"}
_EVENT_TAGS = {"FloatEvent", "BoolEvent", "EnumEvent"}


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip in a session slot or in the arrangement; positions in beats."""

    name: str
    kind: str  # MIDI or Audio
    place: str  # session or arrangement
    start_beat: float
    end_beat: float
    is_looped: bool
    is_enabled: bool
    notes: int
    has_envelopes: bool


@dataclass(slots=True)
class Track:
    """What the summary says of a track."""

    id: str
    index: int
    kind: str
    name: str
    group_id: str
    is_muted: bool
    is_frozen: bool
    has_automation: bool
    clips: list[Clip] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    samples: dict[str, str] = field(default_factory=dict)
    pitches: Counter[int] = field(default_factory=Counter)
    in_key_scales: list[tuple[str, str]] = field(default_factory=list)


def read_track(node: Node, index: int) -> Track:
    """The track of an element of `LiveSet/Tracks`."""
    clips = list(_clip_nodes(node))
    track = Track(
        id=clip_text(node.attributes.get("Id", "")),
        index=index,
        kind=KINDS[node.tag],
        name="",
        group_id=node.value("TrackGroupId", "-1"),
        is_muted=_speaker(node) == "false",
        is_frozen=node.value("Freeze") == "true",
        has_automation=_is_automated(node),
        clips=[_read_clip(clip, place) for clip, place in clips],
        devices=devices_of(node),
        samples=samples_of(node),
    )
    track.name = _name(node, track)
    for clip, _place in clips:
        if clip.value("Disabled") != "true":
            _count_pitches(clip, track.pitches)
            if clip.value("IsInKey") == "true" and (scale := clip.at("ScaleInformation")):
                track.in_key_scales.append(scale_values(scale))
    return track


def scale_values(scale: Node) -> tuple[str, str]:
    """Root and name of a ScaleInformation element as they stand in the file."""
    return scale.value("RootNote") or scale.value("Root"), scale.value("Name")


def _name(node: Node, track: Track) -> str:
    shown = clip_text(node.value("Name/EffectiveName")) or clip_text(node.value("Name/UserName"))
    first_device = track.devices[0].name if track.devices else ""
    first_clip = next((clip.name for clip in track.clips if clip.name), "")
    memorized = clip_text(node.value("Name/MemorizedFirstClipName"))
    return shown or memorized or first_device or first_clip or f"{track.index + 1}-{track.kind}"


def _speaker(node: Node) -> str:
    speaker = node.at("DeviceChain/Mixer/Speaker")
    if speaker is None:
        return ""
    manual = speaker.value("Manual")
    events = speaker.under("ArrangerAutomation/Events")
    return manual or (events[0].attributes.get("Value", "") if events else "")


def _clip_nodes(track: Node) -> list[tuple[Node, str]]:
    sequencer = track.at("DeviceChain/MainSequencer")
    if sequencer is None:
        return []
    found: list[tuple[Node, str]] = []
    for slot in sequencer.under("ClipSlotList"):
        found += [(clip, "session") for clip in slot.under("ClipSlot/Value") if clip.tag in _CLIP_TAGS]
    for path in ("ClipTimeable/ArrangerAutomation/Events", "Sample/ArrangerAutomation/Events"):
        found += [(clip, "arrangement") for clip in sequencer.under(path) if clip.tag in _CLIP_TAGS]
    return found


def _read_clip(node: Node, place: str) -> Clip:
    start = node.number("CurrentStart")
    end = node.number("CurrentEnd")
    if start is None:
        start = as_number(node.attributes.get("Time")) or 0.0
    if place == "session" and node.number("Loop/LoopEnd") is not None:
        start = node.number("Loop/LoopStart") or 0.0
        end = node.number("Loop/LoopEnd")
    return Clip(
        name=clip_text(node.value("Name")),
        kind="MIDI" if node.tag == "MidiClip" else "Audio",
        place=place,
        start_beat=round(start, 4),
        end_beat=round(max(start, end if end is not None else start), 4),
        is_looped=node.value("Loop/LoopOn") == "true",
        is_enabled=node.value("Disabled") != "true",
        notes=sum(_note_count(key_track) for key_track in node.under("Notes/KeyTracks")),
        has_envelopes=bool(node.under("Envelopes/Envelopes")),
    )


def _note_count(key_track: Node) -> int:
    notes = key_track.at("Notes")
    return int(notes.attributes.get("notes", "0")) if notes else 0


def _count_pitches(clip: Node, pitches: Counter[int]) -> None:
    for key_track in clip.under("Notes/KeyTracks"):
        key, count = key_track.number("MidiKey"), _note_count(key_track)
        if key is not None and 0 <= key <= 127 and count:
            pitches[int(key)] += count


def _is_automated(track: Node) -> bool:
    if any(len(envelope.under("Automation/Events")) > 1 for envelope in track.under("AutomationEnvelopes/Envelopes")):
        return True
    return any(  # up to Live 9 every parameter keeps its own events
        sum(event.tag in _EVENT_TAGS for event in node.under("Events")) > 1
        for node in track.walk()
        if node.tag == "ArrangerAutomation"
    )
