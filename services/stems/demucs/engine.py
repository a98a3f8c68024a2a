"""Runs mounted Demucs models; the only place that knows torch."""

from __future__ import annotations

import importlib
import pickle
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr
import torch
from demucs.apply import BagOfModels, TensorChunk, apply_model
from demucs.htdemucs import HTDemucs

from services.stems.demucs.mounted import CLASSES, MountedModel, Weights
from services.stems.domain import Model, ModelNotFound, ModelUnusable, Parameters, Recording

Float32 = npt.NDArray[np.float32]
Report = Callable[[float], None]

_WAIT_S = 0.5


class DemucsEngine:
    """Takes recordings apart with the mounted models, one recording at a time."""

    def __init__(self, mounted: Mapping[str, MountedModel], device: str = "auto") -> None:
        self._mounted = mounted
        self._device = torch.device(_best_device() if device == "auto" else device)
        self._loaded: dict[str, BagOfModels] = {}
        self._busy = threading.Lock()

    @property
    def device(self) -> str:
        """Where the models run, as `cpu` or `cuda`."""
        return str(self._device)

    def load(self, model_id: str) -> BagOfModels:
        """The model, ready to run; a second call gives the same one.

        Raises:
            ModelNotFound: It is not mounted.
            ModelUnusable: Its weights do not fit its network.
        """
        if model_id not in self._loaded:
            if model_id not in self._mounted:
                raise ModelNotFound(model_id, self._mounted)
            self._loaded[model_id] = _load(self._mounted[model_id]).to(self._device).eval()
        return self._loaded[model_id]

    def separate(
        self, mix: Recording, model: Model, parameters: Parameters, folder: Path, report: Report
    ) -> dict[str, Recording]:
        """The sources of the mix as files in the folder, at the mix's rate, channels and length."""
        with self._turn(report):
            network = self.load(model.id)
            frames = np.fromfile(mix.path, np.float32).reshape(-1, mix.channels)
            given = _fitted(frames, mix.rate_hz, model)
            sources = separate_frames(network, given, parameters, self._device, report)
        return {name: _write(mix, model, sources[name], folder / f"{name}.f32") for name in model.sources}

    @contextmanager
    def _turn(self, report: Report) -> Iterator[None]:
        while not self._busy.acquire(timeout=_WAIT_S):
            report(0.0)
        try:
            yield
        finally:
            self._busy.release()


def separate_frames(
    network: BagOfModels, frames: Float32, parameters: Parameters, device: torch.device, report: Report
) -> dict[str, Float32]:
    """The sources of a mix at the network's rate and number of channels.

    Demucs wants the mix with mean 0 and deviation 1 over the whole track. Its own tool adds the mean back to every
    source, so that their sum has it once per source; here one source, `other` where there is one, gets it.

    Args:
        network: Loaded.
        frames: Shape (n_frames, n_channels), finite.
        parameters: Overlap, shifts and the seed of these.
        device: Where the network is.
        report: Is told the share done before each segment; what it raises ends the work.

    Returns:
        One array of the shape of `frames` per source.
    """
    mix = torch.from_numpy(np.ascontiguousarray(frames.T))
    middle = mix.mean(0)
    mean, deviation = middle.mean(), middle.std(correction=min(1, len(frames) - 1)) + 1e-8
    steps = _Steps(network, len(frames), parameters, report)
    sources = list(network.sources)
    with torch.inference_mode():
        out = _shifted(network, ((mix - mean) / deviation)[None], parameters, device, steps)[0] * deviation
        out[sources.index("other") if "other" in sources else -1] += mean
    report(1.0)
    return {name: out[index].T.numpy() for index, name in enumerate(sources)}


def _shifted(
    network: BagOfModels, mix: torch.Tensor, parameters: Parameters, device: torch.device, steps: _Steps
) -> torch.Tensor:
    """As apply_model with shifts, but drawn from the job's own seed: its generator is the whole process's."""
    options: dict[str, Any] = {"shifts": 0, "overlap": parameters.overlap, "device": device, "callback": steps}
    if not parameters.shifts:
        return apply_model(network, mix, **options)
    draw = random.Random(parameters.seed)  # noqa: S311  # no secret
    furthest = int(0.5 * network.samplerate)
    length = mix.shape[-1]
    total = torch.zeros(())
    chunk: Any = TensorChunk
    padded = chunk(mix).padded(length + 2 * furthest)
    for _ in range(parameters.shifts):
        offset = draw.randint(0, furthest)
        piece = chunk(padded, offset, length + furthest - offset)
        total = total + apply_model(network, piece, **options)[..., furthest - offset :]
    return total / parameters.shifts


@dataclass(slots=True)
class _Steps:
    """Counts the segments that apply_model tells of."""

    network: BagOfModels
    frame_count: int
    parameters: Parameters
    report: Report
    done: int = 0

    def __call__(self, told: Mapping[str, Any]) -> None:
        if told["state"] == "start":
            self.report(min(1.0, self.done / self._all()))
        else:
            self.done += 1

    def _all(self) -> int:
        passes = max(1, self.parameters.shifts)
        per_pass = 0
        part: Any
        for part in self.network.models:
            stride = int((1 - self.parameters.overlap) * int(part.samplerate * part.segment))
            per_pass += -(-self.frame_count // stride)
        return max(1, passes * per_pass)


def _fitted(frames: Float32, rate_hz: int, model: Model) -> Float32:
    """The frames at the model's rate and number of channels."""
    # soxr: the resampler of Demucs builds a kernel of rate x rate values, gigabytes for odd rates.
    at_rate = frames if rate_hz == model.rate_hz else soxr.resample(frames, rate_hz, model.rate_hz, "HQ")
    if not len(at_rate):
        at_rate = np.zeros((1, frames.shape[1]), np.float32)
    if at_rate.shape[1] == model.channels:
        return at_rate
    return np.repeat(at_rate.mean(axis=1, keepdims=True), model.channels, axis=1)


def _write(mix: Recording, model: Model, source: Float32, path: Path) -> Recording:
    fitted = source if mix.channels == model.channels else source.mean(axis=1, keepdims=True).repeat(mix.channels, 1)
    at_rate = fitted if mix.rate_hz == model.rate_hz else soxr.resample(fitted, model.rate_hz, mix.rate_hz, "HQ")
    out = np.zeros((mix.frame_count, mix.channels), np.float32)
    kept = at_rate[: mix.frame_count]
    out[: len(kept)] = kept
    out.tofile(path)
    return Recording(path, mix.rate_hz, mix.channels, mix.frame_count)


def _load(mounted: MountedModel) -> BagOfModels:
    networks: list[Any] = [_network(weights) for weights in mounted.networks]
    shares = [list(row) for row in mounted.shares] if mounted.shares else None
    return BagOfModels(networks, shares, mounted.segment_s)


def _network(weights: Weights) -> HTDemucs:
    kind = getattr(importlib.import_module(CLASSES[weights.class_name]), weights.class_name)
    try:
        network: HTDemucs = kind(*weights.args, **weights.kwargs)
        network.load_state_dict(_state(weights))
    except (TypeError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise ModelUnusable(f"the weights in {weights.path.name} do not fit their network: {error}") from error
    return network


def _state(weights: Weights) -> dict[str, torch.Tensor]:
    if weights.path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(weights.path)
    kinds = [getattr(importlib.import_module(module), name) for name, module in CLASSES.items()]
    with torch.serialization.safe_globals([Fraction, *kinds]):
        package = torch.load(weights.path, "cpu", weights_only=True)
    state: dict[str, torch.Tensor] = package.get("state", package)
    return state


def _best_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"
