"""The XML of a planned Live Set, written as the major versions of Live differ."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from tests.material.live_set import ClipPlan, LiveSetPlan, TrackPlan, drum_rack

_BEFORE_START = -63_072_000
_SCALES = {"Major": 0, "Minor": 1, "Dorian": 2}


def document(plan: LiveSetPlan) -> str:
    """The whole document."""
    creator, minor_version = plan.version
    tracks = "".join(_track(plan, place, track) for place, track in enumerate(plan.tracks))
    grooves = "".join(
        f"<Groove><Clip><Value>{_clip(plan, 'MidiTrack', clip)}</Value></Clip></Groove>" for clip in plan.grooves
    )
    body = (
        f"<Tracks>{tracks}</Tracks>{_master(plan)}<PreHearTrack/>{_locators(plan)}{_scenes(plan)}"
        f"<Transport>{_value('LoopOn', 'true')}{_value('LoopStart', 4)}{_value('LoopLength', 8)}</Transport>"
        f"<GroovePool><Grooves>{grooves}</Grooves></GroovePool>{_scale(plan)}"
    )
    schema = ' SchemaChangeCount="3"' if plan.major >= 10 and not plan.is_beta else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Ableton MajorVersion="{5 if plan.major >= 10 else 4}" MinorVersion={quoteattr(minor_version)}{schema} '
        f"Creator={quoteattr(creator)}><LiveSet>{body}</LiveSet></Ableton>\n"
    )


def _value(tag: str, value: object) -> str:
    return f"<{tag} Value={quoteattr(str(value))}/>"


def _flag(tag: str, value: object) -> str:
    return _value(tag, "true" if value else "false")


def _name(plan: LiveSetPlan, name: str, shown: str) -> str:
    if plan.major == 8:
        return f"<Name>{_value('UserName', name)}</Name>"
    return f"<Name>{_value('EffectiveName', name or shown)}{_value('UserName', name)}</Name>"


def _events(tag: str, start: object, events: Sequence[tuple[float, object]]) -> str:
    return "".join(f'<{tag} Time="{beat}" Value="{value}"/>' for beat, value in ((_BEFORE_START, start), *events))


def _parameter(plan: LiveSetPlan, tag: str, target: int, start: object, events: str) -> str:
    """A parameter of the mixer: only events in Live 8, a value and events in 9, a value and a target from 10 on."""
    manual = "" if plan.major == 8 else _value("Manual", start)
    if plan.major < 10:
        return f"<{tag}>{manual}<ArrangerAutomation><Events>{events}</Events></ArrangerAutomation></{tag}>"
    return f'<{tag}>{manual}<AutomationTarget Id="{target}"/></{tag}>'


def _envelope(target: int, events: str) -> str:
    return (
        f"<AutomationEnvelope><EnvelopeTarget>{_value('PointeeId', target)}</EnvelopeTarget>"
        f"<Automation><Events>{events}</Events></Automation></AutomationEnvelope>"
    )


def _envelopes(envelopes: str) -> str:
    return f"<AutomationEnvelopes><Envelopes>{envelopes}</Envelopes></AutomationEnvelopes>"


def _master(plan: LiveSetPlan) -> str:
    tempo = _events("FloatEvent", plan.tempo_bpm, plan.tempo_events)
    signature = _events("EnumEvent", plan.time_signature, plan.signature_events)
    mixer = _parameter(plan, "Tempo", 8, plan.tempo_bpm, tempo) + _parameter(
        plan, "TimeSignature", 10, plan.time_signature, signature
    )
    envelopes = _envelopes(_envelope(8, tempo) + _envelope(10, signature)) if plan.major >= 10 else ""
    tag = "MainTrack" if plan.major >= 12 else "MasterTrack"
    chain = "MasterChain" if plan.major == 8 else "DeviceChain"
    inner = f"<Mixer>{mixer}</Mixer><DeviceChain><Devices><Limiter/></Devices></DeviceChain>"
    return f"<{tag}>{_name(plan, 'Master', 'Master')}{envelopes}<{chain}>{inner}</{chain}></{tag}>"


def _locators(plan: LiveSetPlan) -> str:
    marks = "".join(
        f'<Locator Id="{place}"><Time Value="{beat}"/>{_value("Name", name)}<IsSongStart Value="false"/></Locator>'
        for place, (beat, name) in enumerate(plan.locators)
    )
    return f"<Locators><Locators>{marks}</Locators></Locators>"


def _scenes(plan: LiveSetPlan) -> str:
    if plan.major < 11:
        names = "".join(
            f"<Scene Value={quoteattr(name or f' {place + 1}')}/>" for place, name in enumerate(plan.scenes)
        )
        return f"<SceneNames>{names}</SceneNames>"
    scenes = "".join(
        f'<Scene Id="{place}">{_value("Name", name)}{_value("Tempo", 120)}{_flag("IsTempoEnabled", False)}</Scene>'
        for place, name in enumerate(plan.scenes)
    )
    return f"<Scenes>{scenes}</Scenes>"


def _scale_information(plan: LiveSetPlan, root: int, scale: int | str) -> str:
    numbered = plan.major >= 12 and not plan.is_beta
    name = _SCALES.get(str(scale), scale) if numbered else scale
    return (
        f"<ScaleInformation>{_value('Root' if numbered else 'RootNote', root)}{_value('Name', name)}</ScaleInformation>"
    )


def _scale(plan: LiveSetPlan) -> str:
    if plan.major == 8:
        return ""
    if plan.major == 9:
        return _scale_information(plan, 0, "")
    in_key = _flag("InKey", plan.is_in_key) if plan.major >= 11 else ""
    return _scale_information(plan, plan.root, plan.scale) + in_key


def _track(plan: LiveSetPlan, place: int, track: TrackPlan) -> str:
    devices = "".join(_device(plan, tag) for tag in track.devices)
    if track.plugin:
        plugin = f"<Vst3PluginInfo>{_value('Name', track.plugin)}</Vst3PluginInfo>"
        devices += f"<PluginDevice><PluginDesc>{plugin}</PluginDesc></PluginDevice>"
    group = -1 if track.group is None else _id(track.group)
    moves = _events("FloatEvent", 0.5, [(0, 0.5), (4, 1.0)])
    envelopes = (
        _envelopes("".join(_envelope(1000 + n, moves) for n in range(track.automated))) if plan.major >= 10 else ""
    )
    inside = "" if plan.major >= 10 else _old_automation(track, moves)
    color = _value("ColorIndex" if plan.major < 11 else "Color", track.color)
    mixer = f"<Mixer>{_speaker(plan, track)}{inside}</Mixer>"
    chain = f"<DeviceChain><Devices>{devices}</Devices></DeviceChain>"
    frozen = "" if track.kind == "ReturnTrack" else _flag("Freeze", track.is_frozen)
    shown = f"{place + 1}-{'MIDI' if track.kind == 'MidiTrack' else 'Audio'}"
    head = f"{_name(plan, track.name, shown)}{_value('TrackGroupId', group)}{frozen}{color}{envelopes}"
    body = f"{_take_lanes(plan, track)}<DeviceChain>{mixer}{_sequencer(plan, track)}{chain}</DeviceChain>"
    return f'<{track.kind} Id="{_id(place)}">{head}{body}</{track.kind}>'


def _id(place: int) -> int:
    return 20 + place


def _speaker(plan: LiveSetPlan, track: TrackPlan) -> str:
    if plan.major > 8:
        return f"<Speaker>{_flag('Manual', not track.is_muted)}</Speaker>"
    event = _events("BoolEvent", str(not track.is_muted).lower(), [])
    return f"<Speaker><ArrangerAutomation><Events>{event}</Events></ArrangerAutomation></Speaker>"


def _old_automation(track: TrackPlan, moves: str) -> str:
    tags = ("Volume", "Pan", "SplitStereoPanL", "SplitStereoPanR")[: track.automated]
    return "".join(f"<{tag}><ArrangerAutomation><Events>{moves}</Events></ArrangerAutomation></{tag}>" for tag in tags)


def _take_lanes(plan: LiveSetPlan, track: TrackPlan) -> str:
    if plan.major < 11 or not track.take_clips:
        return ""
    clips = "".join(_clip(plan, track.kind, clip) for clip in track.take_clips)
    lane = f"<TakeLane><ClipAutomation><Events>{clips}</Events></ClipAutomation></TakeLane>"
    return f"<TakeLanes><TakeLanes>{lane}</TakeLanes></TakeLanes>"


def _device(plan: LiveSetPlan, tag: str) -> str:
    if tag.startswith("<"):
        return tag.replace("{max}", "MxPatchRef" if plan.major >= 12 else "MxDPatchRef")
    return drum_rack("") if tag == "DrumGroupDevice" else f"<{tag}><On>{_flag('Manual', True)}</On></{tag}>"


def _sample(plan: LiveSetPlan, name: str) -> str:
    file_name = name.replace("\\", "/").rpartition("/")[2]
    folders = ("Samples", "Imported")
    if plan.major < 11:
        elements = "".join(f'<RelativePathElement Dir="{folder}"/>' for folder in folders)
        hint = "".join(f'<RelativePathElement Dir="{folder}"/>' for folder in ("Users", "someone", "Music"))
        inside = f"<RelativePath>{elements}</RelativePath>{_value('Name', file_name)}"
        inside += f"<SearchHint><PathHint>{hint}</PathHint></SearchHint>"
    else:
        path = name if "\\" in name else f"/Users/someone/Music/Project/Samples/Imported/{name}"
        inside = _value("RelativePath", "/".join([*folders, file_name])) + _value("Path", path)
    return f"<SampleRef><FileRef>{inside}</FileRef>{_value('DefaultDuration', 44100)}</SampleRef>"


def _sequencer(plan: LiveSetPlan, track: TrackPlan) -> str:
    slots = "".join(
        f"<ClipSlot><ClipSlot><Value>{_clip(plan, track.kind, clip)}</Value></ClipSlot></ClipSlot>"
        for clip in track.session_clips
    )
    clips = "".join(_clip(plan, track.kind, clip) for clip in track.clips)
    frozen = "".join(_clip(plan, "AudioTrack", clip) for clip in track.frozen_clips)
    place = "Sample" if track.kind == "AudioTrack" else "ClipTimeable"
    return (
        f"<MainSequencer><ClipSlotList>{slots}</ClipSlotList>"
        f"<{place}><ArrangerAutomation><Events>{clips}</Events></ArrangerAutomation></{place}></MainSequencer>"
        f"<FreezeSequencer><Sample><ArrangerAutomation><Events>{frozen}</Events></ArrangerAutomation></Sample></FreezeSequencer>"
    )


def _clip(plan: LiveSetPlan, kind: str, clip: ClipPlan) -> str:
    first, last = clip.loop or (0, clip.end_beat - clip.start_beat)
    loop = (
        f"{_value('LoopStart', first)}{_value('LoopEnd', last)}{_value('StartRelative', clip.offset)}"
        f"{_flag('LoopOn', clip.is_looped)}"
    )
    color = "ColorIndex" if plan.major < 11 else "Color"
    envelopes = "".join(f'<ClipEnvelope Id="{number}"/>' for number in range(clip.envelopes))
    inside = (
        f"{_value('CurrentStart', clip.start_beat)}{_value('CurrentEnd', clip.end_beat)}{_value('Name', clip.name)}"
        f"<Loop>{loop}</Loop>{_flag('Disabled', clip.is_disabled)}{_value(color, 7)}"
        f"<Envelopes><Envelopes>{envelopes}</Envelopes></Envelopes>"
    )
    if clip.scale is not None and (plan.major == 12 or (plan.major == 11 and kind == "MidiTrack")):
        inside += _scale_information(plan, *clip.scale) + _flag("IsInKey", True)
    if kind == "AudioTrack":
        leader = "IsSongTempoLeader" if plan.major >= 12 else "IsSongTempoMaster"
        audio = f"{_flag('IsWarped', clip.is_warped)}{_flag(leader, False)}{_sample(plan, clip.sample or 'audio.wav')}"
        return f'<AudioClip Time="{clip.start_beat}">{inside}{audio}</AudioClip>'
    return f'<MidiClip Time="{clip.start_beat}">{inside}{_notes(plan, clip)}</MidiClip>'


def _notes(plan: LiveSetPlan, clip: ClipPlan) -> str:
    more = ' IsEnabled="true"' if plan.major < 12 else ""
    keys = "".join(
        "<KeyTrack><Notes>"
        + "".join(
            f'<MidiNoteEvent Time="{beat}" Duration="{length}" Velocity="100" OffVelocity="64"{more}/>'
            for own, beat, length in clip.notes
            if own == pitch
        )
        + f"</Notes>{_value('MidiKey', pitch)}</KeyTrack>"
        for pitch in sorted({pitch for pitch, _, _ in clip.notes})
    )
    return f"<Notes><KeyTracks><KeyTrack><Notes/>{_value('MidiKey', 60)}</KeyTrack>{keys}</KeyTracks></Notes>"
