"""Values of real Live Sets, read off their XML by hand; the files are not ours and lie elsewhere, if anywhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Checked:
    """What a file holds.

    Attributes:
        creator: Program that saved it.
        overview: Tempo, signature; MIDI, audio, group, return tracks; clips that play; devices, the master's too.
        tracks: Names in order.
        devices: Devices of the chains by track, those inside racks second; tracks without are left out.
        clips: Clips that play by track; tracks without are left out.
        muted: Tracks that are off.
        automated: Tracks with automation.
        locators: Beat and name in order of time.
        tempos: Beat and tempo of the automation.
        key: Key, and what it rests on; empty when none can be trusted.
        notes: Written, heard in session clips, heard in the arrangement, heard on drum racks.
        samples: How many sample files.
        length_beats: Length of the arrangement.
    """

    creator: str
    overview: tuple[float, str, int, int, int, int, int, int]
    tracks: tuple[str, ...]
    devices: dict[str, tuple[int, int]]
    clips: dict[str, int]
    muted: tuple[str, ...] = ()
    automated: tuple[str, ...] = ()
    locators: tuple[tuple[float, str], ...] = ()
    tempos: tuple[tuple[float, float], ...] = ()
    key: tuple[str, str] = ("", "")
    notes: tuple[int, int, int, int] = (0, 0, 0, 0)
    samples: int = 0
    length_beats: float = 0.0


_LETTERS = ((0.0, "A"), (4.0, "B"), (6.0, "D"), (8.0, "C"), (10.0, "Z"), (14.0, "E"))
_RAMPS = ((0.0, 60.0), (4.0, 60.0), (8.0, 120.0), (12.0, 200.0))
CHECKED = {
    "live8-patch-markers-auto.als": Checked(
        "Ableton Live 8.1.4",
        (95.3, "4/4", 11, 5, 1, 2, 58, 105),
        (
            "1-Group",
            "edsheeran-ateam",
            "edsheeran-ateam-3",
            "edsheeran-ateam-3 (2)",
            "edsheeran-ateam-3 (3)",
            "3 5-Audio",
            "offline rack",
            "Collision",
            "Keys-Distant Piano",
            "Analog",
            "synth saw",
            "Lead-Byte Sized(Arp)",
            "Strings-Orchestric Strings",
            "Strings-Orchestric Strings (2)",
            "pad",
            "pad (2)",
            "Operator",
            "18-Return",
            "19-Return",
        ),
        {
            "edsheeran-ateam-3": (2, 0),
            "edsheeran-ateam-3 (2)": (1, 0),
            "edsheeran-ateam-3 (3)": (1, 0),
            "offline rack": (1, 33),
            "Collision": (1, 0),
            "Keys-Distant Piano": (3, 3),
            "Analog": (1, 0),
            "synth saw": (4, 5),
            "Lead-Byte Sized(Arp)": (1, 5),
            "Strings-Orchestric Strings": (2, 5),
            "Strings-Orchestric Strings (2)": (2, 5),
            "pad": (2, 12),
            "pad (2)": (2, 12),
            "Operator": (2, 0),
        },
        {
            "edsheeran-ateam": 6,
            "edsheeran-ateam-3": 3,
            "edsheeran-ateam-3 (2)": 3,
            "edsheeran-ateam-3 (3)": 3,
            "3 5-Audio": 1,
            "offline rack": 17,
            "Collision": 3,
            "Keys-Distant Piano": 4,
            "Analog": 2,
            "synth saw": 1,
            "Lead-Byte Sized(Arp)": 4,
            "Strings-Orchestric Strings": 2,
            "Strings-Orchestric Strings (2)": 2,
            "pad": 2,
            "pad (2)": 2,
            "Operator": 3,
        },
        muted=("edsheeran-ateam",),
        automated=("pad", "pad (2)"),
        locators=((200.0, "b"), (318.0, "c")),
        tempos=((0.0, 95.3), (4.0, 138.3), (200.0, 160.0)),
        key=("A Major", "notes"),
        notes=(1975, 740, 1901, 1289),
        samples=28,
        length_beats=510.5825,
    ),
    "live9-patch-2-0point.als": Checked(
        "Ableton Live 9.7.1",
        (135.0, "4/4", 9, 15, 1, 2, 160, 127),
        (
            "1-offline panda rack",
            "2-Audio",
            "3-Audio",
            "fx im[act",
            "fx stems",
            "6-Audio",
            "audio samp",
            "junio chords",
            "9-GET_tom_03",
            "piano",
            "11-offline gentle flute",
            "12-Audio",
            "fx atmos",
            "Bass",
            "15-cool808",
            "16-cool808",
            "17-offline wave sub",
            "rvb piano",
            "and clap",
            "funk samp",
            "funk samp2",
            "BOW_TO_MAURICE_FullKit_92_Fm",
            "leads",
            "strings",
            "25-Audio",
            "A-Reverb",
            "B-Delay",
        ),
        {
            "1-offline panda rack": (1, 35),
            "3-Audio": (1, 0),
            "junio chords": (1, 0),
            "9-GET_tom_03": (1, 0),
            "piano": (2, 14),
            "11-offline gentle flute": (1, 3),
            "12-Audio": (1, 0),
            "Bass": (1, 0),
            "15-cool808": (3, 3),
            "16-cool808": (3, 3),
            "17-offline wave sub": (1, 2),
            "rvb piano": (2, 5),
            "funk samp": (1, 0),
            "funk samp2": (2, 0),
            "BOW_TO_MAURICE_FullKit_92_Fm": (1, 32),
            "strings": (1, 0),
            "A-Reverb": (1, 0),
            "B-Delay": (1, 0),
        },
        {
            "1-offline panda rack": 10,
            "2-Audio": 2,
            "3-Audio": 11,
            "fx im[act": 1,
            "fx stems": 1,
            "6-Audio": 4,
            "audio samp": 4,
            "junio chords": 3,
            "piano": 15,
            "11-offline gentle flute": 1,
            "12-Audio": 1,
            "fx atmos": 9,
            "15-cool808": 3,
            "16-cool808": 3,
            "rvb piano": 3,
            "and clap": 3,
            "funk samp": 3,
            "funk samp2": 2,
            "BOW_TO_MAURICE_FullKit_92_Fm": 4,
            "leads": 70,
            "strings": 5,
            "25-Audio": 2,
        },
        muted=(
            "fx stems",
            "junio chords",
            "17-offline wave sub",
            "and clap",
            "funk samp",
            "funk samp2",
            "BOW_TO_MAURICE_FullKit_92_Fm",
            "leads",
        ),
        automated=(
            "1-offline panda rack",
            "3-Audio",
            "6-Audio",
            "junio chords",
            "piano",
            "16-cool808",
            "funk samp2",
            "strings",
        ),
        locators=((32.0, "Live9Marker"), (64.0, "Live9Marker2"), (128.0, "Live9Marker3")),
        tempos=((0.0, 135.0), (4.0, 175.0)),
        notes=(1759, 159, 1191, 674),
        samples=154,
        length_beats=255.7257,
    ),
    "automation.als": Checked(
        "Ableton Live 10.1.7", (120.0, "4/4", 0, 1, 0, 0, 0, 0), ("1-Audio",), {}, {}, locators=_LETTERS, tempos=_RAMPS
    ),
    "automation-pathological.als": Checked(
        "Ableton Live 10.1.7",
        (119.5, "4/4", 0, 1, 0, 0, 0, 0),
        ("1-Audio",),
        {},
        {},
        locators=tuple(sorted([*_LETTERS, (1.5, "X"), (11.5, "1"), (18.0, "YY")])),
        tempos=((0.0, 120.761), (0.0, 120.7), (0.070066, 120.7)),
    ),
    "example-120.als": Checked(
        "Ableton Live 10.1.7",
        (120.0, "4/4", 0, 1, 0, 0, 4, 0),
        ("1-divineboys-v1",),
        {},
        {"1-divineboys-v1": 4},
        locators=(
            (0.0, "mirvs - his track你好"),
            (400.0, "comfort - other track"),
            (432.0, "comfort - yo"),
            (648.0, "sh1n - track"),
            (928.0, "stm - ggr"),
            (1208.0, "heart - ID"),
            (1432.0, "ID - ID"),
            (1680.0, ""),
            (2000.0, ""),
            (2378.1072562853815, "track - this track"),
            (2784.0, "another track"),
            (3024.0, "another track"),
            (3312.0, "another track"),
            (3584.0, "tids track"),
            (7808.0, "sd"),
        ),
        samples=1,
        length_beats=9512.429,
    ),
    "node_Foo.als": Checked(
        "Ableton Live 11.3.35",
        (199.99, "4/4", 2, 2, 0, 3, 0, 19),
        (
            "1-MIDI",
            "2-MIDI",
            "3-Audio",
            "4-Audio",
            "A-Gated Verb Send",
            "B-Large Reverb Send",
            "C-Delay Brigade Return",
        ),
        {
            "1-MIDI": (1, 1),
            "2-MIDI": (1, 1),
            "3-Audio": (1, 1),
            "4-Audio": (1, 1),
            "A-Gated Verb Send": (1, 4),
            "B-Large Reverb Send": (1, 3),
            "C-Delay Brigade Return": (1, 1),
        },
        {},
    ),
    "L12-automation.als": Checked(
        "Ableton Live 12.0b16", (120.0, "4/4", 0, 1, 0, 0, 0, 0), ("1-Audio",), {}, {}, locators=_LETTERS, tempos=_RAMPS
    ),
    "Techno Live Set.als": Checked(
        "Ableton Live 12.2.1",
        (124.0, "4/4", 7, 6, 1, 2, 12, 46),
        (
            "DRUMS",
            "Kick",
            "Snare",
            "Hats",
            "Tops",
            "Percussion 1",
            "Percussion 2",
            "8-MIDI",
            "Modular VCV",
            "Buchla Easel",
            "Juno 60",
            "12-MiniFreak V",
            "Moog Sub 37",
            "Prophet 6",
            "A-Reverb",
            "B-Delay",
        ),
        {
            "DRUMS": (4, 0),
            "Snare": (1, 0),
            "Hats": (1, 0),
            "Percussion 1": (1, 0),
            "Percussion 2": (1, 0),
            "Modular VCV": (6, 0),
            "Buchla Easel": (6, 0),
            "Juno 60": (3, 0),
            "12-MiniFreak V": (4, 0),
            "Moog Sub 37": (9, 0),
            "Prophet 6": (4, 0),
            "A-Reverb": (1, 0),
            "B-Delay": (1, 0),
        },
        {"Kick": 2, "Snare": 2, "Hats": 2, "Tops": 2, "Percussion 1": 2, "Percussion 2": 2},
        key=("C Major", "clips"),
        samples=6,
        length_beats=64.0,
    ),
}
