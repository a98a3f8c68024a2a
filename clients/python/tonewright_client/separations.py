"""Separations into stems: start one or many, follow them, play stretches before the end, download the stems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Required, TypedDict, Unpack, cast

from tonewright_client.audio import Assets, OnBytes, download, file_sha256
from tonewright_client.collections import Collection
from tonewright_client.errors import ApiError, GatewayUnreachable
from tonewright_client.models import Operation, Separation
from tonewright_client.transport import Json

ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
# By output format and by media type of a chunk's parts.
_SUFFIXES: Mapping[str, str] = {
    "FLAC_24": "flac",
    "WAV_FLOAT": "wav",
    "MP3": "mp3",
    "audio/flac": "flac",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
}
_TRIES = 8


class ParameterOptions(TypedDict, total=False):
    """What the engine is told; a field left out has the service's default."""

    overlap: float
    """Share of two neighbouring segments that overlaps, 0 to 0.9."""
    shifts: int
    """Number of shifted passes whose mean is taken, 0 to 10; each costs as much as the whole."""
    seed: int
    """Seed of the shifts."""
    deterministic: bool
    """The same bytes whatever runs beside it."""


class WebhookOptions(TypedDict):
    """Where to tell the end of a separation."""

    url: str
    """Where to post: https."""
    secret: str
    """What the events are signed with: `whsec_` and the base64 of 24 to 64 bytes."""


class SeparationOptions(TypedDict, total=False):
    """What can be said of a separation besides its asset; a field left out has the service's default."""

    model: str
    stem_set: Literal["ALL", "TWO_STEMS", "SUBSET"]
    target_stem: str
    """For TWO_STEMS: the source that is taken out."""
    wanted_stems: list[str]
    """For SUBSET: sources of the model."""
    output_format: Literal["FLAC_24", "WAV_FLOAT", "MP3"]
    parameters: ParameterOptions
    priority: Literal["BATCH", "INTERACTIVE"]
    labels: dict[str, str]
    include_residual: bool
    """Also what the stems leave of the source, so that all together are the source exactly."""
    publish_chunks: bool
    """Finished stretches can be played before the whole is done, see `Separations.follow`."""
    webhook: WebhookOptions


class SeparationOrder(SeparationOptions, total=False):
    """One separation of a batch."""

    asset: Required[str]


class StemChunkPart(TypedDict):
    """One stem's share of a chunk."""

    stem: str
    media_type: str
    """audio/flac or audio/wav; it plays by itself."""
    url: str
    """Signed link to the audio, good for an hour, without a key."""


class StemChunk(TypedDict):
    """A stretch of all stems, before any common gain."""

    index: int
    """Counted from 0, without gaps."""
    offset_frames: int
    """Where the chunk before ended."""
    frame_count: int
    rate_hz: int
    parts: list[StemChunkPart]
    """One per stem, in the order of the separation's stems."""


@dataclass(frozen=True, slots=True)
class SeparationEvent:
    """Something happened to a separation.

    Attributes:
        separation: The separation as last told.
        chunk: A stretch of all stems that can be played already; None when it was the separation that changed.
    """

    separation: Separation
    chunk: StemChunk | None = None


class Separations(Collection[Separation]):
    """Assets separated into stems."""

    COLLECTION = "separations"
    FIELD = "separations"

    def start(
        self, asset: str, *, idempotency_key: str | None = None, **options: Unpack[SeparationOptions]
    ) -> Operation:
        """Ask for a separation; its name is the operation's `metadata.target`.

        Equal work that was done before is not done again: the operation is done at once.
        """
        return self._start(self._base, {"asset": asset, **options}, idempotency_key=idempotency_key)

    def start_batch(self, orders: Sequence[SeparationOrder], *, idempotency_key: str | None = None) -> list[Operation]:
        """Ask for 1 to 1000 separations; gives one operation for each, in their order.

        One that was refused is done, has no name and carries its error; the others go on.
        """
        body = {"requests": [{"separation": order} for order in orders]}
        answer = self._transport.post(f"{self._base}:batchCreate", body, idempotency_key=idempotency_key)
        return cast("list[Operation]", answer["operations"])

    def cancel(self, name: str) -> Separation:
        """Ask it to stop, which it does within one segment; one that has ended stays as it is."""
        return cast(Separation, self._transport.post(f"{self.path(name)}:cancel"))

    def follow(self, name: str, *, chunks: bool = False, first_chunk: int = 0) -> Iterator[SeparationEvent]:
        """The separation as it is, then each change of it, until it has ended.

        A lost connection is taken up where it broke: no chunk comes twice, none is left out.

        Args:
            name: The separation.
            chunks: Also each stretch of the stems once it can be played, in order, all before the end; a separation
                has them that was started with `publish_chunks` and did its own work.
            first_chunk: Index of the first chunk to tell, for one who has those before it.

        Raises:
            ApiError: The gateway refuses, or cannot serve it for longer than about 20 seconds.
            GatewayUnreachable: Nothing answers for that long.
        """
        # Chunks of one that has ended come before it is told itself.
        following = _Following(self.get(name), first_chunk) if chunks else _Following(None, first_chunk)
        broken = 0
        while True:
            try:
                for identity, kind, data in self._transport.events(
                    f"{self.path(name)}/events", last_event_id=following.last_id, **following.query()
                ):
                    if kind == "error":  # in the middle of a stream; opening it again says whether it is one for good
                        break
                    broken = 0
                    happened = following.take(identity, kind, data)
                    if happened is not None:
                        yield happened
                else:
                    if following.has_ended:
                        return
            except (GatewayUnreachable, ApiError) as fault:
                if broken >= _TRIES or (isinstance(fault, ApiError) and fault.status < 500 and fault.status != 429):
                    raise
            broken += 1
            self._transport.pause(broken)

    def download_chunk(self, chunk: StemChunk, folder: Path) -> dict[str, Path]:
        """A chunk's audio as files `INDEX-STEM.flac` (or .wav) that play by themselves, by stem.

        Raises:
            ApiError: LINK_EXPIRED, they are older than an hour; follow again with `first_chunk` for new links.
        """
        folder.mkdir(parents=True, exist_ok=True)
        found = {}
        for part in chunk["parts"]:
            file_name = f"{chunk['index']:06d}-{_plain(part['stem'])}.{_SUFFIXES[part['media_type']]}"
            found[part["stem"]] = download(self._transport, part["url"], folder / file_name)
        return found

    def download(self, separation: Separation, folder: Path, *, on_bytes: OnBytes | None = None) -> dict[str, Path]:
        """The stems as files `STEM.flac` (or .wav, .mp3), by stem; a file that has these bytes already stays."""
        folder.mkdir(parents=True, exist_ok=True)
        assets = Assets(self._transport, self._artist)
        suffix = _SUFFIXES[separation["output_format"] or "FLAC_24"]
        found = {}
        for stem in separation["stems"]:
            target = folder / f"{_plain(stem['stem'])}.{suffix}"
            is_there = target.is_file() and file_sha256(target) == assets.get(stem["asset"])["sha256"]
            found[stem["stem"]] = target if is_there else assets.download(stem["asset"], target, on_bytes=on_bytes)
        return found


class _Following:
    """What was told so far."""

    def __init__(self, known: Separation | None, first_chunk: int) -> None:
        self._wants_chunks = known is not None
        self._known = known
        self._told: Separation | None = None
        self._next = first_chunk
        self.last_id = ""

    @property
    def has_ended(self) -> bool:
        return self._told is not None and self._told["state"] in ENDED

    def query(self) -> dict[str, str | int]:
        return {"include_chunks": "true", "first_chunk": self._next} if self._wants_chunks else {}

    def take(self, identity: str, kind: str, data: Json) -> SeparationEvent | None:
        self.last_id = identity or self.last_id
        if kind == "separation":
            told = cast(Separation, data["separation"])
            is_news, self._told, self._known = told != self._told, told, told
            return SeparationEvent(told) if is_news else None
        if kind != "chunk" or self._known is None or data["chunk"]["index"] < self._next:
            return None
        chunk = cast(StemChunk, data["chunk"])
        self._next = chunk["index"] + 1
        return SeparationEvent(self._known, chunk)


def engine_label(separation: Separation) -> str:
    """What separated, for people: the stub says that it is one."""
    engine = separation["engine"]
    return "stub (signal processing, no model)" if engine == "stub" else engine


def _plain(stem: str) -> str:
    """A stem's name as part of a file's name; names of stems are an operator's free text."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in stem)
