"""Devices and samples of a track."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

from services.prompt.alsfile.container import FileRefused
from services.prompt.alsfile.tree import Node

_MOST = 20_000

RACKS = {
    "InstrumentGroupDevice": "Instrument Rack",
    "DrumGroupDevice": "Drum Rack",
    "AudioEffectGroupDevice": "Audio Effect Rack",
    "MidiEffectGroupDevice": "MIDI Effect Rack",
}
_STOCK = {
    "OriginalSimpler": "Simpler",
    "MultiSampler": "Sampler",
    "UltraAnalog": "Analog",
    "StringStudio": "Tension",
    "LoungeLizard": "Electric",
    "ProxyInstrumentDevice": "External Instrument",
    "ProxyAudioEffectDevice": "External Audio Effect",
    "InstrumentVector": "Wavetable",
    "InstrumentMeld": "Meld",
    "InstrumentImpulse": "Impulse",
    "MidiArpeggiator": "Arpeggiator",
    "MidiChord": "Chord",
    "MidiRandom": "Random",
    "MidiScale": "Scale",
    "MidiVelocity": "Velocity",
    "MidiPitcher": "Pitch",
    "MidiNoteLength": "Note Length",
    "Eq8": "EQ Eight",
    "FilterEQ3": "EQ Three",
    "ChannelEq": "Channel EQ",
    "Compressor2": "Compressor",
    "GlueCompressor": "Glue Compressor",
    "MultibandDynamics": "Multiband Dynamics",
    "Hybrid": "Hybrid Reverb",
    "CrossDelay": "Simple Delay",
    "PingPongDelay": "Ping Pong Delay",
    "FilterDelay": "Filter Delay",
    "AutoFilter": "Auto Filter",
    "AutoFilter2": "Auto Filter",
    "AutoPan": "Auto Pan",
    "AutoPan2": "Auto Pan",
    "FrequencyShifter": "Frequency Shifter",
    "BeatRepeat": "Beat Repeat",
    "GrainDelay": "Grain Delay",
    "Chorus2": "Chorus-Ensemble",
    "PhaserNew": "Phaser-Flanger",
    "Redux2": "Redux",
    "Vinyl": "Vinyl Distortion",
    "Resonator": "Resonators",
    "Transmute": "Spectral Resonator",
    "Spectral": "Spectral Time",
    "DrumCell": "Drum Sampler",
    "Tube": "Dynamic Tube",
    "DrumBuss": "Drum Buss",
    "StereoGain": "Utility",
}
_MAX = {"MxDeviceInstrument", "MxDeviceAudioEffect", "MxDeviceMidiEffect"}
_PLUGIN_NAMES = (
    ("vst", "PluginDesc/VstPluginInfo/PlugName"),
    ("vst3", "PluginDesc/Vst3PluginInfo/Name"),
    ("au", "PluginDesc/AuPluginInfo/Name"),
)


@dataclass(frozen=True, slots=True)
class Device:
    """A device in a track's chain or in a rack of it.

    Attributes:
        name: What it is: the plugin's or Live's name, a rack's own name, the stem of a Max patch.
        kind: rack, stock, max, vst, vst3 or au.
        is_enabled: Whether it is switched on.
        depth: Racks around it; 0 in the track's own chain.
        label: What somebody called it; empty when nobody did.
    """

    name: str
    kind: str
    is_enabled: bool
    depth: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class Pad:
    """A pad of a drum rack.

    Attributes:
        pitch: MIDI pitch that plays it; None for all.
        name: As shown, or its first sample's or device's name.
        samples: Its sample files.
    """

    pitch: int | None
    name: str
    samples: tuple[str, ...]


def devices_of(track: Node) -> list[Device]:
    """All devices of a track in chain order, those of racks right after their rack."""
    found: list[Device] = []
    for device in _devices(_chain(track), 0):
        found.append(device)
        refuse_many(len(found), "devices")
    return found


def pads_of(track: Node) -> list[Pad]:
    """The pads of all drum racks of a track."""
    pads: list[Pad] = []
    for device in _chain(track):
        for rack in device.walk():
            if rack.tag == "DrumGroupDevice":
                pads += [_pad(branch) for branch in rack.under("Branches") if branch.tag == "DrumBranch"]
                refuse_many(len(pads), "drum pads")
    return pads


def _chain(track: Node) -> list[Node]:
    return track.under("DeviceChain/DeviceChain/Devices") or track.under("MasterChain/DeviceChain/Devices")


def refuse_many(count: int, what: str) -> None:
    """Refuse a track with more of something than any real one has.

    Raises:
        FileRefused: There are more than 20,000.
    """
    if count > _MOST:
        raise FileRefused(
            "LIVE_SET_TOO_LARGE", f"a track of the Live Set has more than {_MOST:,} {what}; split it or remove some"
        )


def _pad(branch: Node) -> Pad:
    receiving = branch.number("BranchInfo/ReceivingNote")
    # Live counts the receiving notes from the top; 0 stands for all.
    pitch = 128 - int(receiving) if receiving is not None and 1 <= receiving <= 128 else None
    samples = tuple(samples_of(branch)[:8])
    name = clip_text(branch.value("Name/EffectiveName")) or clip_text(branch.value("Name/UserName"))
    inner = next(
        (_identify(device)[1] for chain in branch.under("DeviceChain") for device in chain.under("Devices")), ""
    )
    return Pad(pitch, name or (samples[0].rpartition(".")[0] or samples[0] if samples else inner), samples)


def _devices(chain: list[Node], depth: int) -> Iterator[Device]:
    for node in chain:
        kind, name = _identify(node)
        label = clip_text(node.value("UserName"))
        yield Device(name, kind, node.value("On/Manual", "true") != "false", depth, "" if label == name else label)
        if kind == "rack":
            for branch in (*node.under("Branches"), *node.under("ReturnBranches")):
                for inner in branch.under("DeviceChain"):
                    yield from _devices(inner.under("Devices"), depth + 1)


def _identify(node: Node) -> tuple[str, str]:
    if node.tag in RACKS:
        return "rack", clip_text(node.value("UserName")) or RACKS[node.tag]
    if node.tag in {"PluginDevice", "AuPluginDevice"}:
        named = next(((kind, name) for kind, path in _PLUGIN_NAMES if (name := node.value(path))), ("vst", ""))
        return named[0], clip_text(named[1]) or "Unknown plugin"
    if node.tag in _MAX:
        return "max", clip_text(node.value("UserName")) or _patch_name(node) or "Max device"
    return "stock", _STOCK.get(node.tag) or _spaced(node.tag)


def _patch_name(device: Node) -> str:
    for reference in device.under("PatchSlot/Value"):
        path = reference.value("FileRef/Path") or reference.value("FileRef/Name")
        if path:
            return clip_text(file_name(path).removesuffix(".amxd"))
    return ""


def _spaced(tag: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", clip_text(tag))


def samples_of(part: Node) -> list[str]:
    """Names of the sample files of a track or a part of it, clips and samplers alike, each once.

    Folders stay out: they name a person's machine.
    """
    found: dict[str, None] = {}
    for node in part.walk():
        if node.tag == "SampleRef" and (reference := node.at("FileRef")) and (name := _sample_name(reference)):
            found[name] = None
            refuse_many(len(found), "samples")
    return list(found)


def _sample_name(reference: Node) -> str:
    path = reference.value("Path") or reference.value("RelativePath")  # up to Live 10 the name stands alone
    return file_name(reference.value("Name") or path)


def file_name(path: str) -> str:
    """The last part of a Windows or POSIX path."""
    return clip_text(PureWindowsPath(path).name if "\\" in path else PurePosixPath(path).name)


def clip_text(text: str, limit: int = 200) -> str:
    """The text without control characters, at most `limit` long."""
    return "".join(c for c in text if c.isprintable())[:limit].strip()
