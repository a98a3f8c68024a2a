"""One pass over the decoded frames: length, hash, loudness, peak and waveform."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audiofiles.containers import check_container
from audiofiles.faults import Unfit, truncated, unreadable
from audiofiles.frames import Frames, open_frames
from audiofiles.loudness import LoudnessMeter
from services.sessions.domain.waveform import PEAK_LEVELS
from services.sessions.probe.analysis import Listener

Float32 = npt.NDArray[np.float32]

_BLOCK_VALUES = 1 << 18  # 1 MiB of float32


def measure_file(audio: str, peaks: str, *, max_duration_s: int) -> dict[str, Any]:
    """Everything a recording says; writes the waveform. Raises `Unfit`."""
    media_type = check_container(Path(audio))
    with open_frames(Path(audio), media_type) as frames:
        return {"media_type": media_type, **_measure(frames, Path(peaks), max_duration_s)}


def _measure(file: Frames, peaks: Path, max_duration_s: int) -> dict[str, Any]:
    rate_hz, channels, promised = file.rate_hz, file.channels, file.promised
    limit = max_duration_s * rate_hz
    if promised is not None and promised > limit:
        raise _too_long(promised / rate_hz, max_duration_s)
    # Equal sound in two lossless files has equal frames in float32, up to 24 bits.
    digest = hashlib.sha256(f"f32le {rate_hz} {channels}\n".encode())
    meter, hearing = LoudnessMeter(rate_hz, channels), _Hearing(rate_hz, channels)
    frames, peak, coarse = 0, 0.0, bytearray()
    with peaks.open("wb") as waveform:
        for block in _blocks(file, channels):
            frames += len(block)
            if frames > limit:
                raise _too_long(frames / rate_hz, max_duration_s)
            flat = block.reshape(-1)
            fine = _pairs(flat, flat, PEAK_LEVELS[0] * channels)
            low, high = float(fine[:, 0].min()), float(fine[:, 1].max())
            if not (np.isfinite(low) and np.isfinite(high)):
                raise unreadable("it has samples that are no finite numbers")
            peak = max(peak, -low, high)
            digest.update(block.data)
            meter.feed(block)
            hearing.feed(block, fine)
            waveform.write(_to_bytes(fine))
            coarse += _to_bytes(_pairs(fine[:, 0], fine[:, 1], PEAK_LEVELS[1] // PEAK_LEVELS[0]))
        waveform.write(coarse)
    if promised is not None and frames < promised:
        raise truncated(
            f"its header promises {promised} frames and {frames} can be decoded", promised=promised, there=frames
        )
    if not frames:
        raise unreadable("it has no sound in it")
    return {
        "frames": frames,
        "rate_hz": rate_hz,
        "channels": channels,
        "pcm_sha256": digest.hexdigest(),
        "loudness_lufs": meter.integrated_lufs(),
        "peak": peak,
        "analysis": hearing.heard(),
    }


class _Hearing:
    """Listens as long as it can: what is heard is a help, and no upload fails for want of it."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._listener: Listener | None = Listener(rate_hz, channels)

    def feed(self, block: Float32, fine: Float32) -> None:
        if self._listener is not None:
            try:
                self._listener.feed(block, fine)
            except (ArithmeticError, LookupError, MemoryError, ValueError):
                self._listener = None

    def heard(self) -> dict[str, Any] | None:
        if self._listener is None:
            return None
        try:
            return self._listener.heard()
        except (ArithmeticError, LookupError, MemoryError, ValueError):
            return None


def _blocks(file: Frames, channels: int) -> Iterator[Float32]:
    """The frames in blocks of whole coarse buckets; only the last may be shorter. Each is overwritten by the next."""
    coarsest = PEAK_LEVELS[-1]
    buffer = np.empty((max(coarsest, _BLOCK_VALUES // channels // coarsest * coarsest), channels), dtype=np.float32)
    while True:
        filled = 0
        while filled < len(buffer):
            got = file.read(buffer[filled:])
            filled += got
            if not got:
                break
        if filled:
            yield buffer[:filled]
        if filled < len(buffer):
            return


def _pairs(lows: Float32, highs: Float32, per_bucket: int) -> Float32:
    """Minimum and maximum of each bucket, shape (buckets, 2)."""
    starts = np.arange(0, len(lows), per_bucket)
    return np.stack((np.minimum.reduceat(lows, starts), np.maximum.reduceat(highs, starts)), axis=1)


def _to_bytes(pairs: Float32) -> bytes:
    return np.clip(np.rint(pairs * 127), -127, 127).astype(np.int8).tobytes()


def _too_long(duration_s: float, max_duration_s: int) -> Unfit:
    return Unfit(
        "AUDIO_TOO_LONG",
        f"the recording lasts {duration_s:.0f} s or more; {max_duration_s} s are taken: cut it into parts",
        duration_s=round(duration_s),
        limit_s=max_duration_s,
    )
