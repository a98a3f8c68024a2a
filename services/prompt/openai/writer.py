"""Captions written by a language model."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from services.prompt.domain.captions import Usage
from services.prompt.domain.instructions import Instruction
from services.prompt.domain.ports import Task
from services.prompt.openai.provider import Provider

MAX_ATTEMPTS = 3
_OPENING = re.compile(r'^\s*\{\s*"caption"\s*:\s*"')
# Four times what a caption may have at most; a model that ignores its limit is cut off here.
_MAX_CHARACTERS = 2_400
# Length of the longest escape, a pair of surrogates.
_ESCAPE = 12


class OpenAiWriter:
    """Writes captions by a model of the provider."""

    engine = "openai"
    max_attempts = MAX_ATTEMPTS

    def __init__(self, provider: Provider, model: str) -> None:
        self._provider = provider
        self.model = model

    def temperature(self, instruction: Instruction) -> float:
        """That of the instruction."""
        return instruction.temperature

    def cost_usd_micros(self, usage: Usage) -> int:
        """What so many tokens cost, in millionths of a US dollar; 0 when free or unknown."""
        return self._provider.prices.cost_usd_micros(usage)

    def seed_sent(self, task: Task) -> int:
        """The seed of the task; 0 for a server that takes none."""
        return task.seed if self._provider.knows_seeds else 0

    async def write(self, task: Task) -> AsyncGenerator[str | Usage, None]:
        """The caption's text as it comes, then the tokens it took."""
        answer, shown = "", ""
        asked = self._provider.ask(
            self.model,
            task.messages,
            max_tokens=task.instruction.max_tokens,
            temperature=task.instruction.temperature,
            seed=task.seed,
            structured=True,
            max_characters=_MAX_CHARACTERS,
        )
        async with aclosing(asked) as pieces:
            async for piece in pieces:
                if isinstance(piece, Usage):
                    yield piece
                    continue
                answer += piece
                text = caption_so_far(answer)
                if len(text) > len(shown):
                    yield text[len(shown) :]
                    shown = text
        if not shown and answer:  # JSON of another shape; the rules unwrap it or refuse it
            yield answer


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
