"""The key of a Live Set, what it rests on, and whether it can be believed."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_ROOTS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# Live 12 stores the scale's place in its own list; before, the name.
_SCALES = str.split(
    "Major|Minor|Dorian|Mixolydian|Lydian|Phrygian|Locrian|Whole Tone|Half-whole Dim.|Whole-half Dim.|Minor Blues|"
    "Minor Pentatonic|Major Pentatonic|Harmonic Minor|Harmonic Major|Dorian #4|Phrygian Dominant|Melodic Minor|"
    "Lydian Augmented|Lydian Dominant|Super Locrian|8-Tone Spanish|Bhairav|Hungarian Minor|Hirajoshi|In-Sen|Iwato|"
    "Kumoi|Pelog Selisir|Pelog Tembung|Messiaen 3|Messiaen 4|Messiaen 5|Messiaen 6|Messiaen 7",
    "|",
)


# Probe tone ratings of C major and C minor.
# Source: Krumhansl and Kessler, Psychological Review 89 (1982) 334.
_PROFILES = {
    "Major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "Minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
# Below these the notes say too little or speak for two keys; then the key is named and not trusted.
_ENOUGH_NOTES, _ENOUGH_PITCHES, _STRONG_MATCH, _CLEAR_MARGIN = 32, 5, 0.8, 0.06
_ENOUGH_SAMPLES, _CLEAR_MAJORITY = 3, 0.75
_IN_NAME = re.compile(r"(?<![A-Za-z0-9])([A-G])(#|b)? ?(major|maj|minor|min|m)(?![A-Za-z0-9#])")
_DEFAULT = (0, "Major")
_FLATS = {"b": -1, "#": 1, None: 0}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that speaks for a key.

    Attributes:
        source: set, clips, notes or samples.
        root: Pitch class, C is 0.
        scale: Name of the scale.
        is_trusted: Whether it is enough on its own.
        confidence: 0 to 1: the share of clips or samples that agree, the match of the notes, 1 for the set's own.
        count: How many clips, notes or samples were asked; 1 for the set.
    """

    source: str
    root: int
    scale: str
    is_trusted: bool
    confidence: float
    count: int

    def plain(self) -> dict[str, Any]:
        """As the summary holds it."""
        return {
            "source": self.source,
            "root": self.root,
            "root_name": _ROOTS[self.root],
            "scale": self.scale,
            "trusted": self.is_trusted,
            "confidence": round(self.confidence, 3),
            "count": self.count,
        }


def read_key(
    scale: tuple[str, str] | None,
    *,
    in_key: bool,
    clips: Sequence[tuple[str, str]] = (),
    note_beats: Mapping[int, float] | None = None,
    notes: int = 0,
    samples: Iterable[str] = (),
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The key of the set (None when nothing speaks for one) and all evidence, the strongest first.

    Clips that are set to a scale come before the set's own scale, that before what the notes and the names of samples
    say. C Major of the set alone is what Live writes when nobody chose a key, so it is not trusted.

    Args:
        scale: Root and name of the set as they stand in the file.
        in_key: Whether the set's scale is switched on.
        clips: Root and name of each clip that is set to its scale.
        note_beats: Beats that each MIDI pitch sounds, drums left out.
        notes: How many notes those are.
        samples: Names of sample files.
    """
    own = _decode(*scale) if scale else None
    found = [
        _of_clips(clips),
        Evidence("set", *own, own != _DEFAULT, float(own != _DEFAULT), 1) if own else None,
        _of_notes(note_beats or {}, notes),
        _of_samples(samples),
    ]
    evidence = [one for one in found if one is not None]
    # Sorting is stable: among the trusted and among the rest the order above holds, but a default comes last.
    evidence.sort(key=lambda one: (not one.is_trusted, one.source == "set" and not one.is_trusted))
    if not evidence:
        return None, []
    best = evidence[0]
    key = {
        "root": best.root,
        "root_name": _ROOTS[best.root],
        "scale": best.scale,
        "trusted": best.is_trusted,
        "in_key": in_key,
        "evidence": best.source,
        "confidence": round(best.confidence, 3),
    }
    return key, [one.plain() for one in evidence]


def _of_clips(clips: Sequence[tuple[str, str]]) -> Evidence | None:
    chosen = Counter(found for clip in clips if (found := _decode(*clip)))
    if not chosen:
        return None
    (root, scale), count = chosen.most_common(1)[0]
    return Evidence("clips", root, scale, is_trusted=True, confidence=count / chosen.total(), count=chosen.total())


def _of_notes(beats: Mapping[int, float], notes: int) -> Evidence | None:
    """The key whose profile the sounding time of the pitch classes matches best."""
    classes = [0.0] * 12
    for pitch, length in beats.items():
        classes[pitch % 12] += length
    if sum(value > 0 for value in classes) < 3:
        return None
    matches = sorted(
        (
            (_correlation(classes, root, profile), root, scale)
            for scale, profile in _PROFILES.items()
            for root in range(12)
        ),
        reverse=True,
    )
    (match, root, scale), (second, _root, _scale) = matches[0], matches[1]
    if match <= 0:
        return None
    is_enough = notes >= _ENOUGH_NOTES and sum(value > 0 for value in classes) >= _ENOUGH_PITCHES
    is_clear = match >= _STRONG_MATCH and match - second >= _CLEAR_MARGIN
    return Evidence("notes", root, scale, is_enough and is_clear, match, notes)


def _correlation(classes: Sequence[float], root: int, profile: Sequence[float]) -> float:
    turned = [classes[(root + step) % 12] for step in range(12)]
    mean, level = sum(turned) / 12, sum(profile) / 12
    a, b = [value - mean for value in turned], [value - level for value in profile]
    size = math.sqrt(math.fsum(x * x for x in a) * math.fsum(y * y for y in b))
    return math.fsum(x * y for x, y in zip(a, b, strict=True)) / size if size else 0.0


def _of_samples(names: Iterable[str]) -> Evidence | None:
    """The key that names such as `pad_Bmin.wav` agree on; a bare letter says too little."""
    said: Counter[tuple[int, str]] = Counter()
    for name in names:
        keys = {_named(*match.groups()) for match in _IN_NAME.finditer(name.replace("_", " "))}
        said.update(keys)
    if not said:
        return None
    (root, scale), count = said.most_common(1)[0]
    share = count / said.total()
    return Evidence("samples", root, scale, count >= _ENOUGH_SAMPLES and share >= _CLEAR_MAJORITY, share, said.total())


def _named(letter: str, accidental: str | None, mode: str) -> tuple[int, str]:
    natural = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[letter]
    return (natural + _FLATS[accidental]) % 12, "Major" if mode.startswith("maj") else "Minor"


def _decode(root: str, name: str) -> tuple[int, str] | None:
    if not root.isdecimal() or int(root[:4]) > 11 or not name:
        return None
    if name.isdecimal():
        index = int(name[:4])
        return (int(root), _SCALES[index]) if index < len(_SCALES) else None
    return int(root), "".join(c for c in name if c.isprintable())[:60]
