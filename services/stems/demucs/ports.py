"""What the scheduler needs of a network; no torch."""

from __future__ import annotations

from typing import Protocol

from services.stems.domain import Float32


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
            Shape (batch, sources, channels, frames). Away from the CPU the next forward may write into it again.

        Raises:
            DeviceMemoryExhausted: The device has no room for it.
        """
