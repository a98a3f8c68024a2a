"""One network of a mounted model, ready on its device: windows of audio in, windows of its sources out.

network = load_network(mounted.networks[0], mounted.segment_s, "auto")
sources = network.forward(windows)  # float32, (batch, channels, frames) to (batch, sources, channels, frames)
"""

from __future__ import annotations

import enum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from services.stems.demucs.mounted import Weights
from services.stems.demucs.network_weights import load_module
from services.stems.domain import ModelUnusable

Float32 = npt.NDArray[np.float32]


class Precision(enum.StrEnum):
    """In which numbers a network computes; what goes in and comes out is float32 in each."""

    AUTO = "auto"  # mixed on CUDA, float32 elsewhere
    FLOAT32 = "float32"
    MIXED = "mixed"  # convolutions in TF32 where the device has it, the transformer in bfloat16


class DeviceMemoryExhausted(RuntimeError):
    """The device had no room for a batch; a smaller one may fit."""


class Network(Protocol):
    """One loaded network, on its device. It is used by one thread at a time."""

    @property
    def sources(self) -> tuple[str, ...]:
        """What it gives, in the order of its output."""

    @property
    def rate_hz(self) -> int:
        """Rate of what goes in and comes out."""

    @property
    def channels(self) -> int:
        """Channels of what goes in and comes out."""

    @property
    def segment_frames(self) -> int:
        """Length of a window in frames."""

    @property
    def device(self) -> str:
        """Where it computes, such as `cpu` or `cuda:0`."""

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """How many windows it computes at once, ascending; a batch of another size is padded to the next one."""

    @property
    def memory_bytes(self) -> int:
        """What it holds on its device while it does nothing."""

    def peak_bytes(self, batch: int) -> int:
        """An estimate of what a forward of that many windows takes beyond that."""

    def valid_frames(self, frames: int) -> int:
        """The length to which a chunk of that many frames, at most a window, is padded before it goes in."""

    def forward(self, windows: Float32, bucket: int = 0) -> Float32:
        """The sources of each window.

        A window that is not finite, or whose sources are not, comes back as NaN throughout, so that its first value
        tells; it changes nothing in the others. The same windows at the same bucket give the same bytes.

        Args:
            windows: Shape (batch, channels, frames); `frames` is a length that `valid_frames` gives, and batch at
                most the largest of `batch_sizes`.
            bucket: The one of `batch_sizes` to compute at; 0 takes the smallest that fits.

        Returns:
            Shape (batch, sources, channels, frames).

        Raises:
            DeviceMemoryExhausted: The device has no room for it.
        """


def load_network(
    weights: Weights,
    segment_s: float | None = None,
    device: str = "auto",
    precision: Precision | str = Precision.AUTO,
) -> Network:
    """The network of these weights on a device: `auto`, `cpu`, `cuda` or `cuda:N`.

    Args:
        weights: What is mounted.
        segment_s: Length of a window in seconds, as the model's bag asks for it; None for the network's own.
        device: Where to; `auto` is CUDA where there is one.
        precision: What to compute in.

    Raises:
        ModelUnusable: The weights do not fit their network.
    """
    del precision
    return _Plain(load_module(weights, segment_s), torch.device(best_device() if device == "auto" else device))


def best_device() -> str:
    """`cuda` where torch finds it, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


class _Plain:
    """Computes as the demucs package does."""

    def __init__(self, module: torch.nn.Module, device: torch.device) -> None:
        known: Any = module
        self._module: Any = module.to(device)
        self._device = device
        self.sources: tuple[str, ...] = tuple(known.sources)
        self.rate_hz = int(known.samplerate)
        self.channels = int(known.audio_channels)
        self.segment_frames = int(known.samplerate * known.segment)
        self.device = str(device)
        self.batch_sizes: tuple[int, ...] = (1,) if device.type == "cpu" else (1, 2, 4, 8, 16)
        self.memory_bytes = sum(tensor.nbytes for tensor in module.state_dict().values())
        if self.segment_frames < 1:
            raise ModelUnusable(f"a window of {self.segment_frames} frames holds nothing")

    def peak_bytes(self, batch: int) -> int:
        return batch * self.segment_frames * 2200

    def valid_frames(self, frames: int) -> int:
        if hasattr(self._module, "valid_length"):
            return int(self._module.valid_length(frames))
        return frames

    def forward(self, windows: Float32, bucket: int = 0) -> Float32:
        count = len(windows)
        size = bucket or next(size for size in self.batch_sizes if size >= count)
        given = torch.zeros((size, *windows.shape[1:]))
        fine = np.isfinite(windows).all(axis=(1, 2))
        given[:count][torch.from_numpy(fine)] = torch.from_numpy(windows)[torch.from_numpy(fine)]
        try:
            with torch.inference_mode():
                out = self._module(given.to(self._device))[:count].cpu()
        except torch.OutOfMemoryError as error:
            raise DeviceMemoryExhausted(f"no room for {size} windows on {self.device}") from error
        result: Float32 = out.numpy()
        result[~(fine & np.isfinite(result).all(axis=(1, 2, 3)))] = np.nan
        return result
