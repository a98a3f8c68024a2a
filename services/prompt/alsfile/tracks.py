"""One track of a Live Set: name, clips, notes, devices, samples, automation."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.prompt.alsfile.clips import Clip, clip_nodes, color_of, read_clip, window_of
from services.prompt.alsfile.devices import Device, Pad, clip_text, devices_of, pads_of, samples_of
from services.prompt.alsfile.drums import Beat, read_beat
from services.prompt.alsfile.notes import NoteCounts
from services.prompt.alsfile.tree import Node

KINDS = {"MidiTrack": "MIDI", "AudioTrack": "Audio", "GroupTrack": "Group", "ReturnTrack": "Return"}
_EVENT_TAGS = {"FloatEvent", "BoolEvent", "EnumEvent"}


@dataclass(slots=True)
class Track:
    """What the summary says of a track.

    Attributes:
        id: The file's own number of it.
        index: Place among all tracks, from 0.
        kind: MIDI, Audio, Group or Return.
        name: As Live shows it.
        group_id: Id of the group it is in; -1 for none.
        is_muted: Whether its activator is off.
        is_frozen: Whether it plays a frozen copy.
        color: Place in Live's palette.
        automated: Number of automated parameters of its own.
        clips: Session clips, then those of the arrangement.
        devices: The chain, racks opened.
        pads: Pads of its drum racks.
        samples: Names of sample files, in the order they are met.
        counts: Its notes.
        beat: What its drum clips play, if it has any.
    """

    id: str
    index: int
    kind: str
    name: str
    group_id: str
    is_muted: bool
    is_frozen: bool
    color: int | None
    automated: int
    clips: list[Clip] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    pads: list[Pad] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    counts: NoteCounts = field(default_factory=NoteCounts)
    beat: Beat | None = None

    @property
    def playing_clips(self) -> list[Clip]:
        """The clips that were not deactivated."""
        return [clip for clip in self.clips if clip.is_enabled]

    @property
    def has_automation(self) -> bool:
        """Whether a parameter moves, by the track's automation or by a clip's."""
        return self.automated > 0 or any(clip.envelopes for clip in self.playing_clips)

    @property
    def is_drums(self) -> bool:
        """Whether notes choose sounds here, not pitches."""
        return bool(self.pads)


def read_track(node: Node, index: int) -> Track:
    """The track of an element of `LiveSet/Tracks`."""
    nodes = clip_nodes(node)
    track = Track(
        id=clip_text(node.attributes.get("Id", "")),
        index=index,
        kind=KINDS[node.tag],
        name="",
        group_id=node.value("TrackGroupId", "-1"),
        is_muted=_speaker(node) == "false",
        is_frozen=node.value("Freeze") == "true",
        color=color_of(node),
        automated=_automated(node),
        clips=[read_clip(clip, row) for clip, row in nodes],
        devices=devices_of(node),
        pads=pads_of(node),
        samples=samples_of(node),
    )
    track.name = _name(node, track)
    for clip in track.clips:
        track.counts.add(clip.counts)
    if track.is_drums:
        playing = [(clip, window_of(clip, in_session=True)) for clip, _row in nodes if clip.value("Disabled") != "true"]
        track.beat = read_beat(track.pads, playing)
    return track


def _name(node: Node, track: Track) -> str:
    shown = clip_text(node.value("Name/EffectiveName")) or clip_text(node.value("Name/UserName"))
    memorized = clip_text(node.value("Name/MemorizedFirstClipName"))
    device = track.devices[0].name if track.devices else ""
    clip = memorized or next((clip.name for clip in track.clips if clip.name), "")
    # Where nobody named it, Live shows an audio track by its first clip and a MIDI track by its instrument.
    made = (clip, device) if track.kind == "Audio" else (device, clip)
    return shown or made[0] or made[1] or f"{track.index + 1}-{track.kind}"


def _speaker(node: Node) -> str:
    speaker = node.at("DeviceChain/Mixer/Speaker")
    if speaker is None:
        return ""
    events = speaker.under("ArrangerAutomation/Events")
    return speaker.value("Manual") or (events[0].attributes.get("Value", "") if events else "")


def _automated(node: Node) -> int:
    """Number of parameters with more than the one event that stands before the song."""
    envelopes = node.under("AutomationEnvelopes/Envelopes")
    own = sum(len(envelope.under("Automation/Events")) > 1 for envelope in envelopes)
    inside = sum(  # up to Live 9 every parameter keeps its own events
        sum(event.tag in _EVENT_TAGS for event in found.under("Events")) > 1
        for found in node.walk()
        if found.tag == "ArrangerAutomation"
    )
    return own + inside
