"""stable-audio-tools: audio in a folder, captions in JSON, and the module that joins them; and tars of samples.

Source: spec, B.6 and the webdataset variant of B.3.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from services.datasets.domain.exports import Entry, ExportOptions
from services.datasets.domain.formats import shape
from services.datasets.domain.formats.captions import number
from services.datasets.domain.formats.shape import AIFF, FLAC, MP3, OGG, OPUS, TAR, WAV, Sample, Shape, as_json, text

FOLDER = "audio/"
# Looks captions up by path, and by stem where the reader tells a key instead (its readers of tars do).
_MODULE = '''"""Captions for stable-audio-tools: `custom_metadata_module` of dataset_config.json."""

import functools
import json
import pathlib


@functools.lru_cache(maxsize=1)
def _captions():
    return json.loads(pathlib.Path(__file__).with_name("captions.json").read_text(encoding="utf-8"))


def get_custom_metadata(info, audio):
    """The caption of one file, with its tempo and key where known; files without one are left out."""
    path = info.get("relpath") or info.get("path") or info.get("__key__") or ""
    found = _captions().get(pathlib.PurePosixPath(str(path).replace("\\\\", "/")).stem)
    return dict(found) if found else {"__reject__": True}
'''


def facts(sample: Sample) -> dict[str, Any]:
    """What a model is told about the sample: the prompt, and tempo and key where known."""
    told: dict[str, Any] = {"prompt": sample.caption}
    if sample.bpm:
        told["bpm"] = number(sample.bpm)
    if sample.member.key:
        told["key"] = sample.member.key
    return told


def _suffix(sample: Sample) -> str:
    # The reader looks for .aif and not for .aiff.
    return sample.suffix.replace(".aiff", ".aif")


def _lay_out(samples: Sequence[Sample], options: ExportOptions, name: str) -> list[Entry]:
    dataset = {"id": name, "path": f"./{FOLDER}", "custom_metadata_module": "./custom_metadata.py"}
    config = {"dataset_type": "audio_dir", "datasets": [dataset], "random_crop": True, "drop_last": True}
    files = [
        text("dataset_config.json", as_json(config)),
        text("custom_metadata.py", _MODULE),
        text("captions.json", as_json({sample.stem: facts(sample) for sample in samples})),
    ]
    return files + [shape.audio(sample, f"{FOLDER}{sample.stem}{_suffix(sample)}") for sample in samples]


def _lay_out_tar(samples: Sequence[Sample], options: ExportOptions, name: str) -> list[Entry]:
    files = []
    for sample in samples:
        told = {"text": sample.caption, **facts(sample), "duration": float(sample.piece.duration_s)}
        told |= {"license": sample.member.licence} if sample.member.licence else {}
        files.append(shape.audio(sample, f"{sample.stem}{sample.suffix}"))
        files.append(text(f"{sample.stem}.json", json.dumps(told, ensure_ascii=False), sample))
    return files


STABLE_AUDIO = Shape(accepted=WAV | MP3 | FLAC | OGG | OPUS | AIFF, lay_out=_lay_out)
WEBDATASET = Shape(accepted=WAV | MP3 | FLAC, lay_out=_lay_out_tar, kind=TAR)
