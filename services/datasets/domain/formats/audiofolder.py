"""Folders of audio with metadata for Hugging Face datasets, whole and cut for MusicGen DreamBooth.

Source: spec, B.3 and B.9.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from services.datasets.domain.exports import Entry, ExportOptions
from services.datasets.domain.formats import vocabulary
from services.datasets.domain.formats.shape import (
    AIFF,
    FLAC,
    MP3,
    OGG,
    OPUS,
    WAV,
    Sample,
    Shape,
    as_json_lines,
    audio,
    split,
    text,
)

# Identifiers that a dataset card may name; every other licence is `other` there and told per row.
_CARD_LICENCES = frozenset(
    {"cc0-1.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-sa-4.0", "mit"}
)
_Row = Callable[[Sample], dict[str, Any]]


def _columns(sample: Sample) -> dict[str, Any]:
    # Every split has the same columns of the same types: an unknown tempo is 0, never null.
    return {
        "file_name": f"{sample.stem}{sample.suffix}",
        "text": sample.caption,
        "bpm": float(sample.bpm),
        "key": sample.member.key,
        "time_signature": sample.member.time_signature,
        "duration": float(sample.piece.duration_s),
        "genre": ", ".join(vocabulary.genres(sample.body)),
        "license": sample.member.licence,
    }


def _audio_and_text(sample: Sample) -> dict[str, Any]:
    return {"file_name": f"{sample.stem}{sample.suffix}", "text": sample.caption}


def _lay_out_as(row: _Row, use: str) -> Callable[[Sequence[Sample], ExportOptions, str], list[Entry]]:
    def lay_out(samples: Sequence[Sample], options: ExportOptions, name: str) -> list[Entry]:
        train, valid = split(samples, options.validation_share)
        folders = [(folder, found) for folder, found in (("train", train), ("validation", valid)) if found]
        files = [text("README.md", _card(name, [folder for folder, _ in folders], samples, use))]
        for folder, found in folders:
            files.append(text(f"{folder}/metadata.jsonl", as_json_lines([row(sample) for sample in found])))
            files += [audio(sample, f"{folder}/{sample.stem}{sample.suffix}") for sample in found]
        return files

    return lay_out


def _card(name: str, folders: Sequence[str], samples: Sequence[Sample], use: str) -> str:
    licences = {sample.member.licence.strip().lower() for sample in samples}
    licence = next(iter(licences)) if len(licences) == 1 and licences <= _CARD_LICENCES else "other"
    lines = [
        "---",
        f"license: {licence}",
        f"pretty_name: {json.dumps(name, ensure_ascii=False)}",
        "task_categories:",
        "- text-to-audio",
        "tags:",
        "- music",
        "configs:",
        "- config_name: default",
        "  data_files:",
    ]
    for folder in folders:
        lines += [f"  - split: {folder}", f"    path: {folder}/*"]
    minutes = sum(sample.piece.duration_s for sample in samples) / 60
    lines += [
        "---",
        "",
        f"# {name}",
        "",
        f"{len(samples)} pieces of music with captions, {minutes:.1f} minutes.",
        "",
        use,
    ]
    return "\n".join(lines) + "\n"


_WHOLE = """Load it with `load_dataset("audiofolder", data_dir=".")` in this folder.

Columns: `audio`, `text` (the caption), `bpm` (0 when unknown), `key`, `time_signature` (both empty when unknown),
`duration` (seconds), `genre` (of the caption's words), `license` (of each recording; empty when unknown)."""
_PIECES = """Pieces of at most 30 s for MusicGen DreamBooth: give the script this folder as dataset, with
`--target_audio_column_name audio --text_column_name text`."""

HF_AUDIOFOLDER = Shape(
    accepted=WAV | MP3 | FLAC | OGG | OPUS | AIFF, lay_out=_lay_out_as(_columns, _WHOLE), has_split=True
)
MUSICGEN_DREAMBOOTH = Shape(
    accepted=WAV | MP3 | FLAC | OGG,
    lay_out=_lay_out_as(_audio_and_text, _PIECES),
    always_cut=True,
    has_split=True,
)
