from __future__ import annotations

import math
import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from services.stems.audio.encoders import STEPS, SUFFIXES, Encoder, open_encoder
from services.stems.audio.space import telling_full_disk
from services.stems.domain import (
    Block,
    Encoded,
    Float32,
    OutputFormat,
    Recording,
    Selection,
)

# Blocks that wait for a thread; the engine waits when it is full.
_WAITING_BLOCKS = 2
_BLOCK_FRAMES = 1 << 16
# How soon a call that waits for a thread hears that the thread is gone.
_LOOK_S = 0.05
# The largest value that 24 bits hold: -1.0 fits, +1.0 does not.
_FULL_SCALE = 1 - 1 / STEPS
# Where a common gain brings the highest peak: the residual's can grow by a step per stem when these are rounded anew.
_AFTER_GAIN = 1 - 16 / STEPS


class StemsClosed(RuntimeError):
    """The stems were given up while something was still to be done with them."""


class WrittenStems:
    """The stems of one mix as files, each encoded by a thread of its own while the next stretch is separated.

    What the engine gives is also kept as it is, for the second pass that a common gain needs. WAV holds what lies
    beyond full scale, so that it never gets one.
    """

    def __init__(self, mix: Recording, selection: Selection, output_format: OutputFormat, folder: Path) -> None:
        self._mix = mix
        self._stems = _Derivation(selection, output_format)
        self._format = output_format
        self._folder = folder
        self._frames = 0
        self._peak = 0.0
        self._open = ExitStack()
        self._source = self._open.enter_context(mix.path.open("rb"))
        self._raw: dict[str, Path] = {}
        self._lanes: dict[str, _Lane] = {}
        self._encoded: Encoded | None = None
        self._turn = threading.Lock()  # between opening lanes and closing
        self._closed = False

    def add(self, block: Block) -> Block:
        """Take the next stretch of the engine's sources; gives that stretch of the stems, before any common gain."""
        if not block:
            return {}
        stems = self._stems.of(block, self._read_mix(len(next(iter(block.values())))), gain=1.0)
        if not self._lanes:
            self._begin(block, stems)
        self._peak = max(self._peak, *(_peak(frames) for frames in stems.values()))
        for name, frames in stems.items():
            # A file that clips is written again, so that the rest of this one is not worth the work.
            self._lanes[name].put(block.get(name), None if self._clips else frames)
        return stems

    def finish(self) -> Encoded:
        """The finished files, once every frame of the mix was added; a repeat gives the same."""
        if self._encoded is None:
            assert self._frames == self._mix.frame_count, "the engine gives every frame of the mix"
            self._end_lanes()
            gain_db = self._encode_again() if self._clips else 0.0
            self._encoded = Encoded({name: self._path(name) for name in self._lanes}, gain_db)
            self.close()
        return self._encoded

    def close(self) -> None:
        """End the threads and let go of the files; a repeat does nothing.

        A call that runs in another thread meanwhile raises soon.
        """
        with self._turn:
            self._closed = True
        for lane in self._lanes.values():
            lane.abandon()
        for raw in self._raw.values():
            raw.unlink(missing_ok=True)
        self._open.close()

    @property
    def _clips(self) -> bool:
        return self._format is not OutputFormat.WAV_FLOAT and self._peak > _FULL_SCALE

    def _begin(self, block: Block, stems: Block) -> None:
        if self._format is not OutputFormat.WAV_FLOAT:
            self._raw = {name: self._folder / f"{name}.raw" for name in block}
        self._open_lanes(list(stems), self._raw)

    def _open_lanes(self, names: list[str], raw: Mapping[str, Path]) -> None:
        mix = self._mix
        with self._turn, telling_full_disk():
            if self._closed:
                raise StemsClosed
            lanes = dict(self._lanes)
            for name in names:
                encoder = open_encoder(self._path(name), mix.rate_hz, mix.channels, mix.frame_count, self._format)
                lanes[name] = _Lane(name, encoder, raw.get(name))
                self._lanes = dict(lanes)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIXES[self._format]}"

    def _read_mix(self, count: int) -> Float32:
        self._source.seek(self._frames * self._mix.channels * 4)
        self._frames += count
        data = self._source.read(count * self._mix.channels * 4)
        return np.frombuffer(data, np.float32).reshape(-1, self._mix.channels)

    def _end_lanes(self) -> None:
        for lane in self._lanes.values():
            lane.end()
        for lane in self._lanes.values():
            lane.join()

    def _encode_again(self) -> float:
        """Write every stem anew with the one gain at which none clips; gives it in dB."""
        gain = _AFTER_GAIN / self._peak
        self._frames = 0
        self._open_lanes(list(self._lanes), {})
        with ExitStack() as files:
            kept = {name: files.enter_context(path.open("rb")) for name, path in self._raw.items()}
            for block in _blocks(kept, self._mix.channels):
                count = len(next(iter(block.values())))
                for name, frames in self._stems.of(block, self._read_mix(count), gain=gain).items():
                    self._lanes[name].put(None, frames)
        self._end_lanes()
        return 20 * math.log10(gain)


class _Derivation:
    """Makes the stems of a stretch out of the engine's sources and the mix."""

    def __init__(self, selection: Selection, output_format: OutputFormat) -> None:
        self._rest = selection.rest
        self._is_exact = output_format is OutputFormat.FLAC_24

    def of(self, block: Block, mix: Float32, *, gain: float) -> dict[str, Float32]:
        """The stems in their order, each as its file will hold it where the format is FLAC."""
        stems = {name: self._rounded(_gained(frames, gain)) for name, frames in block.items()}
        if rest := self._rest:
            # Whole steps below 2**24 have float32 values of their own, and their sums are exact in float64.
            whole = self._rounded(_gained(mix, gain)).astype(np.float64)
            stems[rest] = (whole - sum(frames.astype(np.float64) for frames in stems.values())).astype(np.float32)
        return stems

    def _rounded(self, frames: Float32) -> Float32:
        if not self._is_exact:
            return frames
        # In float64, in which the steps of no float32 overflow.
        return (np.rint(frames.astype(np.float64) * STEPS) / STEPS).astype(np.float32)


class _Lane:
    """The thread of one stem."""

    def __init__(self, name: str, encoder: Encoder, raw: Path | None) -> None:
        self._encoder = encoder
        self._raw = raw
        self._jobs: queue.Queue[tuple[Float32 | None, Float32 | None] | None] = queue.Queue(_WAITING_BLOCKS)
        self._error: BaseException | None = None
        self._abandoned = self._ended = False
        self._thread = threading.Thread(target=self._run, name=f"encode-{name}", daemon=True)
        self._thread.start()

    def put(self, kept: Float32 | None, frames: Float32 | None) -> None:
        """Frames to keep as they are and frames to encode; raises what went wrong before."""
        self._give((kept, frames))

    def end(self) -> None:
        """No more frames come; raises what went wrong before."""
        self._give(None)

    def join(self) -> None:
        """Wait for the end of the file; raises what went wrong."""
        self._thread.join()
        self._raise()

    def abandon(self) -> None:
        """End the thread without caring for the file; a repeat does nothing."""
        self._abandoned = True
        while self._thread.is_alive():
            with suppress(queue.Full):
                self._jobs.put(None, timeout=_LOOK_S)
            self._thread.join(_LOOK_S)

    def _give(self, job: tuple[Float32 | None, Float32 | None] | None) -> None:
        while True:
            self._raise()
            with suppress(queue.Full):
                return self._jobs.put(job, timeout=_LOOK_S)

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error
        if self._abandoned:
            raise StemsClosed

    def _run(self) -> None:
        try:
            with telling_full_disk(), ExitStack() as files:
                files.callback(self._encoder.close)
                raw = files.enter_context(self._raw.open("wb")) if self._raw else None
                for kept, frames in self._given():
                    if not self._abandoned:
                        self._write(raw, kept, frames)
        except BaseException as error:  # the next call raises it
            self._error = error
            for _ in self._given():
                pass

    def _given(self) -> Iterator[tuple[Float32 | None, Float32 | None]]:
        while not self._ended:
            job = self._jobs.get()
            if job is None:
                self._ended = True
            else:
                yield job

    def _write(self, raw: BinaryIO | None, kept: Float32 | None, frames: Float32 | None) -> None:
        if raw is not None and kept is not None:
            raw.write(np.ascontiguousarray(kept, "<f4").data)
        if frames is not None:
            self._encoder.write(frames)


def _gained(frames: Float32, gain: float) -> Float32:
    return frames if gain == 1.0 else frames * np.float32(gain)


def _peak(frames: Float32) -> float:
    return max(float(frames.max()), -float(frames.min()), 0.0)


def _blocks(kept: Mapping[str, BinaryIO], channels: int) -> Iterator[Block]:
    while True:
        block = {
            name: np.frombuffer(file.read(_BLOCK_FRAMES * channels * 4), np.float32).reshape(-1, channels)
            for name, file in kept.items()
        }
        if not len(next(iter(block.values()))):
            return
        yield block
