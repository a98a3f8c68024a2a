"""Files into loops: decoded, stereo, 48 kHz, cut to the grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from services.realtime.domain.painter import ALIGN_FRAMES, RATE_HZ
from services.realtime.domain.performance import SourceTooShort, SourceUnreadable


class LoopLoader:
    """Decodes by libsndfile and resamples by soxr."""

    def load(self, path: Path, *, limit_s: int) -> npt.NDArray[np.float32]:
        """The first `limit_s` seconds as float32, shape (frames, 2); frames are whole 9,600s."""
        try:
            with soundfile.SoundFile(path) as file:
                rate_hz = int(file.samplerate)
                samples = file.read(limit_s * rate_hz, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise SourceUnreadable(
                "the recording cannot be decoded; upload it as WAV, FLAC, AIFF, OGG or MP3"
            ) from error
        if rate_hz != RATE_HZ:
            samples = soxr.resample(samples, rate_hz, RATE_HZ)
        frame_count = len(samples) // ALIGN_FRAMES * ALIGN_FRAMES
        if frame_count == 0:
            raise SourceTooShort(f"the recording lasts {len(samples) / RATE_HZ:.3f} s; a loop needs 0.2 s or more")
        stereo = samples[:frame_count, :2] if samples.shape[1] >= 2 else samples[:frame_count].repeat(2, axis=1)
        return np.ascontiguousarray(stereo, dtype=np.float32)
