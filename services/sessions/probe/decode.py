"""One pass over the decoded frames: length, hash, loudness, peak and waveform."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile as sf

from services.sessions.domain.waveform import PEAK_LEVELS
from services.sessions.probe.faults import Unfit, truncated, unreadable
from services.sessions.probe.loudness import LoudnessMeter

Float32 = npt.NDArray[np.float32]

_BLOCK_VALUES = 1 << 18  # 1 MiB of float32
_MAX_CHANNELS = 64
_RATES_HZ = range(4000, 768_001)
# libsndfile's "length unknown".
_NO_LENGTH = 1 << 62


def measure(audio: Path, peaks: Path, *, max_duration_s: int) -> dict[str, Any]:
    """Everything a recording says but its media type; writes the waveform. Raises `Unfit`."""
    try:
        with sf.SoundFile(audio) as file:
            return _measure(file, peaks, max_duration_s)
    except sf.LibsndfileError as error:
        raise unreadable(f"the decoder gives up: {error.error_string}") from error


def _measure(file: sf.SoundFile, peaks: Path, max_duration_s: int) -> dict[str, Any]:
    rate_hz, channels, promised = int(file.samplerate), int(file.channels), int(file.frames)
    if channels > _MAX_CHANNELS or rate_hz not in _RATES_HZ:
        raise unreadable(
            f"it has {channels} channels at {rate_hz} Hz; up to {_MAX_CHANNELS} at 4000 to 768000 Hz are read"
        )
    limit = max_duration_s * rate_hz
    if limit < promised < _NO_LENGTH:
        raise _too_long(promised / rate_hz, max_duration_s)
    # Equal sound in two lossless files has equal frames in float32, up to 24 bits.
    digest = hashlib.sha256(f"f32le {rate_hz} {channels}\n".encode())
    meter = LoudnessMeter(rate_hz, channels)
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
            waveform.write(_to_bytes(fine))
            coarse += _to_bytes(_pairs(fine[:, 0], fine[:, 1], PEAK_LEVELS[1] // PEAK_LEVELS[0]))
        waveform.write(coarse)
    if frames < promised < _NO_LENGTH:
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
    }


def _blocks(file: sf.SoundFile, channels: int) -> Iterator[Float32]:
    """The frames in blocks of whole coarse buckets; only the last may be shorter. Each is overwritten by the next."""
    coarsest = PEAK_LEVELS[-1]
    buffer = np.empty((max(coarsest, _BLOCK_VALUES // channels // coarsest * coarsest), channels), dtype=np.float32)
    while True:
        filled = 0
        while filled < len(buffer):
            got = _read(file, buffer[filled:])
            filled += got
            if not got:
                break
        if filled:
            yield buffer[:filled]
        if filled < len(buffer):
            return


def _read(file: sf.SoundFile, into: Float32) -> int:
    try:
        return len(file.read(out=into))
    except sf.LibsndfileError as error:
        raise truncated(f"the decoder stops in the middle ({error.error_string.removeprefix('Error : ')})") from error


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
