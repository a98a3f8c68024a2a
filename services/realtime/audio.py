"""Files into loops: decoded, stereo, 48 kHz, cut to the grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from audiofiles.containers import check_container
from audiofiles.faults import Unfit
from audiofiles.frames import Frames, open_frames
from audiofiles.mixdown import MAX_CHANNELS, to_stereo
from services.realtime.domain.painter import ALIGN_FRAMES, RATE_HZ
from services.realtime.domain.performance import SourceTooShort, SourceUnreadable

Float32 = npt.NDArray[np.float32]


class LoopLoader:
    """Decodes what can be an asset, and resamples by soxr."""

    def load(self, path: Path, *, limit_s: int) -> Float32:
        """The first `limit_s` seconds as float32, shape (frames, 2); frames are whole 9,600s."""
        try:
            with open_frames(path, check_container(path)) as frames:
                rate_hz = frames.rate_hz
                samples = _two_channels(_first(frames, limit_s * rate_hz), frames)
        except Unfit as fault:
            raise SourceUnreadable(f"the recording cannot be decoded: {fault.message}") from fault
        if rate_hz != RATE_HZ:
            samples = soxr.resample(samples, rate_hz, RATE_HZ)
        frame_count = len(samples) // ALIGN_FRAMES * ALIGN_FRAMES
        if frame_count == 0:
            raise SourceTooShort(f"the recording lasts {len(samples) / RATE_HZ:.3f} s; a loop needs 0.2 s or more")
        return np.ascontiguousarray(samples[:frame_count], dtype=np.float32)


def _first(frames: Frames, limit_frames: int) -> Float32:
    wanted = limit_frames if frames.promised is None else min(limit_frames, frames.promised)
    samples = np.empty((wanted, frames.channels), np.float32)
    count = 0
    while count < wanted and (got := frames.read(samples[count:])):
        count += got
    return samples[:count]


def _two_channels(samples: Float32, frames: Frames) -> Float32:
    if frames.channels == 1:
        return samples.repeat(2, axis=1)
    if 2 < frames.channels <= MAX_CHANNELS:
        return samples @ to_stereo(frames.channels, frames.order)
    return samples[:, :2]
