"""Captions and the instructions they are asked for with; the chat about a project."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, Unpack, cast
from urllib.parse import urlencode

from tonewright_client.collections import Collection
from tonewright_client.models import (
    BatchCheckCaptionsResponse,
    Caption,
    CaptionFinding,
    CheckCaptionResponse,
)
from tonewright_client.models import PromptPromptTemplate as PromptTemplate
from tonewright_client.transport import Json, Transport

# A model that is re-asked twice may take this long.
_WRITING_S = 130.0


class CaptionHints(TypedDict, total=False):
    """What a person knows about a piece; wins over what the Live Set says."""

    tempo_bpm: float
    time_signature: str
    key: str
    genres: list[str]
    moods: list[str]
    instruments: list[str]
    notes: str


class CaptionOptions(TypedDict, total=False):
    """What a caption is written from; a field left out counts as unknown."""

    asset: str
    live_set: str
    hints: CaptionHints
    hint: str
    """What to do differently than before, up to 300 characters."""
    variant: int
    """Which of several texts for the same input, 0 to 7."""
    prompt_version: str
    """The instruction; default: the artist's newest approved one."""
    siblings: list[str]
    """Captions of the same dataset, which the new one must not repeat."""


class CaptionRetry(TypedDict):
    """An attempt broke rules and a new one starts: forget the text so far."""

    attempt: int
    violations: list[CaptionFinding]


@dataclass(frozen=True, slots=True)
class CaptionStep:
    """Something happened to a caption being written; one of the three is given.

    Attributes:
        delta: More text of the current attempt.
        retry: A new attempt starts.
        caption: The final caption; the last step.
    """

    delta: str = ""
    retry: CaptionRetry | None = None
    caption: Caption | None = None


class Captions(Collection[Caption]):
    """Captions written for audio."""

    COLLECTION = "captions"
    FIELD = "captions"

    def generate(self, *, idempotency_key: str | None = None, **options: Unpack[CaptionOptions]) -> Caption:
        """A caption with its violations, warnings and provenance."""
        path, body = f"{self._base}:generate", _given(options)
        found = self._transport.post(path, body, idempotency_key=idempotency_key, timeout_s=_WRITING_S)
        return cast(Caption, found)

    def variants(self, count: int, **options: Unpack[CaptionOptions]) -> list[Caption]:
        """Several captions for the same input, 1 to 8, to choose from."""
        return [self.generate(**cast(CaptionOptions, {**options, "variant": number})) for number in range(count)]

    def stream(self, **options: Unpack[CaptionOptions]) -> Iterator[CaptionStep]:
        """A caption as it is written; the last step holds it whole."""
        for kind, data in self._transport.spoken(f"{self._base}:stream", {"caption": _given(options)}):
            if kind == "delta":
                yield CaptionStep(delta=str(data["delta"]))
            elif kind == "retry":
                yield CaptionStep(retry=cast(CaptionRetry, data["retry"]))
            elif kind == "caption":
                yield CaptionStep(caption=cast(Caption, data["caption"]))

    def check(
        self, text: str, *, live_set: str = "", tempo_bpm: float = 0, siblings: Sequence[str] = ()
    ) -> CheckCaptionResponse:
        """Which rules a text breaks, and what can be mended without changing its words; nothing is kept."""
        body = _given({"text": text, "live_set": live_set, "tempo_bpm": tempo_bpm, "siblings": list(siblings)})
        return cast(CheckCaptionResponse, self._transport.post(f"{self._base}:check", body))

    def check_all(self, texts: Sequence[str], *, compare_each_other: bool = True) -> list[CheckCaptionResponse]:
        """Which rules each of up to 1,000 texts breaks; by default copies among them are found, too."""
        body = {"requests": [{"text": text} for text in texts], "compare_each_other": compare_each_other}
        found = cast(BatchCheckCaptionsResponse, self._transport.post(f"{self._base}:batchCheck", body))
        return found["responses"]


class TemplateOptions(TypedDict, total=False):
    """What can be said of a template besides its instruction."""

    display_name: str
    temperature: float
    """0 to 2; default 0.7."""
    max_tokens: int
    """50 to 2,000; default 300."""


class PromptTemplates(Collection[PromptTemplate]):
    """Versions of the instruction that captions are asked for with; a version never changes."""

    COLLECTION = "prompt-templates"
    FIELD = "prompt_templates"

    def create(self, version: str, instruction: str, **options: Unpack[TemplateOptions]) -> PromptTemplate:
        """A draft under a new version label, as `train-v3`: used when it is named, and by default once approved."""
        path = f"{self._base}?{urlencode({'prompt_template_id': version})}"
        return cast(PromptTemplate, self._transport.post(path, {"instruction": instruction, **options}))

    def approve(self, name: str) -> PromptTemplate:
        """Make it the artist's default; owners may."""
        return cast(PromptTemplate, self._transport.post(f"{self.path(name)}:approve"))

    def retire(self, name: str) -> PromptTemplate:
        """Take it out of use; captions made with it keep their provenance."""
        return cast(PromptTemplate, self._transport.post(f"{self.path(name)}:retire"))


class ChatMessage(TypedDict):
    """Something said."""

    role: Literal["USER", "ASSISTANT"]
    content: str


class ChatReply(TypedDict):
    """A whole answer."""

    content: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd_micros: int
    dropped_messages: int
    """Number of earlier messages that were left out to keep within the limit."""


@dataclass(frozen=True, slots=True)
class ChatStep:
    """More text of an answer, or, as the last step, the whole of it."""

    delta: str = ""
    reply: ChatReply | None = None


ChatMode = Literal["PRODUCTION", "TRAIN", "GENERATE"]


class Chat:
    """The co-pilot: knows the artist's profile and the Live Set that it is shown."""

    def __init__(self, transport: Transport, artist: str) -> None:
        self._transport, self._path = transport, f"/v1/{artist}/chat:stream"

    def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        mode: ChatMode = "PRODUCTION",
        live_set: str = "",
        captions: Sequence[str] = (),
    ) -> Iterator[ChatStep]:
        """The answer to a conversation of up to 200 messages, the person's last, as it is written."""
        body = _given({"mode": mode, "messages": list(messages), "live_set": live_set, "captions": list(captions)})
        for kind, data in self._transport.spoken(self._path, body):
            if kind == "delta":
                yield ChatStep(delta=str(data["delta"]))
            elif kind == "reply":
                yield ChatStep(reply=cast(ChatReply, data["reply"]))


def _given(options: object) -> Json:
    return {name: value for name, value in cast(Json, options).items() if value}
