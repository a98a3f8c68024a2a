"""Files of a recording, whole or cut: 16-bit WAV or MP3, nothing in them but sound."""

from __future__ import annotations

import wave
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from audiofiles.mp3 import Mp3Encoder

Float32 = npt.NDArray[np.float32]

_STEPS = np.float32(2.0**15)
_SEED = 30_005


class _Encoder(Protocol):
    def write(self, frames: Float32) -> None: ...

    def close(self) -> None: ...


class PieceFiles:
    """Writes frames into files of a length; a last one that is not longer than the shortest is left out.

    Args:
        folder: Takes the files, `0.wav` and so on.
        recipe: As `make_files` takes it.
    """

    def __init__(self, folder: Path, recipe: dict[str, Any]) -> None:
        self._folder, self._is_mp3 = folder, recipe["encoding"] == "MP3"
        self._rate_hz, self._channels = int(recipe["rate_hz"]), int(recipe["channels"])
        self._limit = int(recipe["piece_s"]) * self._rate_hz
        self._shortest_ms = 1000 * int(recipe["shortest_s"])
        self._pieces: list[dict[str, Any]] = []
        self._open: _Encoder | None = None

    def write(self, frames: Float32) -> None:
        """Take the next frames, shape (n_frames, n_channels)."""
        while len(frames):
            if self._open is None:
                self._begin()
            piece = self._pieces[-1]
            room = self._limit - piece["frames"] if self._limit else len(frames)
            assert self._open is not None, "a file was begun"
            self._open.write(frames[:room])
            piece["frames"] += min(room, len(frames))
            frames = frames[room:]
            if self._limit and piece["frames"] == self._limit:
                self._end()

    def close(self) -> list[dict[str, Any]]:
        """The finished files: `file`, `start_frame`, `frames`."""
        self._end()
        # In whole milliseconds, as the trainer counts.
        if len(self._pieces) > 1 and round(1000 * self._pieces[-1]["frames"] / self._rate_hz) <= self._shortest_ms:
            (self._folder / self._pieces.pop()["file"]).unlink()
        return self._pieces

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def _begin(self) -> None:
        index = len(self._pieces)
        name = f"{index}.mp3" if self._is_mp3 else f"{index}.wav"
        path = self._folder / name
        self._open = (
            Mp3Encoder(path, self._rate_hz, self._channels)
            if self._is_mp3
            else _Wav16(path, self._rate_hz, self._channels, seed=index)
        )
        self._pieces.append({"file": name, "start_frame": index * self._limit, "frames": 0})

    def _end(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class _Wav16:
    """WAV of 16 bits; equal frames give equal bytes."""

    def __init__(self, path: Path, rate_hz: int, channels: int, *, seed: int) -> None:
        self._noise = np.random.default_rng((_SEED, seed))
        self._file = wave.open(str(path), "wb")  # noqa: SIM115  closed by `close`
        self._file.setnchannels(channels)
        self._file.setsampwidth(2)
        self._file.setframerate(rate_hz)

    def write(self, frames: Float32) -> None:
        self._file.writeframes(self._steps(frames).tobytes())

    def close(self) -> None:
        self._file.close()

    def _steps(self, frames: Float32) -> npt.NDArray[np.int16]:
        """Whole steps of 16 bits; with triangular dither of two steps unless they are whole already.

        So 16-bit sound that nothing was done to stays as it is, and silence stays silent.
        Source: Lipshitz, Wannamaker and Vanderkooy, J. Audio Eng. Soc. 40 (1992) 355.
        """
        steps = frames * _STEPS
        if not np.array_equal(steps, np.rint(steps)):
            steps += self._noise.random(steps.shape, np.float32)
            steps -= self._noise.random(steps.shape, np.float32)
        whole: npt.NDArray[np.int16] = np.clip(np.rint(steps), -_STEPS, _STEPS - 1).astype("<i2")
        return whole
