"""Binary frames: absolute keyframes and deltas against what the client is known to hold."""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]

HEADER = struct.Struct("<IBBBBQIIIQI")
MAGIC = 0x31505754  # "TWP1"
KEYFRAME_EVERY = 32  # slices; what went wrong in a client is right again after so many


class Kind(enum.IntEnum):
    """Why a frame is sent."""

    LOOP = 1
    SLICE = 2


class Coding(enum.IntEnum):
    """What its samples are."""

    INT16_KEYFRAME = 1
    FLOAT16_KEYFRAME = 2
    FLOAT16_DELTA = 3


@dataclass(frozen=True, slots=True)
class Header:
    """The 40 bytes before the samples."""

    kind: Kind
    coding: Coding
    seq: int
    epoch: int
    start_frames: int
    frame_count: int
    knobs_seq: int
    render_us: int

    def packed(self) -> bytes:
        """The header as it travels."""
        return HEADER.pack(
            MAGIC,
            self.kind,
            self.coding,
            2,
            0,
            self.seq,
            self.epoch,
            self.start_frames,
            self.frame_count,
            self.knobs_seq,
            min(self.render_us, 2**32 - 1),
        )


class Mirror:
    """What one client holds of one loop, sample for sample as it decodes it.

    It follows the client's own reconstruction, not the exact audio: rounding never adds up.
    """

    def __init__(self, frame_count: int) -> None:
        self._held: Float32 = np.zeros((frame_count, 2), np.float32)
        self._is_known = np.zeros(frame_count, np.bool_)
        self._deltas = 0

    def forget(self) -> None:
        """The client may hold anything: the next frame of every region is a keyframe."""
        self._is_known[:] = False

    def encode(self, start_frames: int, samples: Float32) -> tuple[Coding, bytes] | None:
        """The frame's samples, or None when the client holds them already."""
        region = slice(start_frames, start_frames + len(samples))
        held = self._held[region]
        if self._is_known[region].all():
            delta = (samples - held).astype(np.float16)
            if not delta.any():
                return None
            self._deltas += 1
            if self._deltas % KEYFRAME_EVERY:
                held += delta.astype(np.float32)
                return Coding.FLOAT16_DELTA, delta.tobytes()
        self._is_known[region] = True
        if max(samples.max(), -samples.min()) < 1.0:
            rounded = np.clip(np.rint(samples * np.float32(32_768)), -32_768, 32_767).astype(np.int16)
            np.multiply(rounded, np.float32(1 / 32_768), out=held, casting="unsafe")
            return Coding.INT16_KEYFRAME, rounded.tobytes()
        half = np.clip(samples, -60_000, 60_000).astype(np.float16)
        held[:] = half
        return Coding.FLOAT16_KEYFRAME, half.tobytes()


def apply(loop: Float32, header: Header, payload: bytes) -> None:
    """What a client does with a frame of its epoch; the reference for every client."""
    region = loop[header.start_frames : header.start_frames + header.frame_count]
    if header.coding is Coding.INT16_KEYFRAME:
        region[:] = np.frombuffer(payload, "<i2").reshape(-1, 2).astype(np.float32) * np.float32(1 / 32_768)
        return
    samples = np.frombuffer(payload, "<f2").reshape(-1, 2).astype(np.float32)
    if header.coding is Coding.FLOAT16_KEYFRAME:
        region[:] = samples
    else:
        region += samples
