"""The key of a Live Set, and whether it can be believed."""

from __future__ import annotations

from collections import Counter
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


def read_key(scale: tuple[str, str] | None, *, in_key: bool, clips: list[tuple[str, str]]) -> dict[str, Any] | None:
    """Root, scale and whether to trust it; None when the file says nothing.

    C Major is what Live writes when nobody chose a key, so it counts only when a clip is set to it.

    Args:
        scale: Root and name of the set as they stand in the file.
        in_key: Whether the set's scale is switched on.
        clips: Root and name of each clip that is set to its scale.
    """
    chosen = Counter(found for clip in clips if (found := _decode(*clip)))
    own = _decode(*scale) if scale else None
    if chosen:
        key, trusted = chosen.most_common(1)[0][0], True
    elif own:
        key, trusted = own, own != (0, "Major")
    else:
        return None
    root, name = key
    return {"root": root, "root_name": _ROOTS[root], "scale": name, "trusted": trusted, "in_key": in_key}


def _decode(root: str, name: str) -> tuple[int, str] | None:
    if not root.isdecimal() or int(root[:4]) > 11 or not name:
        return None
    if name.isdecimal():
        index = int(name[:4])
        return (int(root), _SCALES[index]) if index < len(_SCALES) else None
    return int(root), "".join(c for c in name if c.isprintable())[:60]
