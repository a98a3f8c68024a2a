"""The model files under a folder, read without torch.

What counts as a model, in the folder itself and in the folders right below it:

    NAME.yaml                 a bag as Demucs publishes it: `models` (signatures), `weights`, `segment`
    SIG.safetensors           weights, with class and arguments in the file's metadata or in SIG.json
    SIG.th, SIG-CHECKSUM.th   a Demucs package, or a plain state dict with class and arguments in SIG.json
    NAME.licence.txt          what the owner of the weights allows

A weights file that no bag names is a model of its own. SIG.json is `{"class": "HTDemucs", "args": [], "kwargs": {…}}`:
the defaults of the class are not the published models, so a file without arguments is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from services.stems.domain import Model, ModelUnusable

ENGINE = "demucs"
# Class names as model files write them, by the short name.
CLASSES = {"HTDemucs": "demucs.htdemucs", "HDemucs": "demucs.hdemucs", "Demucs": "demucs.demucs"}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~@-]{0,127}")
_HEADER_LIMIT = 16 << 20


@dataclass(frozen=True, slots=True)
class Weights:
    """One weights file and the arguments of its network."""

    path: Path
    class_name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    @property
    def sources(self) -> tuple[str, ...]:
        """The stems that the network gives."""
        return tuple(self.kwargs.get("sources") or self.args[0])


@dataclass(frozen=True, slots=True)
class MountedModel:
    """A model and its files."""

    model: Model
    networks: tuple[Weights, ...]
    shares: tuple[tuple[float, ...], ...] | None  # of each network in each source; None: equal
    segment_s: float | None


def find_models(folder: Path) -> dict[str, MountedModel]:
    """The mounted models by id.

    Raises:
        ModelUnusable: A file is not what it should be, or an id is there twice.
    """
    if not folder.is_dir():
        raise ModelUnusable(f"the models folder {folder} does not exist; mount it or set TONEWRIGHT_STEMS_MODELS_DIR")
    found: dict[str, MountedModel] = {}
    for place in [folder, *sorted(child for child in folder.iterdir() if child.is_dir())]:
        for mounted in _models_in(place):
            if mounted.model.id in found:
                raise ModelUnusable(f"there are two models called {mounted.model.id!r} under {folder}; rename one")
            found[mounted.model.id] = mounted
    return found


def _models_in(place: Path) -> Iterator[MountedModel]:
    files = {_signature(path): path for path in sorted(place.iterdir()) if path.suffix in {".safetensors", ".th"}}
    in_bags: set[str] = set()
    for path in sorted(place.glob("*.yaml")):
        bag = yaml.safe_load(path.read_text())
        if not isinstance(bag, dict) or not isinstance(bag.get("models"), list) or not bag["models"]:
            raise ModelUnusable(f"{path} names no models; it should hold `models: [signature, …]`")
        signatures = [str(signature) for signature in bag["models"]]
        missing = [signature for signature in signatures if signature not in files]
        if missing:
            raise ModelUnusable(
                f"{path} names {', '.join(missing)}, of which there is no .safetensors or .th beside it"
            )
        in_bags.update(signatures)
        yield _mounted(path.stem, [files[signature] for signature in signatures], bag, path)
    for signature, path in files.items():
        if signature not in in_bags:
            yield _mounted(signature, [path], {}, None)


def _signature(path: Path) -> str:
    # Demucs writes SIG-CHECKSUM.th.
    return path.stem.rsplit("-", 1)[0] if path.suffix == ".th" else path.stem


def _mounted(model_id: str, paths: Sequence[Path], bag: Mapping[str, Any], bag_file: Path | None) -> MountedModel:
    if not _ID.fullmatch(model_id):
        raise ModelUnusable(
            f"{model_id!r} cannot be a model's id; rename the file to letters, digits, '.', '_' and '-'"
        )
    networks = tuple(_weights(path) for path in paths)
    sources = networks[0].sources
    if any(network.sources != sources for network in networks):
        raise ModelUnusable(f"the networks of {model_id!r} give different stems")
    shares = bag.get("weights")
    licence = paths[0].with_name(f"{model_id}.licence.txt")
    extras = [path for path in (bag_file, *(_settings_file(path) for path in paths)) if path and path.exists()]
    model = Model(
        id=model_id,
        display_name=model_id,
        engine=ENGINE,
        sources=sources,
        rate_hz=int(networks[0].kwargs.get("samplerate", 44100)),
        channels=int(networks[0].kwargs.get("audio_channels", 2)),
        digest=_digest([*paths, *extras]),
        licence=licence.read_text().strip() if licence.exists() else "",
    )
    segment_s = bag.get("segment")
    return MountedModel(
        model,
        networks,
        tuple(tuple(float(share) for share in row) for row in shares) if shares else None,
        float(segment_s) if segment_s else None,
    )


def _weights(path: Path) -> Weights:
    facts = _read_settings(path)
    if facts is None:
        raise ModelUnusable(
            f"{path} says nothing of its network's arguments; put them into {_settings_file(path).name} beside it"
        )
    class_name, args, kwargs = facts
    found = Weights(path, class_name.rsplit(".", 1)[-1], tuple(args), _decoded(kwargs))
    if found.class_name not in CLASSES:
        raise ModelUnusable(f"{path} holds a {class_name}; known are {', '.join(CLASSES)}")
    if not (found.kwargs.get("sources") or found.args):
        raise ModelUnusable(f"{path} does not say which sources its network gives")
    return found


def _settings_file(path: Path) -> Path:
    return path.with_name(f"{_signature(path)}.json")


def _read_settings(path: Path) -> tuple[str, list[Any], dict[str, Any]] | None:
    settings = _settings_file(path)
    if settings.exists():
        given = json.loads(settings.read_text())
        return str(given["class"]), given.get("args", []), given.get("kwargs", {})
    if path.suffix == ".th":
        return _package_settings(path)
    metadata = _safetensors_metadata(path)
    if "klass" not in metadata:
        return None
    if "structure" in metadata:
        raise ModelUnusable(f"{path} holds quantised weights, which are not supported; mount the plain model")
    return metadata["klass"], json.loads(metadata["args"]), json.loads(metadata["kwargs"])


def _safetensors_metadata(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if not 2 <= size <= _HEADER_LIMIT:
            raise ModelUnusable(f"{path} is not a safetensors file")
        try:
            header = json.loads(file.read(size))
        except ValueError as error:
            raise ModelUnusable(f"{path} is not a safetensors file") from error
    return dict(header.get("__metadata__", {}))


def _decoded(value: Any) -> Any:
    """JSON with Demucs' way of writing fractions."""
    if isinstance(value, dict):
        if value.get("_type") == "fraction":
            return Fraction(value["numerator"], value["denominator"])
        return {key: _decoded(item) for key, item in value.items()}
    return [_decoded(item) for item in value] if isinstance(value, list) else value


def _package_settings(path: Path) -> tuple[str, list[Any], dict[str, Any]] | None:
    """Class and arguments of a Demucs package; nothing of it is run and no tensor is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            inner = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            package = _Outline(io.BytesIO(archive.read(inner))).load()
    except (zipfile.BadZipFile, StopIteration, pickle.UnpicklingError) as error:
        raise ModelUnusable(f"{path} is not a file that torch has saved in its present format") from error
    if not isinstance(package, dict) or "klass" not in package:
        return None
    return package["klass"].__name__, list(package["args"]), dict(package["kwargs"])


class _Outline(pickle.Unpickler):
    """Reads a pickle's plain data; every class in it becomes an empty stand-in of the same name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("fractions", "Fraction"):
            return Fraction
        return type(name, (_StandIn,), {"__module__": module})

    def persistent_load(self, pid: Any) -> Any:
        return None


class _StandIn(dict[Any, Any]):
    """Takes whatever a pickle does to an object."""

    def __new__(cls, *_args: Any) -> _StandIn:
        return super().__new__(cls)

    def __init__(self, *_args: Any) -> None:
        super().__init__()

    def __call__(self, *_args: Any) -> _StandIn:
        return self

    def __setstate__(self, _state: Any) -> None:
        """Nothing is kept."""


def _digest(paths: Sequence[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
