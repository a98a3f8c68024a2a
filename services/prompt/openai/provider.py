"""Questions to a model: limits, repeats, and typed errors."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx2
import openai

from chassis.errors import AppError, DependencyUnavailable
from chassis.logs import get_logger
from services.prompt.domain.captions import OpenAiRefused, OpenAiThrottled, Prices, Usage
from services.prompt.domain.instructions import Exchange
from services.prompt.openai.dialect import Dialect
from services.prompt.openai.limits import Gate

log = get_logger(__name__)

_FIRST_PAUSE_S = 0.2


class Provider:
    """A server that speaks OpenAI's chat completions; close it when done.

    Args:
        max_retries: Repeats of a question that found no answer.
        gate: Shared by everything that asks this server.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str,
        timeout_s: float,
        connect_timeout_s: float,
        max_retries: int,
        gate: Gate,
        prices: Prices | None = None,
    ) -> None:
        timeout = httpx2.Timeout(timeout_s, connect=connect_timeout_s)
        # Repeats are made here, where each of them waits for its turn.
        self._client = openai.AsyncOpenAI(api_key=api_key, base_url=base_url, timeout=timeout, max_retries=0)
        self._max_retries = max_retries
        self._gate = gate
        self._dialect = Dialect()
        self.prices = prices or Prices()

    @property
    def knows_seeds(self) -> bool:
        """Whether the server takes a seed."""
        return self._dialect.seed

    async def ask(
        self,
        model: str,
        messages: Sequence[Exchange],
        *,
        max_tokens: int,
        temperature: float | None = None,
        seed: int = 0,
        structured: bool = False,
        max_characters: int,
    ) -> AsyncGenerator[str | Usage, None]:
        """The answer piece by piece, then the tokens it took; cut off after `max_characters`.

        Raises:
            ModelBusy: The limits of this installation are reached.
            OpenAiThrottled: The provider's are.
            OpenAiRefused: The provider refuses key, model or request.
            DependencyUnavailable: It cannot be reached, or breaks off.
        """
        async with self._gate.turn():
            options = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed, "structured": structured}
            stream = await self._open(model, messages, options)
            length, is_finished = 0, False
            try:
                async with stream:
                    async for chunk in stream:
                        if chunk.usage is not None:
                            yield Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
                        for choice in chunk.choices[:1]:
                            piece = choice.delta.content or ""
                            length += len(piece)
                            is_finished = is_finished or choice.finish_reason is not None
                            if piece:
                                yield piece
                        if length > max_characters:
                            return
            except (openai.APIError, httpx2.HTTPError) as error:
                raise self._typed(error) from error
            if not is_finished:
                self._gate.failed()
                raise DependencyUnavailable("openai", "openai broke off in the middle; repeat the request later")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _open(self, model: str, messages: Sequence[Exchange], options: dict[str, Any]) -> Any:
        """The stream of an answer, after as many repeats as allowed."""
        failures = 0
        while True:
            await self._gate.start()
            try:
                stream = await self._create(model, messages, options)
            except (openai.APIError, httpx2.HTTPError) as error:
                if isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError) and self._simpler(error):
                    continue
                failure = self._typed(error)
                if isinstance(failure, OpenAiRefused) or failures >= self._max_retries:
                    raise failure from error
                if isinstance(failure, OpenAiThrottled):  # the repeat waits at the gate, as the provider asked
                    if self._gate.is_too_long(failure.retry_after_s or 0):
                        raise failure from error
                else:
                    await asyncio.sleep(_FIRST_PAUSE_S * 2**failures * (0.5 + secrets.randbelow(1000) / 1000))
                failures += 1
            else:
                self._gate.answered()
                return stream

    async def _create(self, model: str, messages: Sequence[Exchange], options: dict[str, Any]) -> Any:
        sent: list[Any] = [{"role": message.role, "content": message.content} for message in messages]
        sent[-1]["content"] += self._dialect.reminder(structured=options["structured"])
        return await self._client.chat.completions.create(
            model=model, messages=sent, stream=True, **self._dialect.options(**options)
        )

    def _simpler(self, error: openai.APIStatusError) -> bool:
        """Whether there is something to leave out that the server does not know; it is remembered."""
        simpler = self._dialect.without(f"{error.message} {error.param or ''}")
        if simpler is None:
            return False
        log.info("openai_dialect", form=simpler.form, seed=simpler.seed, usage=simpler.usage, limit=simpler.limit)
        self._dialect = simpler
        return True

    def _typed(self, error: Exception) -> AppError:
        """The error as callers are told it; limits of the provider and outages are noted at the gate."""
        if isinstance(error, openai.RateLimitError):
            wait_s = _retry_after_s(error)
            self._gate.hold(wait_s)
            return OpenAiThrottled("OpenAI takes no more requests for now; repeat it later", retry_after_s=wait_s)
        if isinstance(error, openai.APIStatusError) and not isinstance(error, openai.InternalServerError):
            log.error("openai_refused", status=error.status_code, code=error.code)
            return OpenAiRefused(
                f"OpenAI refuses the request with status {error.status_code}; an operator has to check key and model",
                metadata={"dependency": "openai", "status": str(error.status_code)},
            )
        self._gate.failed()
        wait_s = _retry_after_s(error) if isinstance(error, openai.APIStatusError) else 5.0
        return DependencyUnavailable("openai", retry_after_s=wait_s)


def _retry_after_s(error: openai.APIStatusError) -> float:
    text = error.response.headers.get("retry-after", "")
    return min(float(text), 600.0) if re.fullmatch(r"\d{1,6}(\.\d+)?", text) else 5.0
