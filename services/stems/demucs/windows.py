"""Where the windows of a track lie, and how what networks make of them becomes one track again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.stems.demucs.ports import Network
from services.stems.domain import Float32


@dataclass(frozen=True, slots=True)
class Window:
    """One window of a lane, in frames of the prepared mix."""

    start: int  # where its own frames begin
    frame_count: int  # of its own frames
    read_start: int  # where what the network sees begins: audio on both sides of a window that is cut short
    read_count: int

    @property
    def own(self) -> slice:
        """Its own frames among those that the network sees."""
        lead = self.start - self.read_start
        return slice(lead, lead + self.frame_count)


@dataclass(frozen=True, slots=True)
class Lane:
    """One pass of one network over the mix.

    Args:
        start: Frame of the mix at which the first window begins, 0 or before.
        end: Frame count of the mix.
        overlap: Share of a window that it has in common with the next, 0 to 0.9.
    """

    network: Network
    start: int
    end: int
    overlap: float

    @property
    def stride(self) -> int:
        """Frames from one window to the next."""
        return max(1, int((1 - self.overlap) * self.network.segment_frames))

    def windows(self) -> Iterator[Window]:
        """All of them, in order."""
        segment = self.network.segment_frames
        for start in range(self.start, self.end, self.stride):
            own = min(segment, self.end - start)
            read = self.network.valid_frames(own)
            yield Window(start, own, start - (read - own) // 2, read)


def triangle(frame_count: int) -> Float32:
    """The weights of a window's frames: they rise to 1 in its middle and fall again."""
    half = frame_count // 2
    rise = np.arange(1, half + 1, dtype=np.float32)
    fall = np.arange(frame_count - half, 0, -1, dtype=np.float32)
    weights = np.concatenate([rise, fall])
    weights /= weights.max()
    return weights


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames of a lane that no later window changes."""

    start: int  # frame of the mix, 0 or later
    sources: Float32  # (n_sources, n_channels, n_frames), times their weights
    weights: Float32  # (n_frames,), above 0


class OverlapAdd:
    """Joins the windows of a lane, which come in order, into one signal."""

    def __init__(self, lane: Lane) -> None:
        self._stride, self._end = lane.stride, lane.end
        self._triangle = triangle(lane.network.segment_frames)
        self._tail: tuple[Float32, Float32] | None = None

    def add(self, window: Window, sources: Float32) -> Piece:
        """Take the next window's sources, (n_sources, n_channels, read_count), which may be written into.

        The piece is a view into them; it may have no frames.
        """
        own, weights = sources[:, :, window.own], self._triangle[: window.frame_count].copy()
        own *= weights
        if self._tail is not None:
            tail, tail_weights = self._tail
            own[:, :, : len(tail_weights)] += tail
            weights[: len(tail_weights)] += tail_weights
        done = self._stride if window.start + self._stride < self._end else window.frame_count
        # A copy: it is small, and the window's array can go.
        self._tail = own[:, :, done:].copy(), weights[done:]
        first = min(done, max(0, -window.start))
        return Piece(max(0, window.start + first), own[:, :, first:done], weights[first:done])


class Merge:
    """Sums the pieces of several lanes into sources, as far as all lanes have come.

    Args:
        sources: The wanted ones.
        channels: Of the networks.
        lanes: By lane, the factor of each source that counts in it, in the order of its pieces.
    """

    def __init__(self, sources: tuple[str, ...], channels: int, lanes: Sequence[Mapping[str, float]]) -> None:
        self._lanes, self._channels = lanes, channels
        self._is_shared = {name: sum(name in lane for lane in lanes) > 1 for name in sources}
        self._sums = {name: np.zeros((0, channels), np.float32) for name in sources}
        self._begin = 0
        self._ends = [0] * len(lanes)

    def add(self, lane: int, piece: Piece) -> None:
        """Take the next piece of a lane."""
        first = piece.start - self._begin
        end = first + len(piece.weights)
        for (name, factor), made in zip(self._lanes[lane].items(), piece.sources, strict=True):
            target = self._room(name, end)[first:end]
            scale = np.float32(factor) / piece.weights
            # Channel by channel: across channels of two numpy takes eight times as long.
            for channel, frames in enumerate(made):
                if self._is_shared[name]:
                    target[:, channel] += frames * scale
                else:
                    np.multiply(frames, scale, out=target[:, channel])
        self._ends[lane] = piece.start + len(piece.weights)

    def take(self) -> dict[str, Float32]:
        """The next stretch of every source, (n_frames, n_channels); nothing when a lane has not come further."""
        ready = min(self._ends) - self._begin
        if not ready:
            return {}
        self._begin += ready
        made = {name: total[:ready] for name, total in self._sums.items()}
        self._sums = {name: total[ready:].copy() for name, total in self._sums.items()}
        return made

    def _room(self, name: str, frame_count: int) -> Float32:
        known = self._sums[name]
        missing = frame_count - len(known)
        if missing > 0:
            more = np.zeros((missing, self._channels), np.float32)
            self._sums[name] = np.concatenate([known, more]) if len(known) else more
        return self._sums[name]
