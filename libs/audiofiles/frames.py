"""The frames of an audio file, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import soundfile

from audiofiles.aac import AacFrames
from audiofiles.adts import adts_track
from audiofiles.faults import truncated, unreadable
from audiofiles.mpeg import Uncounted
from audiofiles.mpeg4 import mpeg4_track

Float32 = npt.NDArray[np.float32]

MAX_CHANNELS = 64
_RATES_HZ = range(4000, 768_001)
# What libsndfile answers when it does not know the length, or more.
_NO_LENGTH = 1 << 62


_TRACKS = {"audio/aac": adts_track, "audio/mp4": mpeg4_track}


class Frames(Protocol):
    """An open audio file.

    Attributes:
        rate_hz: Frames per second.
        channels: Channels of each frame.
        promised: How many frames its header tells of; None when it tells of none.
        order: `wave` (L R C LFE Ls Rs …) or `vorbis` (L C R Ls Rs LFE …): how more than two channels are laid out.
    """

    rate_hz: int
    channels: int
    promised: int | None
    order: str

    def read(self, into: Float32) -> int:
        """Fill the array, shape (n_frames, channels), with the next frames; gives how many there were, 0 at the end.

        Raises:
            Unfit: The file is damaged there.
        """


@contextmanager
def open_frames(audio: Path, media_type: str) -> Iterator[Frames]:
    """The file's frames; the media type is what `check_container` found. Raises `Unfit`."""
    if media_type in _TRACKS:
        with audio.open("rb") as file:
            track = _TRACKS[media_type](file, audio.stat().st_size)
        with AacFrames(audio, track) as frames:
            yield frames
        return
    try:
        with audio.open("rb") as bare:
            uncounted = Uncounted.of(bare) if media_type == "audio/mpeg" else None
            with soundfile.SoundFile(uncounted or audio) as file:
                yield _SoundFileFrames.of(file, is_counted=uncounted is None)
    except soundfile.LibsndfileError as error:
        raise unreadable(f"the decoder gives up: {error.error_string}") from error


@dataclass(slots=True)
class _SoundFileFrames:
    rate_hz: int
    channels: int
    promised: int | None
    order: str
    _file: soundfile.SoundFile

    @classmethod
    def of(cls, file: soundfile.SoundFile, *, is_counted: bool = True) -> _SoundFileFrames:
        rate_hz, channels, promised = int(file.samplerate), int(file.channels), int(file.frames)
        if channels > MAX_CHANNELS or rate_hz not in _RATES_HZ:
            raise unreadable(
                f"it has {channels} channels at {rate_hz} Hz; up to {MAX_CHANNELS} at 4000 to 768000 Hz are read"
            )
        order = "vorbis" if file.format == "OGG" else "wave"
        return cls(rate_hz, channels, promised if is_counted and promised < _NO_LENGTH else None, order, file)

    def read(self, into: Float32) -> int:
        try:
            return len(self._file.read(out=into))
        except soundfile.LibsndfileError as error:
            what = error.error_string.removeprefix("Error : ")
            raise truncated(f"the decoder stops in the middle ({what})") from error
