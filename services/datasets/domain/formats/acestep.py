"""LoRA training of ACE-Step: the files of version 1 (3.5B), and `dataset.json` of version 1.5.

Source: spec, B.4 and B.5.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from services.datasets.domain.exports import Entry, ExportOptions
from services.datasets.domain.formats.captions import fitting, major_or_minor, number, tags_of
from services.datasets.domain.formats.shape import (
    FLAC,
    MP3,
    OGG,
    OPUS,
    WAV,
    Sample,
    Shape,
    as_json,
    audio,
    text,
)
from services.datasets.domain.recipes import Encoding

PROMPT_MAX = 256  # characters; the loader cuts the text there
LONGEST_S = 240.0
MIN_BPM, MAX_BPM = 30, 300
_INSTRUMENTAL = "[Instrumental]"
_SIGNATURES = ("2", "3", "4", "6")
# The same in every export: equal content gives an equal archive.
_CREATED_AT = "1980-01-01T00:00:00+00:00"
_HOW_TO = """This folder holds a dataset for LoRA training of ACE-Step 1.5.

Side-Step: give it dataset.json; it finds the audio beside that file.
The stock user interface takes the paths of dataset.json from where it was started: start it in this folder, or write
this folder's path in place of "./" in every "audio_path".

Captions carry no tempo: it is in "bpm". A value that was unknown, or that the trainer does not take, is empty.
There are no text files of the songs' names here, since the trainer would read them as lyrics.
"""


def tags(sample: Sample, trigger: str) -> str:
    """What a song's `_prompt.txt` says: tags of the caption, joined by comma and space, at most 256 characters."""
    last = f"{number(sample.bpm)} bpm" if sample.bpm else ""
    first = [trigger.replace(",", " ").strip()] if trigger.strip(" ,") else []
    return fitting(first + tags_of(sample.body), last, limit=PROMPT_MAX)


def all_tags(sample: Sample, trigger: str) -> str:
    """The same without a limit, to know what is lost."""
    last = f"{number(sample.bpm)} bpm" if sample.bpm else ""
    first = [trigger.replace(",", " ").strip()] if trigger.strip(" ,") else []
    return fitting(first + tags_of(sample.body), last, limit=1 << 20)


def _lay_out_v1(samples: Sequence[Sample], options: ExportOptions, name: str) -> list[Entry]:
    files = []
    for sample in samples:
        files.append(audio(sample, f"{sample.stem}{sample.suffix}"))
        files.append(text(f"{sample.stem}_prompt.txt", tags(sample, options.trigger), sample))
        files.append(text(f"{sample.stem}_lyrics.txt", _INSTRUMENTAL, sample))
    return files


def whole_bpm(sample: Sample) -> int | None:
    """The tempo as ACE-Step 1.5 takes it; None when unknown or outside 30 to 300."""
    bpm = round(sample.bpm)
    return bpm if MIN_BPM <= bpm <= MAX_BPM else None


def signature(time_signature: str) -> str:
    """The time signature as ACE-Step 1.5 takes it: beats of a bar, 2, 3, 4 or 6; else empty."""
    found = re.fullmatch(r"(\d+)(?:/\d+)?", time_signature.strip())
    return found[1] if found and found[1] in _SIGNATURES else ""


def _lay_out_15(samples: Sequence[Sample], options: ExportOptions, name: str) -> list[Entry]:
    dataset = {
        "metadata": {
            "name": name,
            "custom_tag": options.trigger,
            "tag_position": "prepend",
            "created_at": _CREATED_AT,
            "num_samples": len(samples),
            "all_instrumental": True,
            "genre_ratio": 0,
        },
        "samples": [_sample_15(place, sample, options.trigger) for place, sample in enumerate(samples, start=1)],
    }
    files = [text("dataset.json", as_json(dataset)), text("HOW-TO.txt", _HOW_TO)]
    return files + [audio(sample, f"{sample.stem}{sample.suffix}") for sample in samples]


def _sample_15(place: int, sample: Sample, trigger: str) -> dict[str, Any]:
    file_name = f"{sample.stem}{sample.suffix}"
    return {
        "id": f"{place:08x}",
        "audio_path": f"./{file_name}",
        "filename": file_name,
        "caption": sample.body,
        "genre": "",
        "lyrics": _INSTRUMENTAL,
        "raw_lyrics": "",
        "formatted_lyrics": "",
        "bpm": whole_bpm(sample),
        "keyscale": major_or_minor(sample.member.key),
        "timesignature": signature(sample.member.time_signature),
        "duration": max(1, int(sample.piece.duration_s)),
        "language": "unknown",
        "is_instrumental": True,
        "custom_tag": trigger,
        "labeled": True,
        "prompt_override": None,
    }


ACESTEP_V1 = Shape(accepted=MP3, lay_out=_lay_out_v1, encoding=Encoding.MP3, longest_s=LONGEST_S)
ACESTEP_15 = Shape(accepted=WAV | MP3 | FLAC | OGG | OPUS, lay_out=_lay_out_15, longest_s=LONGEST_S)
