"""One network of a mounted model, ready on its device: windows of audio in, windows of its sources out.

network = load_network(mounted.networks[0], mounted.segment_s, "auto")
sources = network.forward(windows)  # float32, (batch, channels, frames) to (batch, sources, channels, frames)
"""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import torch

from chassis.logs import get_logger
from services.stems.demucs.mounted import Weights
from services.stems.demucs.network_compute import (
    AsLoaded,
    ByGraphs,
    ByTorch,
    Compute,
    Whole,
    give_back_memory,
    held_bytes,
    usable_cpus,
)
from services.stems.demucs.network_core import Core, Spectrum, suits
from services.stems.demucs.network_openvino import ByOpenVino, is_installed
from services.stems.demucs.network_weights import load_module
from services.stems.demucs.ports import DeviceMemoryExhausted, Network
from services.stems.domain import Float32, ModelUnusable

log = get_logger(__name__)

# Translating a network for OpenVINO takes 3 to 8 s, which smaller ones do not win back.
_LARGE_BYTES = 32 << 20


class Precision(enum.StrEnum):
    """In which numbers a network computes; what goes in and comes out is float32 in each."""

    AUTO = "auto"  # mixed on CUDA, float32 elsewhere
    FLOAT32 = "float32"
    MIXED = "mixed"  # convolutions in TF32 where the device has it, the transformer in bfloat16


class Runtime(enum.StrEnum):
    """What computes a network on the CPU."""

    AUTO = "auto"  # OpenVINO where it is installed, for large networks in float32; else torch
    TORCH = "torch"
    OPENVINO = "openvino"
    DEMUCS = "demucs"  # the forward of the demucs package, unchanged


def load_network(
    weights: Weights,
    segment_s: float | None = None,
    device: str = "auto",
    precision: Precision | str = Precision.AUTO,
    runtime: Runtime | str = Runtime.AUTO,
) -> Network:
    """The network of these weights on a device: `auto`, `cpu`, `cuda` or `cuda:N`.

    On the CPU it computes with as many threads as the process has CPUs.

    Args:
        weights: What is mounted.
        segment_s: Length of a window in seconds, as the model's bag asks for it; None for the network's own.
        device: Where to; `auto` is CUDA where there is one.
        precision: What to compute in.
        runtime: What computes on the CPU.

    Raises:
        ModelUnusable: The weights do not fit their network, or there is no such device or precision.
        DeviceMemoryExhausted: The device has no room for it.
    """
    place, wanted = _place(device), _wanted(precision)
    module = load_module(weights, segment_s)
    try:
        network = _Windows(module, place, _compute(module, place, wanted, Runtime(runtime)))
    except torch.OutOfMemoryError as error:
        raise DeviceMemoryExhausted(f"no room for {weights.path.name} on {place}") from error
    give_back_memory()
    return network


def best_device() -> str:
    """`cuda` where torch finds it, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def device_memory_bytes(device: str) -> int:
    """What of a CUDA device's memory is free, for anybody; 0 for the CPU."""
    place = _place(device)
    return torch.cuda.mem_get_info(place)[0] if place.type == "cuda" else 0


def _place(device: str) -> torch.device:
    try:
        place = torch.device(best_device() if device == "auto" else device)
    except RuntimeError as error:
        raise ModelUnusable(
            f"there is no device {device!r}; set TONEWRIGHT_STEMS_DEVICE to auto, cpu, cuda or cuda:N"
        ) from error
    if place.type not in {"cpu", "cuda"} or (place.type == "cuda" and not torch.cuda.is_available()):
        raise ModelUnusable(
            f"torch {torch.__version__} finds no device {device!r} here; set TONEWRIGHT_STEMS_DEVICE=cpu, or install "
            "torch built for CUDA (make setup-demucs with TORCH_INDEX_URL)"
        )
    return place


def _wanted(precision: str) -> Precision:
    try:
        return Precision(precision)
    except ValueError as error:
        raise ModelUnusable(f"there is no precision {precision!r}; choose one of {', '.join(Precision)}") from error


def _compute(module: Any, place: torch.device, precision: Precision, runtime: Runtime) -> Compute:
    on_cpu = place.type == "cpu"
    threads = min(usable_cpus(), torch.get_num_threads())
    if on_cpu:
        torch.set_num_threads(threads)
    is_mixed = precision is Precision.MIXED or (precision is Precision.AUTO and not on_cpu)
    if runtime is Runtime.DEMUCS or not suits(module):
        return AsLoaded(module, place, tensor_float=is_mixed)
    shape = (int(module.audio_channels), int(module.segment * module.samplerate))
    core = Core(module, torch.bfloat16 if is_mixed else torch.float32)
    whole = Whole(Spectrum(module.nfft // 2, shape[1]), core).eval().to(place)
    if not on_cpu:
        return ByGraphs(whole, place, shape, tensor_float=is_mixed)
    is_worth_it = is_installed() and held_bytes(core) > _LARGE_BYTES
    by_openvino = runtime is Runtime.OPENVINO or (runtime is Runtime.AUTO and is_worth_it)
    if not by_openvino or is_mixed:
        return ByTorch(whole)
    try:
        return ByOpenVino(whole, shape, threads)
    except (ImportError, RuntimeError) as error:
        if runtime is Runtime.OPENVINO:
            raise ModelUnusable(f"OpenVINO cannot compute this network: {error}") from error
        log.warning("openvino_unusable", error=str(error))
        return ByTorch(whole)


class _Windows:
    """A network of windows, each of which fails for itself."""

    def __init__(self, module: Any, device: torch.device, compute: Compute) -> None:
        self._compute = compute
        # Without its weights, unless it computes itself.
        known = module if isinstance(compute, AsLoaded) else module.to("meta")
        self._valid = getattr(known, "valid_length", None)
        self.sources: tuple[str, ...] = tuple(module.sources)
        self.rate_hz = int(module.samplerate)
        self.channels = int(module.audio_channels)
        self.segment_frames = int(module.samplerate * module.segment)
        self.device = str(device)
        self.batch_sizes = compute.batch_sizes
        self.memory_bytes = compute.memory_bytes

    def peak_bytes(self, batch: int) -> int:
        return self._compute.peak_bytes(batch)

    def valid_frames(self, frames: int) -> int:
        return int(self._valid(frames)) if self._valid else frames

    def forward(self, windows: Float32, bucket: int = 0) -> Float32:
        count = len(windows)
        size = bucket or next(size for size in self.batch_sizes if size >= count)
        fine = np.isfinite(windows).all(axis=(1, 2))
        given = np.zeros((size, *windows.shape[1:]), np.float32)
        given[:count][fine] = windows[fine]
        try:
            made = self._compute(given)[:count]
        except torch.OutOfMemoryError as error:
            raise DeviceMemoryExhausted(f"no room for {size} windows on {self.device}") from error
        made[~fine] = np.nan
        return made
