"""A mix as networks want it, and what they give as the mix has it: rate, channels, level; in bounded memory."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soxr

from services.stems.domain import Block, Float32, Recording, SeparationInputNotFinite

_BLOCK_FRAMES = 1 << 16
# What Demucs adds to a deviation before it divides by it.
_LEAST = 1e-8


@dataclass(frozen=True, slots=True)
class Level:
    """Mean and deviation of a whole track's middle, the mean of its channels."""

    mean: float
    deviation: float  # above 0


@dataclass(slots=True)
class Measure:
    """Measures a level block by block: the parallel variance of Chan, Golub and LeVeque (1979), in float64."""

    _count: int = 0
    _mean: float = 0.0
    _squares: float = 0.0

    def add(self, frames: Float32) -> None:
        """Take the next frames, shape (n_frames, n_channels); raises `SeparationInputNotFinite`."""
        if not len(frames):
            return
        middle = frames[:, 0].astype(np.float64)
        for channel in range(1, frames.shape[1]):
            middle += frames[:, channel]
        middle /= frames.shape[1]
        # One value that is not finite shows in the sum.
        mean = float(middle.mean())
        if not math.isfinite(mean):
            raise not_finite()
        middle -= mean
        total = self._count + len(middle)
        step = mean - self._mean
        self._squares += float(np.dot(middle, middle)) + step * step * self._count * len(middle) / total
        self._mean += step * len(middle) / total
        self._count = total

    def level(self) -> Level:
        """The level of all that was taken; a single frame has no deviation."""
        variance = self._squares / max(1, self._count - 1)
        return Level(self._mean, math.sqrt(variance) + _LEAST)


def not_finite() -> SeparationInputNotFinite:
    """What a sample that is NaN or infinite raises."""
    return SeparationInputNotFinite("the mix has samples that are not finite, or makes the model give such; mend it")


class Preparation:
    """Brings a mix to a rate and measures it, block by block.

    Args:
        mix: As it came, of at least one frame.
        rate_hz: To which rate.
        folder: Takes the file that is needed when the rate is another.
    """

    def __init__(self, mix: Recording, rate_hz: int, folder: Path) -> None:
        self._source, self._measure = mix, Measure()
        self.is_copy = mix.rate_hz != rate_hz
        path = folder / f"mix-{rate_hz}.f32" if self.is_copy else mix.path
        self.mix = Recording(path, rate_hz, mix.channels, mix.frame_count)

    @property
    def level(self) -> Level:
        """The level of what was measured."""
        return self._measure.level()

    def steps(self) -> Iterator[None]:
        """Do it; `mix` and `level` hold once this has come to its end.

        Raises:
            SeparationInputNotFinite: A sample is NaN or infinite.
        """
        if self.is_copy:
            yield from self._copy()
            return
        for block in _blocks(self._source):
            self._measure.add(block)
            yield

    def _copy(self) -> Iterator[None]:
        count = 0
        with self.mix.path.open("wb") as target:
            for block in _resampled(self._source, self.mix.rate_hz):
                self._measure.add(block)
                target.write(np.ascontiguousarray(block).data)
                count += len(block)
                yield
            if not count:
                count = 1
                target.write(bytes(4 * self.mix.channels))
        self.mix = replace(self.mix, frame_count=count)


def _blocks(mix: Recording) -> Iterator[Float32]:
    with mix.path.open("rb") as file:
        while data := file.read(_BLOCK_FRAMES * mix.channels * 4):
            yield np.frombuffer(data, np.float32).reshape(-1, mix.channels)


def _resampled(mix: Recording, rate_hz: int) -> Iterator[Float32]:
    # soxr: the resampler of Demucs builds a kernel of rate x rate values, gigabytes for odd rates.
    stream = soxr.ResampleStream(mix.rate_hz, rate_hz, mix.channels, dtype="float32", quality="HQ")
    for block in _blocks(mix):
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros((0, mix.channels), np.float32), last=True)


class MixReader:
    """Reads a prepared mix by window, at mean 0 and deviation 1; silence lies before and after it.

    Args:
        mix: Prepared.
        level: Of the mix.
        channels: How many the network wants: one channel is given to each, several are averaged into one.
    """

    def __init__(self, mix: Recording, level: Level, channels: int) -> None:
        self._mix, self._channels = mix, channels
        self._mean = np.float32(level.mean)
        self._scale = np.float32(level.deviation)
        self._file = os.open(mix.path, os.O_RDONLY)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def read(self, start: int, frame_count: int) -> Float32:
        """The window from this frame of the mix on, which may lie before its first; (n_channels, frame_count).

        Raises:
            SeparationInputNotFinite: At this level a sample is not finite.
        """
        first, end = max(0, start), min(self._mix.frame_count, start + frame_count)
        window = np.zeros((self._channels, frame_count), np.float32)
        if first >= end:
            return window
        frames = self._frames(first, end - first)
        inside = window[:, first - start : end - start]
        with np.errstate(over="ignore", invalid="ignore"):
            if self._mix.channels == self._channels:
                np.subtract(frames.T, self._mean, out=inside)
            else:
                inside[:] = frames.mean(axis=1) - self._mean
            inside /= self._scale
            # The sum is quick, and wrong only when it overflows by itself.
            if not np.isfinite(window.sum()) and not np.isfinite(window).all():
                raise not_finite()
        return window

    def _frames(self, first: int, frame_count: int) -> Float32:
        frames = np.empty((frame_count, self._mix.channels), np.float32)
        width = self._mix.channels * 4
        view, read = memoryview(frames.data).cast("B"), 0
        while read < len(view):
            got = os.preadv(self._file, [view[read:]], first * width + read)
            if not got:
                raise OSError(f"the prepared mix ends before frame {first + frame_count}")
            read += got
        return frames


class Fitting:
    """Brings sources from a network's rate and channels back to those of the mix, with its number of frames.

    Args:
        mix: As it came.
        rate_hz: Of the network.
        offsets: By source, what is added to each of its samples.
    """

    def __init__(self, mix: Recording, rate_hz: int, offsets: Mapping[str, float]) -> None:
        self._mix, self._rate_hz = mix, rate_hz
        self._offsets = {name: np.float32(offset) for name, offset in offsets.items() if offset}
        self._streams: dict[str, soxr.ResampleStream] = {}
        self._given = 0

    def add(self, block: Block) -> dict[str, Float32]:
        """The next stretch; nothing when it has no frames yet. The arrays of the block may be changed."""
        return self._cut({name: self._fitted(name, frames, last=False) for name, frames in block.items()})

    def finish(self, names: tuple[str, ...]) -> dict[str, Float32]:
        """What is left once the last block was added; nothing when it has no frames."""
        nothing = np.zeros((0, self._mix.channels), np.float32)
        rest = {name: self._fitted(name, nothing, last=True) for name in names}
        missing = max(0, self._mix.frame_count - self._given - len(rest[names[0]]))
        return self._cut({name: np.pad(frames, ((0, missing), (0, 0))) for name, frames in rest.items()})

    def _fitted(self, name: str, frames: Float32, *, last: bool) -> Float32:
        channels = self._mix.channels
        if frames.shape[1] != channels:
            frames = np.repeat(frames.mean(axis=1, keepdims=True), channels, axis=1)
        if self._mix.rate_hz == self._rate_hz:
            return frames
        if name not in self._streams:
            self._streams[name] = soxr.ResampleStream(self._rate_hz, self._mix.rate_hz, channels, quality="HQ")
        out: Float32 = self._streams[name].resample_chunk(np.ascontiguousarray(frames), last=last)
        return out

    def _cut(self, stretch: dict[str, Float32]) -> dict[str, Float32]:
        limit = self._mix.frame_count - self._given
        kept = {name: frames[:limit] for name, frames in stretch.items()}
        for name in kept.keys() & self._offsets.keys():
            kept[name] += self._offsets[name]
        frame_count = min(map(len, kept.values()))
        self._given += frame_count
        return kept if frame_count else {}
