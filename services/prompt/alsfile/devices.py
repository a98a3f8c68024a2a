"""Devices and samples of a track."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

from services.prompt.alsfile.tree import Node

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
# Folders that name a person's machine.
_PRIVATE = {"users", "home", "documents and settings", "volumes", "mnt", "media"}


@dataclass(frozen=True, slots=True)
class Device:
    """A device in a track's chain or in a rack of it."""

    name: str
    kind: str  # rack, stock, max, vst, vst3, au
    is_enabled: bool
    depth: int  # 0 in the track's own chain


def devices_of(track: Node) -> list[Device]:
    """All devices of a track in chain order, those of racks right after their rack."""
    chain = track.under("DeviceChain/DeviceChain/Devices") or track.under("MasterChain/DeviceChain/Devices")
    return list(_devices(chain, 0))


def _devices(chain: list[Node], depth: int) -> Iterator[Device]:
    for node in chain:
        kind, name = _identify(node)
        yield Device(name, kind, node.value("On/Manual", "true") != "false", depth)
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


def samples_of(track: Node) -> dict[str, str]:
    """Sample files of a track (clips and samplers): file name → folder-relative path that names nobody's machine."""
    found: dict[str, str] = {}
    for node in track.walk():
        if node.tag == "SampleRef" and (reference := node.at("FileRef")):
            name, path = _sample_path(reference)
            if name:
                found.setdefault(name, path)
    return found


def _sample_path(reference: Node) -> tuple[str, str]:
    relative = reference.at("RelativePath")
    if relative is not None and relative.children:  # up to Live 10: a list of folders beside the name
        parts = [part.attributes.get("Dir", "") for part in relative.children]
        name = clip_text(reference.value("Name"))
    else:
        text = reference.value("RelativePath").replace("\\", "/")
        *parts, _last = text.split("/")
        name = file_name(reference.value("Path")) or file_name(text) or clip_text(reference.value("Name"))
    folders = [clip_text(part) for part in parts if part not in {"", ".", ".."}]
    if any(folder.lower() in _PRIVATE or ":" in folder for folder in folders):
        folders = []
    return name, "/".join([*folders[-3:], name])


def file_name(path: str) -> str:
    """The last part of a Windows or POSIX path."""
    return clip_text(PureWindowsPath(path).name if "\\" in path else PurePosixPath(path).name)


def clip_text(text: str, limit: int = 200) -> str:
    """The text without control characters, at most `limit` long."""
    return "".join(c for c in text if c.isprintable())[:limit].strip()
