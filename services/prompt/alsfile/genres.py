"""Genre indicators of a Live Set, each by a rule that the summary names.

Rules:
    named: A track, group, clip, scene or locator holds a word for the genre, as a word of its own.
    named_by_samples: So do at least two sample files.
    four_on_the_floor: Kicks on nearly every beat: house from 115 to below 128 beats per minute, techno from 128 to 150.
    breakbeat: Snares on beats 2 and 4, kicks not on every beat, 160 to 180 beats per minute: drum and bass.
    half_time: Snares on beat 3 and not on 2 and 4: trap with at least three hits of hats per beat from 130 to 170 beats
        per minute, else dubstep from 136 to 146.
    still: Notes of four beats and longer on average, no drums, below 100 beats per minute: ambient.

Rhythm rules ask for at least two bars of drum clips in a set whose signature is 4/4.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from services.prompt.alsfile.drums import Beat

# What is written in names → the genre. The first alternative is the genre itself.
_WORDS = {
    "acid": "acid house",
    "afrobeat": "afrobeat",
    "afrobeats": "afrobeats",
    "amapiano": "amapiano",
    "ambient": "ambient",
    "blues": "blues",
    "boom bap": "boom bap",
    "breakbeat": "breakbeat",
    "breaks": "breakbeat",
    "chillout": "chillout",
    "cinematic": "cinematic",
    "classical": "classical",
    "country": "country",
    "dancehall": "dancehall",
    "disco": "disco",
    "dnb": "drum and bass",
    "d n b": "drum and bass",
    "drum and bass": "drum and bass",
    "drum n bass": "drum and bass",
    "downtempo": "downtempo",
    "drill": "drill",
    "dub": "dub",
    "dubstep": "dubstep",
    "edm": "edm",
    "electro": "electro",
    "folk": "folk",
    "funk": "funk",
    "garage": "garage",
    "gospel": "gospel",
    "grime": "grime",
    "hardcore": "hardcore",
    "hardstyle": "hardstyle",
    "hip hop": "hip hop",
    "hiphop": "hip hop",
    "house": "house",
    "idm": "idm",
    "jazz": "jazz",
    "jungle": "jungle",
    "latin": "latin",
    "lo fi": "lo-fi",
    "lofi": "lo-fi",
    "metal": "metal",
    "orchestral": "orchestral",
    "phonk": "phonk",
    "pop": "pop",
    "psytrance": "psytrance",
    "punk": "punk",
    "reggae": "reggae",
    "reggaeton": "reggaeton",
    "rnb": "r&b",
    "rock": "rock",
    "salsa": "salsa",
    "soul": "soul",
    "synthwave": "synthwave",
    "techno": "techno",
    "trance": "trance",
    "trap": "trap",
    "trip hop": "trip hop",
    "vaporwave": "vaporwave",
}
_NAMED = re.compile(rf" ({'|'.join(sorted(map(re.escape, _WORDS), key=len, reverse=True))})(?= )")
_MOST_TEXTS = 20_000
_ENOUGH_BARS, _NEARLY_ALL, _HARDLY_ANY = 2, 0.75, 0.25


def genre_indicators(
    names: Iterable[str],
    samples: Iterable[str],
    *,
    bpm: float | None,
    signature: str,
    beat: Beat,
    mean_note_beats: float | None,
) -> list[dict[str, Any]]:
    """Genre, rule and weight of each indicator, names first; every genre once.

    Args:
        names: Of tracks, clips, scenes and locators.
        samples: Names of sample files.
        bpm: Tempo at the start.
        signature: Time signature at the start.
        beat: What the drum clips play.
        mean_note_beats: Mean length of the pitched notes; None when there are none.
    """
    found: dict[str, dict[str, Any]] = {}

    def keep(genre: str, rule: str, count: int) -> None:
        found.setdefault(genre, {"genre": genre, "rule": rule, "count": count})

    for genre, count in _said(names).most_common():
        keep(genre, "named", count)
    for genre, count in _said(samples).most_common():
        if count >= 2:
            keep(genre, "named_by_samples", count)
    if bpm and signature == "4/4":
        for genre, rule in _of_rhythm(bpm, beat, mean_note_beats):
            keep(genre, rule, beat.bars)
    return list(found.values())


def _said(texts: Iterable[str]) -> Counter[str]:
    """In how many of the texts each genre is named; equal texts count once."""
    said: Counter[str] = Counter()
    for text in sorted(set(texts))[:_MOST_TEXTS]:
        spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
        words = f" {' '.join(re.findall(r'[a-z]+', spaced.lower()))} "
        joined = f" {' '.join(re.findall(r'[a-z]+', text.lower()))} "
        said.update({_WORDS[match] for match in {*_NAMED.findall(words), *_NAMED.findall(joined)}})
    return said


def _of_rhythm(bpm: float, beat: Beat, mean_note_beats: float | None) -> Iterable[tuple[str, str]]:
    if not beat.bars:
        if bpm < 100 and mean_note_beats is not None and mean_note_beats >= 4:
            yield "ambient", "still"
        return
    kicks, snares = ([count / beat.bars for count in counts] for counts in (beat.kicks, beat.snares))
    if beat.bars < _ENOUGH_BARS:
        return
    if min(kicks) >= _NEARLY_ALL and beat.off_kicks <= beat.bars:
        yield from _in_range(bpm, "four_on_the_floor", (115, 127.999, "house"), (128, 150, "techno"))
    elif min(snares[1], snares[3]) >= _NEARLY_ALL:
        yield from _in_range(bpm, "breakbeat", (160, 180, "drum and bass"))
    elif snares[2] >= _NEARLY_ALL and max(snares[1], snares[3]) <= _HARDLY_ANY:
        is_busy = beat.hats >= 3 * 4 * beat.bars
        yield from _in_range(bpm, "half_time", (130, 170, "trap") if is_busy else (136, 146, "dubstep"))


def _in_range(bpm: float, rule: str, *genres: tuple[float, float, str]) -> Iterable[tuple[str, str]]:
    yield from ((genre, rule) for slowest, fastest, genre in genres if slowest <= bpm <= fastest)
