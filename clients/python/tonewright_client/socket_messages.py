"""What the performance socket says, as docs/socket.md has it."""

from __future__ import annotations

import msgspec


class LoopFacts(msgspec.Struct, frozen=True):
    """What is played."""

    epoch: int
    frame_count: int
    asset: str
    source_mode: str
    rate_hz: int = 48_000
    channels: int = 2


class Knob(msgspec.Struct, frozen=True):
    """One knob: its range and its value when the connection was made."""

    minimum: float
    maximum: float
    initial: float
    value: float


class Message(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    """What every message of the server has."""

    seq: int
    at_frames: int


class Ready(Message, frozen=True, tag="ready"):
    """The connection stands."""

    performance: str
    resume_token: str
    engine: str
    loop: LoopFacts
    loop_follows: bool
    knobs: dict[str, Knob]
    overlay: str
    stems: str


class Ack(Message, frozen=True, tag="ack"):
    """A control message was taken; all knobs after it."""

    of: int
    knobs: dict[str, float]


class StemsReady(Message, frozen=True, tag="stems_ready"):
    """The stems can be blended in: asset by stem."""

    stems: dict[str, str]
    separation: str


class StemsFailed(Message, frozen=True, tag="stems_failed"):
    """There are no stems; the performance goes on."""

    reason: str
    message: str


class Swapped(Message, frozen=True, tag="swapped"):
    """The loop was replaced."""

    of: int
    loop: LoopFacts


class SwapFailed(Message, frozen=True, tag="swap_failed"):
    """The loop stays as it was."""

    of: int
    reason: str
    message: str


class Saved(Message, frozen=True, tag="saved"):
    """A saved session was written."""

    of: int
    session: str
    etag: str


class Heartbeat(Message, frozen=True, tag="heartbeat"):
    """The server lives."""

    slices: int
    missed_deadlines: int
    dropped_slices: int


class Pong(Message, frozen=True, tag="pong"):
    """The answer to a ping."""

    of: int


class Refused(Message, frozen=True, tag="error"):
    """A message was refused; the performance goes on."""

    of: int
    reason: str
    message: str


class Reconnect(Message, frozen=True, tag="reconnect"):
    """The server is going away; the client connects again by itself."""

    after_ms: int


class Stopped(Message, frozen=True, tag="stopped"):
    """The performance has ended."""

    by: str


Event = (
    Ready
    | Ack
    | StemsReady
    | StemsFailed
    | Swapped
    | SwapFailed
    | Saved
    | Heartbeat
    | Pong
    | Refused
    | Reconnect
    | Stopped
)
