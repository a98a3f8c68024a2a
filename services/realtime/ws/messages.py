"""The text messages, as proto/tonewright/realtime/v1/wire.proto has them."""

from __future__ import annotations

from typing import Annotated

import msgspec

SUBPROTOCOL = "tonewright.realtime.v1"

_Seq = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
_Frames = Annotated[int, msgspec.Meta(ge=-1, le=2**40)]
_Text = Annotated[str, msgspec.Meta(max_length=300)]


class FromClient(msgspec.Struct, tag_field="type"):
    """What every message of a client has."""

    seq: _Seq
    at_frames: _Frames = -1


class Start(FromClient, tag="start"):
    """The loop is in the player."""


class PlayheadAt(FromClient, tag="playhead"):
    """Where the playhead is."""

    playing: bool = True


class Knobs(FromClient, tag="knobs"):
    """Knobs to turn."""

    values: dict[_Text, float] = {}
    overlay: _Text = ""


class Swap(FromClient, tag="swap"):
    """Another source."""

    asset: _Text = ""
    source_mode: _Text = ""
    skip_stem_extraction: bool = False


class Save(FromClient, tag="save"):
    """Keep all as a saved session."""

    display_name: _Text = ""
    session: _Text = ""
    request_id: _Text = ""


class Resync(FromClient, tag="resync"):
    """Send the whole loop again."""


class Ping(FromClient, tag="ping"):
    """Are you there?"""


class Stop(FromClient, tag="stop"):
    """End the performance."""


ClientMessage = Start | PlayheadAt | Knobs | Swap | Save | Resync | Ping | Stop


class LoopFacts(msgspec.Struct, frozen=True):
    """What is played."""

    epoch: int
    frame_count: int
    asset: str
    source_mode: str
    rate_hz: int = 48_000
    channels: int = 2


class KnobFacts(msgspec.Struct, frozen=True):
    """One knob."""

    minimum: float
    maximum: float
    initial: float
    value: float


class FromServer(msgspec.Struct, tag_field="type", kw_only=True):
    """What every message of the server has; `seq` and `at_frames` are set when it is sent."""

    seq: int = 0
    at_frames: int = 0


class Ready(FromServer, tag="ready"):
    """The connection stands."""

    performance: str
    resume_token: str
    engine: str
    loop: LoopFacts
    loop_follows: bool
    knobs: dict[str, KnobFacts]
    overlay: str
    stems: str


class Ack(FromServer, tag="ack"):
    """A control message was taken."""

    of: int
    knobs: dict[str, float]


class StemsReadyMessage(FromServer, tag="stems_ready"):
    """The stems can be blended in."""

    stems: dict[str, str]
    separation: str


class StemsFailedMessage(FromServer, tag="stems_failed"):
    """There are no stems."""

    reason: str
    message: str


class SwappedMessage(FromServer, tag="swapped"):
    """The loop was replaced."""

    of: int
    loop: LoopFacts


class SwapFailedMessage(FromServer, tag="swap_failed"):
    """The loop stays as it was."""

    of: int
    reason: str
    message: str


class Saved(FromServer, tag="saved"):
    """A saved session was written."""

    of: int
    session: str
    etag: str


class Heartbeat(FromServer, tag="heartbeat"):
    """The server lives."""

    slices: int
    missed_deadlines: int
    dropped_slices: int


class Pong(FromServer, tag="pong"):
    """The answer to `ping`."""

    of: int


class Refusal(FromServer, tag="error"):
    """A message was refused."""

    of: int
    reason: str
    message: str


class Reconnect(FromServer, tag="reconnect"):
    """This server is going away."""

    after_ms: int


class StoppedMessage(FromServer, tag="stopped"):
    """The performance has ended."""

    by: str


_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_encoder = msgspec.json.Encoder()


def parse(text: str | bytes) -> ClientMessage:
    """The message in a text frame; raises msgspec.ValidationError or msgspec.DecodeError."""
    message: ClientMessage = _decoder.decode(text)
    return message


def as_text(message: FromServer) -> str:
    """The text frame of a message."""
    return _encoder.encode(message).decode()
