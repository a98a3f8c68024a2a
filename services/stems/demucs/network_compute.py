"""The ways in which a network computes windows: as it was loaded, on the CPU by torch, on CUDA by recorded graphs."""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from services.stems.demucs.network_core import Core, Spectrum
from services.stems.demucs.network_layers import Product
from services.stems.domain import Float32

Tensor = torch.Tensor
# Of a card's free memory, what the graphs of one network may take.
_SHARE = 0.5
# What a window takes while it is computed, in units of its widest layer; measured by torch on the CPU, and rounded up.
_WIDEST = 14


class Compute(Protocol):
    """Computes batches of one length on one device."""

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The sizes of batch that it takes, ascending."""

    @property
    def memory_bytes(self) -> int:
        """What it holds on its device while it does nothing."""

    def peak_bytes(self, batch: int) -> int:
        """What a batch takes beyond that."""

    def __call__(self, windows: Float32) -> Float32:
        """(batch, channels, frames) to (batch, sources, channels, frames); may raise `torch.OutOfMemoryError`."""


class AsLoaded:
    """Computes with the demucs package's own forward; for networks that `Core` does not know."""

    def __init__(self, module: nn.Module, device: torch.device, *, tensor_float: bool) -> None:
        self._module, self._device, self._tensor_float = module.to(device), device, tensor_float
        known: Any = module
        self._values = int(known.samplerate * known.segment) * int(known.audio_channels)
        self.batch_sizes: tuple[int, ...] = (1,) if device.type == "cpu" else (1, 2, 4)
        self.memory_bytes = held_bytes(module)

    def peak_bytes(self, batch: int) -> int:
        """What a batch takes beyond what is held."""
        return batch * self._values * 4 * 300

    def __call__(self, windows: Float32) -> Float32:
        """The sources of each window."""
        with torch.inference_mode(), convolutions(tensor_float=self._tensor_float):
            out = marked(self._module(torch.from_numpy(windows).to(self._device)))
            return out.cpu().numpy()


class Whole(nn.Module):
    """Spectrogram, core and inverse in one."""

    def __init__(self, spectrum: Spectrum, core: Core) -> None:
        super().__init__()
        self.spectrum, self.core = spectrum, core

    def forward(self, mix: Tensor) -> Tensor:
        """(batch, channels, frames) to (batch, sources, channels, frames)."""
        return self.joined(*self.core(self.spectrum(mix), mix))

    def joined(self, spectra: Tensor, waves: Tensor) -> Tensor:
        """What the two branches of the core give, as sources."""
        out = self.spectrum.inverse(spectra) + waves
        return marked(out.view(len(out), self.core.source_count, self.core.channels, -1))


class ByTorch:
    """Computes by torch, window after window."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        self.batch_sizes: tuple[int, ...] = (1,)
        self.memory_bytes = held_bytes(whole)
        for part in whole.modules():
            if isinstance(part, Product):
                part.pack(whole.core.place.shape[1])

    def peak_bytes(self, batch: int) -> int:
        """What a batch takes beyond what is held."""
        return batch * self._whole.core.widest_bytes * _WIDEST

    def __call__(self, windows: Float32) -> Float32:
        """The sources of each window."""
        with torch.inference_mode():
            return self._whole(torch.from_numpy(windows)).numpy()  # type: ignore[no-any-return]


class ByGraphs:
    """Computes on CUDA by one recorded graph per size of batch: two copies, one launch and one wait each.

    What it gives is its own pinned memory, which the next batch writes into.

    Args:
        whole: On the device.
        shape: Channels and frames of a window.
        tensor_float: Whether convolutions use TF32.
    """

    def __init__(self, whole: Whole, device: torch.device, shape: tuple[int, int], *, tensor_float: bool) -> None:
        free, _ = torch.cuda.mem_get_info(device)
        room = whole.core.widest_bytes * _WIDEST
        self._whole, self._device = whole, device
        sizes = [size for size in (1, 2, 4, 8, 16) if size == 1 or size * room <= free * _SHARE]
        before = torch.cuda.memory_reserved(device)
        self._stream: Any = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._graphs: dict[int, tuple[Any, Tensor, Tensor]] = {}
        with torch.inference_mode(), convolutions(tensor_float=tensor_float), torch.cuda.device(device):
            # The largest first: the others then fit into the memory that its graph has.
            for size in reversed(sizes):
                self._graphs[size] = self._record(torch.zeros((size, *shape), device=device))
        largest = self._graphs[sizes[-1]]
        self._given = torch.empty(largest[1].shape, pin_memory=True)
        self._made = torch.empty(largest[2].shape, pin_memory=True)
        self.batch_sizes: tuple[int, ...] = tuple(sizes)
        self.memory_bytes = held_bytes(whole) + torch.cuda.memory_reserved(device) - before

    def _record(self, given: Tensor) -> tuple[Any, Tensor, Tensor]:
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            for _ in range(2):
                self._whole(given)
        self._stream.synchronize()
        pool = next((graph.pool() for graph, _, _ in self._graphs.values()), None)
        graph = torch.cuda.CUDAGraph()
        # Other networks may compute meanwhile, in other threads.
        with torch.cuda.graph(graph, pool=pool, stream=self._stream, capture_error_mode="thread_local"):
            made = self._whole(given)
        return graph, given, made

    def peak_bytes(self, batch: int) -> int:
        """Nothing: the graphs hold what they need."""
        del batch
        return 0

    def __call__(self, windows: Float32) -> Float32:
        """The sources of each window."""
        count = len(windows)
        graph, given, made = self._graphs[count]
        self._given[:count].copy_(torch.from_numpy(windows))
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            given.copy_(self._given[:count], non_blocking=True)
            graph.replay()
            self._made[:count].copy_(made, non_blocking=True)
        self._stream.synchronize()
        return self._made[:count].numpy()


def marked(out: Tensor) -> Tensor:
    """The windows; one of which a value is not finite is NaN throughout."""
    low, high = out.flatten(1).aminmax(dim=1)
    return out + (low * 0 + high * 0)[:, None, None, None]


def convolutions(*, tensor_float: bool) -> AbstractContextManager[Any]:
    """How cuDNN convolves: always by the same algorithm, whichever is fastest today."""
    flags: Callable[..., AbstractContextManager[Any]] = torch.backends.cudnn.flags
    return flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=tensor_float)


def held_bytes(module: nn.Module) -> int:
    """What the module's tensors take."""
    return sum(tensor.nbytes for tensor in [*module.parameters(), *module.buffers()])


def give_back_memory() -> None:
    """Hand what was freed back to the system, where the C library can; loading leaves 0.8 GB behind with OpenVINO."""
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def usable_cpus() -> int:
    """How many CPUs this process may use: those it is bound to, at most its control group's quota."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(bound, round(int(quota) / int(period))))
    except (OSError, ValueError):
        return bound
