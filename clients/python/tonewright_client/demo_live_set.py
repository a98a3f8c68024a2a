"""A small Ableton Live 11 Set made on the spot; it fits the demo's piece."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

_KINDS = {"midi": "MidiTrack", "audio": "AudioTrack"}


@dataclass(frozen=True, slots=True)
class DemoTrack:
    """One track: its kind (`midi` or `audio`), devices by their element names, notes as (pitch, start beat, beats)."""

    name: str
    kind: str
    devices: Sequence[str]
    clip: str
    notes: Sequence[tuple[int, float, float]] = ()


TRACKS = (
    DemoTrack(
        "Drums",
        "midi",
        ("DrumGroupDevice", "Compressor2"),
        "Four to the floor",
        [(36, beat, 0.25) for beat in range(16)],
    ),
    DemoTrack(
        "Sub Bass", "midi", ("Operator", "Saturator"), "Roots", [(45, 0, 4), (41, 4, 4), (48, 8, 4), (43, 12, 4)]
    ),
    DemoTrack("Warm Pad", "midi", ("UltraAnalog", "Chorus", "Reverb"), "Chords", [(57, 0, 16), (64, 0, 16)]),
    DemoTrack("Lead Voice", "audio", ("Eq8", "Delay"), "Take 3"),
)


def write_live_set(
    path: Path, *, tempo_bpm: float = 120.0, tracks: Sequence[DemoTrack] = TRACKS, creator: str = "Ableton Live 11.3.21"
) -> Path:
    """A Live Set in 4/4 with these tracks, each with one arrangement clip of 16 beats; the same bytes each time."""
    made = "".join(_track(number, track) for number, track in enumerate(tracks, start=1))
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Ableton MajorVersion="5" MinorVersion="11.0_11300" SchemaChangeCount="3" Creator={quoteattr(creator)} '
        f'Revision=""><LiveSet><Tracks>{made}</Tracks>{_master(tempo_bpm)}'
        "<Scenes/><Locators><Locators/></Locators></LiveSet></Ableton>\n"
    )
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return path


def _track(number: int, track: DemoTrack) -> str:
    tag, name = _KINDS[track.kind], quoteattr(track.name)
    devices = "".join(
        f'<{one} Id="{place}"><On><Manual Value="true"/></On></{one}>' for place, one in enumerate(track.devices)
    )
    clip = _midi_clip(track) if track.kind == "midi" else _audio_clip(track)
    return (
        f'<{tag} Id="{number}"><Name><EffectiveName Value={name}/><UserName Value={name}/></Name>'
        '<TrackGroupId Value="-1"/><AutomationEnvelopes><Envelopes/></AutomationEnvelopes><DeviceChain>'
        '<Mixer><Speaker><Manual Value="true"/></Speaker></Mixer>'
        f"<MainSequencer>{clip}</MainSequencer><DeviceChain><Devices>{devices}</Devices></DeviceChain>"
        f"</DeviceChain></{tag}>"
    )


def _midi_clip(track: DemoTrack) -> str:
    keys = "".join(
        f'<KeyTrack Id="{pitch}"><MidiKey Value="{pitch}"/><Notes>'
        + "".join(
            f'<MidiNoteEvent Time="{start:g}" Duration="{beats:g}" Velocity="100" NoteId="{place}"/>'
            for place, (other, start, beats) in enumerate(track.notes)
            if other == pitch
        )
        + "</Notes></KeyTrack>"
        for pitch in sorted({note[0] for note in track.notes})
    )
    notes = f"<Notes><KeyTracks>{keys}</KeyTracks></Notes>"
    clip = f'<MidiClip Id="0" Time="0">{_clip_facts(track)}{notes}</MidiClip>'
    return f"<ClipTimeable><ArrangerAutomation><Events>{clip}</Events></ArrangerAutomation></ClipTimeable>"


def _audio_clip(track: DemoTrack) -> str:
    clip = f'<AudioClip Id="0" Time="0">{_clip_facts(track)}<IsWarped Value="true"/></AudioClip>'
    return f"<Sample><ArrangerAutomation><Events>{clip}</Events></ArrangerAutomation></Sample>"


def _clip_facts(track: DemoTrack) -> str:
    return (
        f'<CurrentStart Value="0"/><CurrentEnd Value="16"/><Name Value={quoteattr(track.clip)}/>'
        '<Disabled Value="false"/><Loop><LoopStart Value="0"/><LoopEnd Value="16"/><LoopOn Value="false"/></Loop>'
    )


def _master(tempo_bpm: float) -> str:
    return (
        '<MasterTrack><Name><EffectiveName Value="Master"/></Name>'
        "<AutomationEnvelopes><Envelopes/></AutomationEnvelopes><DeviceChain><Mixer>"
        f'<Tempo><Manual Value="{tempo_bpm:g}"/><AutomationTarget Id="8"/></Tempo>'
        '<TimeSignature><Manual Value="201"/><AutomationTarget Id="10"/></TimeSignature>'
        "</Mixer><DeviceChain><Devices/></DeviceChain></DeviceChain></MasterTrack>"
    )
