"""Decode a file into bare float32 frames; what the child process of a decoder runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audiofiles.containers import check_container
from audiofiles.faults import Unfit, truncated, unreadable
from audiofiles.frames import Frames, open_frames
from audiofiles.mixdown import MAX_CHANNELS, to_stereo

Float32 = npt.NDArray[np.float32]

_BLOCK_VALUES = 1 << 18  # 1 MiB of float32


def decode_to_raw(audio: str, target: str, *, max_frames: int) -> dict[str, Any]:
    """Write the file's frames as interleaved little-endian float32 to the target, 3 to 8 channels mixed down to two.

    Returns:
        media_type, rate_hz, channels and frame_count as the file has them, kept_channels as the target has them.

    Raises:
        Unfit: It is no audio, damaged, has more than `max_frames`, or a sample that is NaN or infinite.
    """
    media_type = check_container(Path(audio))
    with open_frames(Path(audio), media_type) as frames, Path(target).open("wb") as out:
        if frames.channels > MAX_CHANNELS:
            raise Unfit("AUDIO_CHANNELS", f"it has {frames.channels} channels; mix it down to {MAX_CHANNELS} or fewer")
        matrix = to_stereo(frames.channels, frames.order) if frames.channels > 2 else None
        if frames.promised is not None and frames.promised > max_frames:
            raise _too_long(frames.promised, max_frames)
        buffer = np.empty((_BLOCK_VALUES // frames.channels, frames.channels), np.float32)
        count = 0
        while got := frames.read(buffer):
            _check_finite(buffer[:got], count)
            count += got
            if count > max_frames:
                raise _too_long(count, max_frames)
            block = buffer[:got] if matrix is None else buffer[:got] @ matrix
            out.write(np.ascontiguousarray(block, "<f4").data)
        _check_length(frames, count)
        return {
            "media_type": media_type,
            "rate_hz": frames.rate_hz,
            "channels": frames.channels,
            "kept_channels": min(frames.channels, 2),
            "frame_count": count,
        }


def _check_finite(block: Float32, first: int) -> None:
    bad = ~np.isfinite(block).all(axis=1)
    if bad.any():
        frame = first + int(bad.argmax())
        raise Unfit("AUDIO_NOT_FINITE", f"frame {frame} is NaN or infinite; export the audio anew", frame=frame)


def _check_length(frames: Frames, count: int) -> None:
    if frames.promised is not None and count < frames.promised:
        raise truncated(
            f"its header promises {frames.promised} frames and {count} can be decoded",
            promised=frames.promised,
            there=count,
        )
    if not count:
        raise unreadable("it has no sound in it")


def _too_long(count: int, max_frames: int) -> Unfit:
    return Unfit(
        "AUDIO_TOO_LONG", f"it has {count} frames or more and {max_frames} are taken", frames=count, limit=max_frames
    )
