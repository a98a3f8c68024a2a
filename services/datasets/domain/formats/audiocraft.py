"""MusicGen in audiocraft itself: manifests, metadata beside the audio, and a configuration of the dataset.

Source: spec, B.2.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from services.datasets.domain.exports import Entry, ExportOptions
from services.datasets.domain.formats import vocabulary
from services.datasets.domain.formats.captions import number
from services.datasets.domain.formats.shape import (
    FLAC,
    M4A,
    MP3,
    OGG,
    WAV,
    Sample,
    Shape,
    anonymous_artist,
    as_json,
    as_json_lines,
    audio,
    split,
    text,
)


def _lay_out(samples: Sequence[Sample], options: ExportOptions, name: str) -> list[Entry]:
    train, valid = split(samples, options.validation_share)
    files = []
    for sample in samples:
        files.append(audio(sample, _path(sample)))
        files.append(text(f"dataset/{sample.stem}.json", as_json(_metadata(sample)), sample))
    folder = f"egs/{name}"
    if valid:
        files.append(text(f"{folder}/train/data.jsonl", as_json_lines([_manifest(sample) for sample in train])))
        files.append(text(f"{folder}/valid/data.jsonl", as_json_lines([_manifest(sample) for sample in valid])))
        files.append(text(f"config/dset/audio/{name}.yaml", _config(samples, f"{folder}/train", f"{folder}/valid")))
    else:
        files.append(text(f"{folder}/data.jsonl", as_json_lines([_manifest(sample) for sample in train])))
        files.append(text(f"config/dset/audio/{name}.yaml", _config(samples, folder, folder)))
    return files


def _path(sample: Sample) -> str:
    return f"dataset/{sample.stem}{sample.suffix}"


def _manifest(sample: Sample) -> dict[str, Any]:
    piece = sample.piece
    return {
        "path": _path(sample),
        "duration": float(piece.duration_s),
        "sample_rate": piece.rate_hz,
        "amplitude": None,
        "weight": None,
        "info_path": None,
    }


def _metadata(sample: Sample) -> dict[str, Any]:
    # A key with a comma and an instrument that is a list would be dropped by the reader, so neither is written.
    return {
        "title": sample.member.display_name or sample.stem,
        "artist": anonymous_artist(sample.member),
        "key": sample.member.key.replace(",", " ").lower(),
        "bpm": number(sample.bpm) if sample.bpm else "",
        "genre": ", ".join(vocabulary.genres(sample.body)),
        "moods": vocabulary.moods(sample.body),
        "keywords": [],
        "description": sample.caption,
        "name": sample.stem,
        "instrument": ", ".join(vocabulary.instruments(sample.body)),
        "sample_rate": sample.piece.rate_hz,
        "file_extension": sample.suffix.removeprefix("."),
        "duration": float(sample.piece.duration_s),
    }


def _config(samples: Sequence[Sample], train: str, valid: str) -> str:
    rate_hz = max(sample.piece.rate_hz for sample in samples)
    channels = max(sample.piece.channels for sample in samples)
    # A text in JSON's quotes is a text in YAML.
    train, valid = json.dumps(train), json.dumps(valid)
    return (
        "# @package __global__\n\n"
        "datasource:\n"
        f"  max_sample_rate: {rate_hz}\n"
        f"  max_channels: {channels}\n"
        f"  train: {train}\n"
        f"  valid: {valid}\n"
        f"  evaluate: {valid}\n"
        f"  generate: {valid}\n"
    )


AUDIOCRAFT = Shape(accepted=WAV | MP3 | FLAC | OGG | M4A, lay_out=_lay_out, has_split=True)
