"""Captions written by a language model through the OpenAI SDK, at OpenAI or any service that speaks its protocol."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import openai

from chassis.clock import Clock
from chassis.errors import DependencyUnavailable
from chassis.logs import get_logger
from services.prompt.domain.captions import OpenAiRefused, OpenAiThrottled, Usage
from services.prompt.domain.instructions import Instruction
from services.prompt.domain.ports import Task

log = get_logger(__name__)

MAX_ATTEMPTS = 3
_FORMAT: Any = {
    "type": "json_schema",
    "json_schema": {
        "name": "caption",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"caption": {"type": "string", "description": "The caption, one line."}},
            "required": ["caption"],
            "additionalProperties": False,
        },
    },
}
_OPENING = re.compile(r'^\s*\{\s*"caption"\s*:\s*"')
# Length of the longest escape, a pair of surrogates.
_ESCAPE = 12
# A model that ignores its limit is cut off here.
_MAX_ANSWER = 20_000


class OpenAiWriter:
    """Writes captions by a model; close it when done."""

    engine = "openai"
    max_attempts = MAX_ATTEMPTS

    def __init__(
        self, *, api_key: str, base_url: str, model: str, timeout_s: float, connect_timeout_s: float, max_retries: int
    ) -> None:
        self.model = model
        timeout = httpx2.Timeout(timeout_s, connect=connect_timeout_s)
        self._client = openai.AsyncOpenAI(api_key=api_key, base_url=base_url, timeout=timeout, max_retries=max_retries)

    def temperature(self, instruction: Instruction) -> float:
        """That of the instruction."""
        return instruction.temperature

    async def write(self, task: Task) -> AsyncIterator[str | Usage]:
        """The caption's text as it comes, then the tokens it took."""
        messages: Any = [{"role": message.role, "content": message.content} for message in task.messages]
        with _typed_errors():
            stream = await self._client.chat.completions.create(
                model=self.model,
                messages=messages,
                temperature=task.instruction.temperature,
                max_tokens=task.instruction.max_tokens,
                response_format=_FORMAT,
                stream=True,
                stream_options={"include_usage": True},
            )
            answer, shown, is_finished = "", "", False
            async with stream:
                async for chunk in stream:
                    if chunk.usage is not None:
                        yield Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
                    for choice in chunk.choices[:1]:
                        answer += choice.delta.content or ""
                        is_finished = is_finished or choice.finish_reason is not None
                    text = caption_so_far(answer)
                    if len(text) > len(shown):
                        yield text[len(shown) :]
                        shown = text
                    if len(answer) > _MAX_ANSWER:
                        break
            if not is_finished and len(answer) <= _MAX_ANSWER:
                raise DependencyUnavailable("openai", "openai broke off in the middle; repeat the request later")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def caption_so_far(answer: str) -> str:
    """The caption inside the part of a structured answer that has come; a plain answer as it is.

    Text once given stays a prefix of what is given later.
    """
    opening = _OPENING.match(answer)
    if opening is None:
        return "" if answer.lstrip().startswith("{") or not answer.strip() else answer
    inside = answer[opening.end() :]
    end = re.search(r'(?<!\\)(?:\\\\)*"', inside)
    if end is not None:
        inside = inside[: end.end() - 1]
    for cut in range(min(len(inside), _ESCAPE) + 1):  # the end may stand in the middle of an escape
        try:
            text = str(json.loads(f'"{inside[: len(inside) - cut]}"', strict=False))
        except ValueError:
            continue
        if not text or not "\ud800" <= text[-1] <= "\udfff":
            return text
    return ""


@contextmanager
def _typed_errors() -> Iterator[None]:
    try:
        yield
    except openai.RateLimitError as error:
        wait_s = _retry_after_s(error)
        raise OpenAiThrottled("OpenAI takes no more requests for now; repeat it later", retry_after_s=wait_s) from error
    except openai.InternalServerError as error:
        raise DependencyUnavailable("openai", retry_after_s=_retry_after_s(error)) from error
    except openai.APIStatusError as error:
        log.error("openai_refused", status=error.status_code, code=error.code)
        raise OpenAiRefused(
            f"OpenAI refuses the request with status {error.status_code}; an operator has to check key and model",
            metadata={"dependency": "openai", "status": str(error.status_code)},
        ) from error
    except (openai.APIError, httpx2.HTTPError) as error:
        raise DependencyUnavailable("openai", retry_after_s=5) from error


def _retry_after_s(error: openai.APIStatusError) -> float:
    text = error.response.headers.get("retry-after", "")
    return min(float(text), 600.0) if re.fullmatch(r"\d{1,6}(\.\d+)?", text) else 5.0


def make_probe(base_url: str, api_key: str, clock: Clock) -> Callable[[], None]:
    """A probe of the API for health checks; what it found is remembered for 15 s, since every call goes out."""
    remembered: dict[str, Any] = {"until": float("-inf"), "fault": None}

    def probe() -> None:
        if clock.monotonic() >= remembered["until"]:
            remembered["fault"] = _fault(base_url, api_key)
            remembered["until"] = clock.monotonic() + (5 if remembered["fault"] else 15)
        if remembered["fault"]:
            raise DependencyUnavailable("openai", remembered["fault"])

    return probe


def _fault(base_url: str, api_key: str) -> str | None:
    try:
        headers = {"Authorization": f"Bearer {api_key}"}
        answer = httpx2.get(f"{base_url.rstrip('/')}/models", headers=headers, timeout=1.5)
    except httpx2.HTTPError as error:
        return f"openai cannot be reached ({type(error).__name__}); repeat the request later"
    if answer.status_code in {401, 403}:
        return f"openai refuses the key with status {answer.status_code}"
    return f"openai answers with status {answer.status_code}" if answer.status_code >= 500 else None
