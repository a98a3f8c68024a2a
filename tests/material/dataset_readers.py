"""Readers of exported datasets, each by the rules of its trainer and by nothing else.

Written from what the spec says of each consumer (appendix B). Each takes the folder of an unpacked archive and
gives what a training would get of it; a file that breaks a rule of the consumer fails an assertion.
"""

from __future__ import annotations

import importlib.util
import io
import json
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

_AUDIOCRAFT = {".wav", ".mp3", ".flac", ".ogg", ".m4a"}
_AUDIOFOLDER = {".wav", ".mp3", ".flac", ".ogg", ".opus", ".aiff"}
_STABLE_AUDIO = {".wav", ".mp3", ".flac", ".ogg", ".aif", ".opus"}
_ACESTEP_15 = {".wav", ".mp3", ".flac", ".ogg", ".opus"}
_REQUIRED = ("title", "artist", "key", "bpm", "genre", "moods", "description", "name", "instrument")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a trainer gets of one piece of audio.

    Attributes:
        audio: The file.
        caption: The text for the model.
        bpm: Beats per minute in a field of its own; 0 when there is none.
        key: The key in a field of its own; empty when there is none.
        extra: Whatever else the reader gives.
    """

    audio: Path
    caption: str
    bpm: float
    key: str
    extra: dict[str, Any]


def audiocraft(repository: Path) -> dict[str, list[Heard]]:
    """Training, validation and so on, by the dataset's configuration; the folder is the repository's root."""
    (config,) = (repository / "config" / "dset" / "audio").glob("*.yaml")
    source = yaml.safe_load(config.read_text(encoding="utf-8"))["datasource"]
    assert {"max_sample_rate", "max_channels", "train", "valid", "evaluate", "generate"} == set(source)
    found = {}
    for split in ("train", "valid", "evaluate", "generate"):
        lines = (repository / source[split] / "data.jsonl").read_text(encoding="utf-8").splitlines()
        found[split] = [_audiocraft_file(repository, json.loads(line), source) for line in lines]
    return found


def _audiocraft_file(repository: Path, meta: dict[str, Any], source: dict[str, Any]) -> Heard:
    assert isinstance(meta["duration"], float)
    assert isinstance(meta["sample_rate"], int)
    assert meta["sample_rate"] <= source["max_sample_rate"]
    audio = repository / meta["path"]
    assert audio.suffix in _AUDIOCRAFT
    info = json.loads(audio.with_suffix(".json").read_text(encoding="utf-8"))
    assert all(key in info for key in _REQUIRED)
    assert all(isinstance(info[key], str) for key in ("title", "artist", "key", "genre", "description", "name"))
    # A list is discarded here, and so is a key with a comma.
    assert isinstance(info["instrument"], str)
    assert "," not in info["key"]
    bpm = 0.0 if info["bpm"] in ("", "None", None) else float(info["bpm"])
    moods = info["moods"] if isinstance(info["moods"], list) else re.split(r"[,\s]+", info["moods"])
    extra = {"moods": moods, "instrument": info["instrument"].lower(), "genre": info["genre"].lower()}
    return Heard(audio, info["description"], bpm, info["key"].lower(), extra | {"artist": info["artist"]})


def audiofolder(folder: Path) -> dict[str, list[Heard]]:
    """The splits of the dataset card; every split has the same columns of the same types."""
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n")
    config = yaml.safe_load(card.split("---\n")[1])
    assert config["license"]
    (only,) = config["configs"]
    found, kinds = {}, set()
    for data_files in only["data_files"]:
        files = set(folder.glob(data_files["path"]))
        (metadata,) = (path for path in files if path.name == "metadata.jsonl")
        rows = [json.loads(line) for line in metadata.read_text(encoding="utf-8").splitlines()]
        kinds |= {tuple((name, type(value)) for name, value in row.items()) for row in rows}
        found[data_files["split"]] = [_audiofolder_row(metadata.parent, row) for row in rows]
        told = {heard.audio for heard in found[data_files["split"]]}
        assert files == told | {metadata}
    assert len(kinds) == 1
    return found


def _audiofolder_row(folder: Path, row: dict[str, Any]) -> Heard:
    name = PurePosixPath(row.pop("file_name"))
    assert not name.is_absolute()
    assert ".." not in name.parts
    audio = folder / name
    assert audio.suffix in _AUDIOFOLDER
    text = row.pop("text")
    return Heard(audio, text, row.pop("bpm", 0.0), row.pop("key", ""), row)


def acestep_v1(folder: Path) -> list[Heard]:
    """The songs that the converter takes: those that have tags and lyrics."""
    found = []
    for audio in sorted(folder.glob("*.mp3")):
        stem = str(audio)[: -len(".mp3")]
        prompt, lyrics = Path(f"{stem}_prompt.txt"), Path(f"{stem}_lyrics.txt")
        if not (prompt.exists() and lyrics.exists()):
            continue
        text = prompt.read_text(encoding="utf-8")
        assert len(text) <= 256
        tags = text.split(", ")
        assert all(tag and "," not in tag and tag == tag.strip() for tag in tags)
        bpm = next((float(tag[: -len(" bpm")]) for tag in tags if re.fullmatch(r"[\d.]+ bpm", tag)), 0.0)
        extra = {"tags": tags, "lyrics": lyrics.read_text(encoding="utf-8")}
        found.append(Heard(audio, text, bpm, "", extra))
    return found


def acestep_15(folder: Path) -> list[Heard]:
    """The labelled samples of `dataset.json`, with paths from its folder; plain texts would be lyrics."""
    dataset = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    metadata, samples = dataset["metadata"], [sample for sample in dataset["samples"] if sample["labeled"] is True]
    assert metadata["num_samples"] == len(dataset["samples"])
    assert metadata["tag_position"] in ("prepend", "append", "replace")
    assert len({sample["id"] for sample in samples}) == len(samples)
    return [_acestep_15_sample(folder, sample) for sample in samples]


def _acestep_15_sample(folder: Path, sample: dict[str, Any]) -> Heard:
    assert re.fullmatch(r"[0-9a-f]{8}", sample["id"])
    audio = folder / sample["audio_path"]
    assert audio.suffix in _ACESTEP_15
    assert audio.name == sample["filename"]
    assert not audio.with_suffix(".txt").exists()
    bpm, key, signature = sample["bpm"], sample["keyscale"], sample["timesignature"]
    assert bpm is None or (isinstance(bpm, int) and 30 <= bpm <= 300)
    assert re.fullmatch(r"([A-G][#b]? (major|minor))?", key)
    assert signature in ("", "2", "3", "4", "6")
    assert isinstance(sample["duration"], int)
    assert sample["prompt_override"] in (None, "caption", "genre")
    assert sample["is_instrumental"] is (sample["lyrics"] == "[Instrumental]")
    prompt = ", ".join(part for part in (sample["custom_tag"], sample["caption"]) if part)
    extra = {"caption": sample["caption"], "timesignature": signature, "duration": sample["duration"]}
    return Heard(audio.resolve(), prompt, float(bpm or 0), key, extra)


def stable_audio(folder: Path) -> list[Heard]:
    """The files that the loader finds, with what the module of the configuration says of them."""
    config = json.loads((folder / "dataset_config.json").read_text(encoding="utf-8"))
    assert config["dataset_type"] == "audio_dir"
    (dataset,) = config["datasets"]
    module = _module(folder / dataset["custom_metadata_module"])
    root, found = folder / dataset["path"], []
    for audio in sorted(path for path in root.rglob("*") if path.suffix in _STABLE_AUDIO):
        info = {"path": str(audio), "relpath": str(audio.relative_to(root)), "seconds_start": 0, "seconds_total": 40}
        told = module.get_custom_metadata(info, None)
        if not told.get("__reject__"):
            found.append(Heard(audio, told["prompt"], float(told.get("bpm", 0)), told.get("key", ""), told))
    return found


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("metadata_module", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pairs(folder: Path) -> list[Heard]:
    """Every WAV of a flat folder with the first line of the text of its stem; a missing or empty text is an error."""
    found = []
    for audio in sorted(folder.glob("*.wav")):
        text = audio.with_suffix(".txt").read_text(encoding="utf-8")
        assert text.strip()
        found.append(Heard(audio, text.splitlines()[0], 0.0, "", {}))
    return found


def webdataset(shard: bytes) -> list[tuple[bytes, dict[str, Any]]]:
    """Samples of a tar: audio and JSON of neighbours that have one key; a key ends at its first dot."""
    samples: list[tuple[str, dict[str, bytes]]] = []
    with tarfile.open(fileobj=io.BytesIO(shard)) as tar:
        for entry in tar:
            key, _, field = entry.name.partition(".")
            if not samples or samples[-1][0] != key:
                samples.append((key, {}))
            data = tar.extractfile(entry)
            assert data is not None
            samples[-1][1][field] = data.read()
    assert len({key for key, _ in samples}) == len(samples)
    found = []
    for _key, fields in samples:
        told = json.loads(fields["json"])
        (audio,) = (data for field, data in fields.items() if field in ("wav", "mp3", "flac"))
        found.append((audio, told | {"prompt": told["text"]}))
    return found
