"""Words for sound: what track names, devices and samples say about what is heard."""

from __future__ import annotations

import re
from collections.abc import Iterable

# A word in a name → the instrument that a listener would name. Order matters where a name holds several.
ROLES = {
    "kick": "kick drum",
    "bd": "kick drum",
    "snare": "snare",
    "clap": "claps",
    "hat": "hi-hats",
    "hats": "hi-hats",
    "hihat": "hi-hats",
    "hh": "hi-hats",
    "ride": "ride cymbal",
    "cymbal": "cymbals",
    "crash": "crash cymbal",
    "tom": "toms",
    "toms": "toms",
    "perc": "percussion",
    "percussion": "percussion",
    "shaker": "shakers",
    "tambourine": "tambourine",
    "conga": "congas",
    "bongo": "bongos",
    "drum": "drums",
    "drums": "drums",
    "beat": "drums",
    "break": "breakbeat drums",
    "808": "808 bass",
    "sub": "sub bass",
    "bass": "bass",
    "bassline": "bass",
    "reese": "reese bass",
    "lead": "synth lead",
    "synth": "synthesizer",
    "pluck": "plucked synth",
    "arp": "arpeggiated synth",
    "pad": "pads",
    "pads": "pads",
    "chord": "chords",
    "chords": "chords",
    "stab": "chord stabs",
    "keys": "keys",
    "piano": "piano",
    "rhodes": "electric piano",
    "organ": "organ",
    "guitar": "guitar",
    "gtr": "guitar",
    "strings": "strings",
    "violin": "violin",
    "cello": "cello",
    "brass": "brass",
    "horn": "horns",
    "horns": "horns",
    "trumpet": "trumpet",
    "sax": "saxophone",
    "flute": "flute",
    "bell": "bells",
    "bells": "bells",
    "choir": "choir",
    "vocal": "vocals",
    "vocals": "vocals",
    "vox": "vocals",
    "voice": "vocals",
    "fx": "sound effects",
    "riser": "risers",
    "noise": "noise sweeps",
    "texture": "textures",
    "ambience": "ambience",
    "foley": "foley",
}
# A device of Live → how it is heard.
DEVICE_SOUNDS = {
    "Operator": "FM synthesizer",
    "Analog": "analog-style synthesizer",
    "Wavetable": "wavetable synthesizer",
    "Drift": "analog-style synthesizer",
    "Meld": "hybrid synthesizer",
    "Tension": "plucked strings",
    "Collision": "mallet percussion",
    "Electric": "electric piano",
    "Simpler": "sampled textures",
    "Sampler": "sampled textures",
    "Impulse": "drum machine",
}
TREATMENTS = {
    "Reverb": "spacious reverb",
    "Hybrid Reverb": "spacious reverb",
    "Delay": "echoing delays",
    "Echo": "echoing delays",
    "Simple Delay": "echoing delays",
    "Ping Pong Delay": "ping-pong delays",
    "Filter Delay": "echoing delays",
    "Grain Delay": "grainy delays",
    "Saturator": "warm saturation",
    "Overdrive": "driven grit",
    "Dynamic Tube": "tube warmth",
    "Amp": "amp grit",
    "Roar": "driven grit",
    "Drum Buss": "punchy drum processing",
    "Auto Filter": "sweeping filters",
    "Auto Pan": "moving stereo motion",
    "Phaser": "swirling phasing",
    "Chorus": "lush chorus",
    "Chorus-Ensemble": "lush chorus",
    "Phaser-Flanger": "swirling phasing",
    "Flanger": "swirling flanging",
    "Compressor": "tight dynamics",
    "Glue Compressor": "tight dynamics",
    "Redux": "lo-fi grit",
    "Erosion": "lo-fi grit",
    "Vinyl Distortion": "dusty vinyl texture",
    "Beat Repeat": "glitched repeats",
    "Frequency Shifter": "metallic shimmer",
}
DRUMS = {
    "kick drum",
    "snare",
    "claps",
    "hi-hats",
    "ride cymbal",
    "cymbals",
    "crash cymbal",
    "toms",
    "percussion",
    "shakers",
    "tambourine",
    "congas",
    "bongos",
    "drums",
    "breakbeat drums",
}
_MOODS = str.split(
    """
    action adventure advertising background ballad calm children christmas commercial cool corporate dark deep
    documentary drama dramatic dream emotional energetic epic fast film fun funny game groovy happy heavy
    holiday hopeful inspiring love meditative melancholic melodic motivational movie nature party positive
    powerful relaxing retro romantic sad sexy slow soft soundscape space sport summer trailer travel upbeat
    uplifting
    """
)
_INSTRUMENTS = str.split(
    """
    accordion bass beat bell bongo brass cello clarinet computer drummachine drums flute guitar harmonica harp
    horn keyboard oboe orchestra organ pad percussion piano rhodes sampler saxophone strings synthesizer
    trombone trumpet viola violin voice
    """
)
_PLAIN = str.split(
    """
    audio midi track group return master loop loops sample samples one shot hit open closed long short high low
    big small hard clean wet dry fill intro verse chorus bridge drop outro build main dub mix house techno
    trance ambient electro funk soul jazz delay reverb echo limiter compressor utility tuner chain rack amp tape
    vinyl warm bright bpm stereo mono left right end start
    """
)
# Words that hold sentences together: a file called "in" is no name that a caption could hold.
_FUNCTION = str.split(
    """
    a an and are as at be but by for from has have in into is it its made no not of off on or out over so than
    that the their them then there these they this to under up was were when while with without
    """
)
# How musicians call the parts of a piece; every other word of a marker's name stays out.
SECTIONS = frozenset(
    str.split(
        """
        intro verse prechorus chorus hook bridge drop break breakdown build buildup rise riser lift main theme outro
        ending coda fill solo interlude refrain vamp tag loop transition climax peak pause stop half double quiet loud
        soft hard big small fade in out part section pre post first second third fourth last a b c d 1 2 3 4 5 6 7 8
        """
    )
)
# Words that name no one and nothing: a file called after them may be described with them.
GENERIC = {*ROLES, *_MOODS, *_INSTRUMENTS, *_PLAIN, *_FUNCTION, *(w for role in ROLES.values() for w in role.split())}


def words_of(text: str) -> list[str]:
    """The lower-case words and numbers of a name: `MARS_Kick 01` gives mars, kick, 01."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return re.findall(r"[^\W\d_]+|\d+", spaced.lower())


def role_of(name: str) -> str:
    """The instrument that a name points to; empty when it says nothing."""
    return next((ROLES[word] for word in words_of(name) if word in ROLES), "")


def moods_of(text: str) -> list[str]:
    """The words of a text that name a mood or a use, each once."""
    plain = (word if word in _MOODS else word.removesuffix("er") for word in words_of(text))
    return list(dict.fromkeys(word for word in plain if word in _MOODS))


def roles_of(text: str) -> list[str]:
    """The instruments that a text names, each once."""
    return list(dict.fromkeys(ROLES[word] for word in words_of(text) if word in ROLES))


def section_of(name: str) -> str:
    """The words of a marker's name that say which part of a piece it is, at most six; empty when none do."""
    words = [word for word in words_of(name) if word in SECTIONS or word in ROLES][:6]
    return " ".join(words) if any(len(word) > 3 or word in ROLES for word in words) else ""


def is_generic(text: str) -> bool:
    """Whether a name is made of generic words and numbers alone."""
    words = words_of(text)
    return bool(words) and all(word.isdecimal() or word in GENERIC or word.rstrip("s") in GENERIC for word in words)


def join_words(words: Iterable[str]) -> str:
    """The words as an English list: a, b and c."""
    *first, last = [*words] or [""]
    return f"{', '.join(first)} and {last}" if first else last
