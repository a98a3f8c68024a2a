"""Words that the auto-labeller of the MusicGen fine-tuner knows, found in captions.

Source: spec, appendix C: 15 parents of its genres, 56 moods and themes, 40 instruments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_GENRES = (
    "blues",
    "classical",
    "electronic",
    "folk",
    "funk",
    "soul",
    "hip hop",
    "jazz",
    "latin",
    "pop",
    "reggae",
    "rock",
)
_MOODS = (
    "action adventure advertising background ballad calm children christmas commercial cool corporate dark deep "
    "documentary drama dramatic dream emotional energetic epic fast film fun funny game groovy happy heavy "
    "holiday hopeful inspiring love meditative melancholic melodic motivational movie nature party positive "
    "powerful relaxing retro romantic sad sexy slow soft soundscape space sport summer trailer travel upbeat "
    "uplifting"
)
# By how captions write them.
_LONG_INSTRUMENTS = {
    "acoustic bass guitar": "acousticbassguitar",
    "acoustic guitar": "acousticguitar",
    "classical guitar": "classicalguitar",
    "double bass": "doublebass",
    "drum machine": "drummachine",
    "electric guitar": "electricguitar",
    "electric piano": "electricpiano",
    "pipe organ": "pipeorgan",
}
_INSTRUMENTS = (
    "accordion bass beat bell bongo brass cello clarinet computer drums flute guitar harmonica harp horn keyboard "
    "oboe orchestra organ pad percussion piano rhodes sampler saxophone strings synthesizer trombone trumpet "
    "viola violin voice"
)


def genres(caption: str) -> list[str]:
    """Genres that the caption names, in its order."""
    return _named(caption, {genre: genre for genre in _GENRES})


def moods(caption: str) -> list[str]:
    """Moods and themes that the caption names, in its order."""
    return _named(caption, {mood: mood for mood in _MOODS.split()})


def instruments(caption: str) -> list[str]:
    """Instruments that the caption names, in its order; of `electric piano` the longer name counts."""
    return _named(caption, _LONG_INSTRUMENTS | {name: name for name in _INSTRUMENTS.split()})


def _named(caption: str, words: Mapping[str, str]) -> list[str]:
    longest_first = sorted(words, key=len, reverse=True)
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)
    return list(dict.fromkeys(words[found.lower()] for found in pattern.findall(caption)))
