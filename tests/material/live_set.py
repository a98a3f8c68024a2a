"""Small Live Sets as bytes, made with the standard library: what Live 11 would write, as far as readers look."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

# 4/4: numerator - 1 + 99 * log2(denominator).
FOUR_FOUR = 201
_BEFORE_START = -63_072_000


@dataclass(frozen=True)
class ClipPlan:
    """A clip: position in beats, and for MIDI its notes as (pitch, beat, length in beats)."""

    name: str
    start_beat: float
    end_beat: float
    notes: Sequence[tuple[int, float, float]] = ()
    sample: str = ""


@dataclass(frozen=True)
class TrackPlan:
    """A track: `kind` is MidiTrack, AudioTrack, GroupTrack or ReturnTrack; `group` is the place of its group."""

    name: str
    kind: str = "MidiTrack"
    devices: Sequence[str] = ()
    clips: Sequence[ClipPlan] = ()
    session_clips: Sequence[ClipPlan] = ()
    group: int | None = None
    is_muted: bool = False
    plugin: str = ""


@dataclass(frozen=True)
class LiveSetPlan:
    """A Live Set."""

    tempo_bpm: float = 120.0
    time_signature: int = FOUR_FOUR
    tracks: Sequence[TrackPlan] = ()
    locators: Sequence[tuple[float, str]] = ()
    scenes: Sequence[str] = ("",)
    root: int = 9
    scale: str = "Minor"
    creator: str = "Ableton Live 11.3.21"
    minor_version: str = "11.0_11300"
    tempo_events: Sequence[tuple[float, float]] = field(default=())


def live_set_bytes(plan: LiveSetPlan | None = None) -> bytes:
    """The set as the bytes of an `.als` file, always the same for the same plan."""
    return gzip.compress(live_set_xml(plan or small_plan()).encode(), mtime=0)


def small_plan(tempo_bpm: float = 120.0) -> LiveSetPlan:
    """Eight bars with drums, bass, pads in a group, and a reverb return."""
    kick = [(36, float(beat), 0.25) for beat in range(32)]
    hats = [(42, beat + 0.5, 0.25) for beat in range(32)]
    bass = [(45 + step, bar * 4.0, 3.5) for bar, step in enumerate((0, 0, 3, 5, 0, 0, 3, 7))]
    pads = [(57 + step, bar * 8.0, 8.0) for bar in range(4) for step in (0, 3, 7)]
    return LiveSetPlan(
        tempo_bpm=tempo_bpm,
        tracks=(
            TrackPlan("Beat", devices=("DrumGroupDevice", "DrumBuss"), clips=(ClipPlan("drums", 0, 32, kick + hats),)),
            TrackPlan("Music", kind="GroupTrack"),
            TrackPlan("Sub Bass", devices=("Operator", "Saturator"), clips=(ClipPlan("bass", 0, 32, bass),), group=1),
            TrackPlan("Warm Pad", devices=("UltraAnalog", "Chorus2"), clips=(ClipPlan("pads", 0, 32, pads),), group=1),
            TrackPlan(
                "Field", kind="AudioTrack", devices=("AutoFilter",), clips=(ClipPlan("rain", 8, 32, sample="rain.wav"),)
            ),
            TrackPlan("A-Reverb", kind="ReturnTrack", devices=("Reverb",)),
        ),
        locators=((0.0, "Intro"), (16.0, "Lift")),
        scenes=("Intro", "Lift"),
    )


def live_set_xml(plan: LiveSetPlan) -> str:
    """The document inside the file."""
    tracks = "".join(_track(place, track) for place, track in enumerate(plan.tracks))
    locators = "".join(
        f'<Locator Id="{place}"><Time Value="{beat}"/>{_value("Name", name)}<IsSongStart Value="false"/></Locator>'
        for place, (beat, name) in enumerate(plan.locators)
    )
    scenes = "".join(
        f'<Scene Id="{place}">{_value("Name", name)}<Tempo Value="120"/><IsTempoEnabled Value="false"/></Scene>'
        for place, name in enumerate(plan.scenes)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Ableton MajorVersion="5" MinorVersion={quoteattr(plan.minor_version)} SchemaChangeCount="3" '
        f"Creator={quoteattr(plan.creator)}><LiveSet><Tracks>{tracks}</Tracks>{_master(plan)}"
        f"<Locators><Locators>{locators}</Locators></Locators><Scenes>{scenes}</Scenes>"
        f'<ScaleInformation><RootNote Value="{plan.root}"/>{_value("Name", plan.scale)}</ScaleInformation>'
        '<InKey Value="true"/></LiveSet></Ableton>\n'
    )


def _value(tag: str, value: object) -> str:
    return f"<{tag} Value={quoteattr(str(value))}/>"


def _name(name: str) -> str:
    return f"<Name>{_value('EffectiveName', name)}{_value('UserName', name)}</Name>"


def _master(plan: LiveSetPlan) -> str:
    events = [(_BEFORE_START, plan.tempo_bpm), *plan.tempo_events]
    points = "".join(f'<FloatEvent Time="{beat}" Value="{bpm}"/>' for beat, bpm in events)
    mixer = (
        f'<Tempo>{_value("Manual", plan.tempo_bpm)}<AutomationTarget Id="8"/></Tempo>'
        f'<TimeSignature>{_value("Manual", plan.time_signature)}<AutomationTarget Id="10"/></TimeSignature>'
    )
    envelope = (
        '<AutomationEnvelope><EnvelopeTarget><PointeeId Value="8"/></EnvelopeTarget>'
        f"<Automation><Events>{points}</Events></Automation></AutomationEnvelope>"
    )
    return (
        f"<MasterTrack>{_name('Master')}<AutomationEnvelopes><Envelopes>{envelope}</Envelopes></AutomationEnvelopes>"
        f"<DeviceChain><Mixer>{mixer}</Mixer><DeviceChain><Devices><Limiter/></Devices></DeviceChain></DeviceChain></MasterTrack>"
    )


def _track(place: int, track: TrackPlan) -> str:
    devices = "".join(_device(tag) for tag in track.devices)
    if track.plugin:
        plugin = f"<Vst3PluginInfo>{_value('Name', track.plugin)}</Vst3PluginInfo>"
        devices += f"<PluginDevice><PluginDesc>{plugin}</PluginDesc></PluginDevice>"
    group = -1 if track.group is None else _id(track.group)
    mixer = f"<Mixer><Speaker>{_value('Manual', str(not track.is_muted).lower())}</Speaker></Mixer>"
    chain = f"<DeviceChain><Devices>{devices}</Devices></DeviceChain>"
    return (
        f'<{track.kind} Id="{_id(place)}">{_name(track.name)}{_value("TrackGroupId", group)}{_value("Freeze", "false")}'
        f"<DeviceChain>{mixer}{_sequencer(track)}{chain}</DeviceChain></{track.kind}>"
    )


def _id(place: int) -> int:
    return 20 + place


def _device(tag: str) -> str:
    if tag != "DrumGroupDevice":
        return f"<{tag}><On>{_value('Manual', 'true')}</On></{tag}>"
    pads = "".join(
        f"<DrumBranch>{_name(name)}<DeviceChain><MidiToAudioDeviceChain><Devices><OriginalSimpler>"
        f"{_sample(f'{name.lower()}.wav')}</OriginalSimpler></Devices></MidiToAudioDeviceChain></DeviceChain>"
        f"<BranchInfo>{_value('ReceivingNote', 128 - pitch)}</BranchInfo></DrumBranch>"
        for name, pitch in (("Kick", 36), ("Hat", 42))
    )
    return f"<DrumGroupDevice><Branches>{pads}</Branches></DrumGroupDevice>"


def _sample(name: str) -> str:
    path = f"/Users/someone/Music/Project/Samples/Imported/{name}"
    relative = _value("RelativePath", f"Samples/Imported/{name}")
    return f"<SampleRef><FileRef>{relative}{_value('Path', path)}</FileRef></SampleRef>"


def _sequencer(track: TrackPlan) -> str:
    slots = "".join(
        f"<ClipSlot><ClipSlot><Value>{_clip(track.kind, clip)}</Value></ClipSlot></ClipSlot>"
        for clip in track.session_clips
    )
    clips = "".join(_clip(track.kind, clip) for clip in track.clips)
    place = "Sample" if track.kind == "AudioTrack" else "ClipTimeable"
    events = f"<ArrangerAutomation><Events>{clips}</Events></ArrangerAutomation>"
    return f"<MainSequencer><ClipSlotList>{slots}</ClipSlotList><{place}>{events}</{place}></MainSequencer>"


def _clip(kind: str, clip: ClipPlan) -> str:
    loop = f"{_value('LoopStart', 0)}{_value('LoopEnd', clip.end_beat - clip.start_beat)}{_value('LoopOn', 'true')}"
    inside = (
        f"{_value('CurrentStart', clip.start_beat)}{_value('CurrentEnd', clip.end_beat)}{_value('Name', clip.name)}"
        f"<Loop>{loop}</Loop>{_value('Disabled', 'false')}"
    )
    if kind == "AudioTrack":
        return f'<AudioClip Time="{clip.start_beat}">{inside}{_sample(clip.sample or "audio.wav")}</AudioClip>'
    keys = "".join(
        "<KeyTrack><Notes>"
        + "".join(
            f'<MidiNoteEvent Time="{beat}" Duration="{length}" Velocity="100" OffVelocity="64" NoteId="{place}"/>'
            for place, (own, beat, length) in enumerate(clip.notes)
            if own == pitch
        )
        + f"</Notes>{_value('MidiKey', pitch)}</KeyTrack>"
        for pitch in sorted({pitch for pitch, _, _ in clip.notes})
    )
    return f'<MidiClip Time="{clip.start_beat}">{inside}<Notes><KeyTracks>{keys}</KeyTracks></Notes></MidiClip>'
