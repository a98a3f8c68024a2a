"""Small Live Sets as bytes, made with the standard library: what Live 8 to 12 would write, as far as readers look."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace

# Numerator - 1 + 99 * log2(denominator).
FOUR_FOUR, SIX_EIGHT = 201, 302
MAJORS = (8, 9, 10, 11, 12)
_VERSIONS = {
    8: ("Ableton Live 8.1.4", "8.1_226"),
    9: ("Ableton Live 9.7.1", "9.5_327"),
    10: ("Ableton Live 10.1.7", "10.0_377"),
    11: ("Ableton Live 11.3.21", "11.0_11300"),
    12: ("Ableton Live 12.2.1", "12.0_12203"),
}


@dataclass(frozen=True)
class ClipPlan:
    """A clip: position in beats, and for MIDI its notes as (pitch, beat, length in beats).

    Attributes:
        name: As shown.
        start_beat: Place in the arrangement.
        end_beat: Its end there.
        notes: Notes of the content.
        sample: File of an audio clip.
        loop: First and last beat of the loop; None for all of the clip's length.
        offset: Where in the loop the clip begins.
        is_looped: Whether it repeats.
        is_disabled: Whether it was deactivated.
        is_warped: Whether an audio clip follows the tempo.
        scale: Root and scale it is set to.
        envelopes: Parameters that it moves.
    """

    name: str
    start_beat: float
    end_beat: float
    notes: Sequence[tuple[int, float, float]] = ()
    sample: str = ""
    loop: tuple[float, float] | None = None
    offset: float = 0.0
    is_looped: bool = True
    is_disabled: bool = False
    is_warped: bool = True
    scale: tuple[int, int | str] | None = None
    envelopes: int = 0


@dataclass(frozen=True)
class TrackPlan:
    """A track: `kind` is MidiTrack, AudioTrack, GroupTrack or ReturnTrack; `group` is the place of its group.

    Attributes:
        name: As given by a person; empty for one that nobody named.
        kind: Element of the track.
        devices: Tags of devices, or whole elements where one begins with `<`.
        clips: Of the arrangement.
        session_clips: One per scene.
        take_clips: In take lanes, which no reader counts.
        frozen_clips: In the frozen copy, which no reader counts.
        group: Place of its group among the tracks.
        is_muted: Whether its activator is off.
        is_frozen: Whether it is frozen.
        plugin: Name of a VST3 plugin at the chain's end.
        automated: Parameters that are automated.
        color: Place in the palette.
    """

    name: str
    kind: str = "MidiTrack"
    devices: Sequence[str] = ()
    clips: Sequence[ClipPlan] = ()
    session_clips: Sequence[ClipPlan] = ()
    take_clips: Sequence[ClipPlan] = ()
    frozen_clips: Sequence[ClipPlan] = ()
    group: int | None = None
    is_muted: bool = False
    is_frozen: bool = False
    plugin: str = ""
    automated: int = 0
    color: int = 3


@dataclass(frozen=True)
class LiveSetPlan:
    """A Live Set as the major version writes it; `is_beta` stands for the betas of Live 12."""

    tempo_bpm: float = 120.0
    time_signature: int = FOUR_FOUR
    tracks: Sequence[TrackPlan] = ()
    locators: Sequence[tuple[float, str]] = ()
    scenes: Sequence[str] = ("",)
    root: int = 9
    scale: str = "Minor"
    creator: str = ""
    minor_version: str = ""
    tempo_events: Sequence[tuple[float, float]] = ()
    signature_events: Sequence[tuple[float, int]] = ()
    grooves: Sequence[ClipPlan] = ()
    is_in_key: bool = True
    major: int = 11
    is_beta: bool = False

    @property
    def version(self) -> tuple[str, str]:
        """Creator and MinorVersion of the root."""
        creator, minor_version = ("Ableton Live 12.0b16", "12.0_12043") if self.is_beta else _VERSIONS[self.major]
        return self.creator or creator, self.minor_version or minor_version


def live_set_bytes(plan: LiveSetPlan | None = None) -> bytes:
    """The set as the bytes of an `.als` file, always the same for the same plan."""
    return gzip.compress(live_set_xml(plan or small_plan()).encode(), mtime=0)


def live_set_xml(plan: LiveSetPlan) -> str:
    """The document inside the file."""
    from tests.material.live_set_xml import document

    return document(plan)


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


def full_plan(major: int = 11) -> LiveSetPlan:
    """What readers trip over, in one set of the major version.

    Nested groups, two tracks of one name, a name that is not ASCII, an unnamed track, a moving tempo with a step, 6/8,
    locators out of order, take lanes, grooves, a frozen and a muted track, clips that are off, a session clip, plugins
    of every kind, nested drum racks and samples from Windows.
    """
    beat = ClipPlan("beat", 0, 16, [(36, float(place), 0.25) for place in range(4)], loop=(0, 4))
    tune = [(60, 0.0, 1.0), (64, 1.0, 1.0), (67, 2.0, 1.0), (71, 3.5, 0.5)]
    return LiveSetPlan(
        tempo_bpm=100.0,
        time_signature=SIX_EIGHT,
        major=major,
        tempo_events=((0, 100), (8, 100), (8, 140), (16, 120)),
        tracks=(
            TrackPlan("Tutti", kind="GroupTrack"),
            TrackPlan("Rhythmus", kind="GroupTrack", group=0),
            TrackPlan("Drums", devices=(NESTED_DRUM_RACK, "DrumBuss"), clips=(beat,), group=1, color=5),
            TrackPlan("Keys", devices=(*PLUGINS,), clips=(ClipPlan("tune", 4, 13, tune, loop=(0, 4), offset=1),)),
            TrackPlan(
                "Keys",
                devices=("Operator",),
                session_clips=(ClipPlan("idea", 0, 4, tune), ClipPlan("off", 0, 4, tune, is_disabled=True)),
                clips=(ClipPlan("muted", 0, 4, tune, is_disabled=True),),
                take_clips=(ClipPlan("take", 0, 8, tune),),
                automated=2,
            ),
            TrackPlan(
                "Größe 東京",
                kind="AudioTrack",
                devices=("AutoFilter",),
                clips=(ClipPlan("rain", 8, 24, sample="C:\\Users\\me\\Music\\rain.wav", is_warped=False),),
                is_muted=True,
            ),
            TrackPlan("", kind="AudioTrack", clips=(ClipPlan("Vox take", 0, 8, sample="vox.aif", envelopes=1),)),
            TrackPlan("Ice", clips=(ClipPlan("cold", 0, 4, tune),), frozen_clips=(beat,), is_frozen=True),
            TrackPlan("A-Reverb", kind="ReturnTrack", devices=("Reverb",)),
        ),
        locators=((8.0, "Drop"), (0.0, "Intro"), (16.0, "Coda")),
        scenes=("Intro", "Lift"),
        grooves=(beat,),
        root=11,
    )


def of_major(plan: LiveSetPlan, major: int) -> LiveSetPlan:
    """The same set as another major version writes it."""
    return replace(plan, major=major)


def drum_rack(inside: str) -> str:
    """A drum rack with a kick on 36, a hat on 42, and what else is given."""
    pads = "".join(
        f'<DrumBranch><Name><EffectiveName Value="{name}"/><UserName Value="{name}"/></Name>'
        f"{_chain(_simpler(f'{name.lower()}.wav'))}{_receiving(pitch)}</DrumBranch>"
        for name, pitch in (("Kick", 36), ("Hat", 42))
    )
    return f"<DrumGroupDevice><Branches>{pads}{inside}</Branches></DrumGroupDevice>"


def _simpler(sample: str) -> str:
    path = f'<Name Value="{sample}"/><RelativePath Value="Samples/{sample}"/>'
    return f"<OriginalSimpler><Player><SampleRef><FileRef>{path}</FileRef></SampleRef></Player></OriginalSimpler>"


def _chain(devices: str) -> str:
    inside = f"<MidiToAudioDeviceChain><Devices>{devices}</Devices></MidiToAudioDeviceChain>"
    return f"<DeviceChain>{inside}</DeviceChain>"


def _receiving(pitch: int) -> str:
    return f'<BranchInfo><ReceivingNote Value="{128 - pitch}"/></BranchInfo>'


def _around(rack: str) -> str:
    """A drum pad on 38 that holds an instrument rack that holds the rack."""
    branches = f"<Branches><InstrumentBranch>{_chain(rack)}</InstrumentBranch></Branches>"
    inner = f"<InstrumentGroupDevice>{branches}</InstrumentGroupDevice>"
    return f"<DrumBranch>{_chain(inner)}{_receiving(38)}</DrumBranch>"


NESTED_DRUM_RACK = drum_rack(_around("<DrumGroupDevice><Branches/></DrumGroupDevice>"))
PLUGINS = (
    '<PluginDevice><PluginDesc><VstPluginInfo><PlugName Value="Serum"/></VstPluginInfo></PluginDesc></PluginDevice>',
    '<PluginDevice><On><Manual Value="false"/></On><PluginDesc><Vst3PluginInfo><Name Value="Pro-Q 3"/></Vst3PluginInfo>'
    "</PluginDesc></PluginDevice>",
    '<AuPluginDevice><PluginDesc><AuPluginInfo><Name Value="Ozone"/></AuPluginInfo></PluginDesc></AuPluginDevice>',
    "<MxDeviceAudioEffect><PatchSlot><Value><{max}><FileRef>"
    '<Path Value="C:\\Users\\me\\Max\\Shaper Box.amxd"/></FileRef></{max}></Value></PatchSlot></MxDeviceAudioEffect>',
    '<Operator><UserName Value="Glass Bell"/></Operator>',
    "<NewThing2024/>",
)
