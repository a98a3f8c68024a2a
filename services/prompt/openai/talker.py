"""Conversations with a language model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from services.prompt.domain.captions import Usage
from services.prompt.domain.instructions import Exchange
from services.prompt.openai.provider import Provider


class OpenAiTalker:
    """Answers conversations by a model of the provider."""

    def __init__(self, provider: Provider, model: str, *, max_tokens: int) -> None:
        self._provider = provider
        self.model = model
        self._max_tokens = max_tokens

    def cost_usd_micros(self, usage: Usage) -> int:
        """What so many tokens cost, in millionths of a US dollar; 0 when free or unknown."""
        return self._provider.prices.cost_usd_micros(usage)

    def talk(self, messages: Sequence[Exchange]) -> AsyncGenerator[str | Usage, None]:
        """Text piece by piece; the usage, if known, comes last."""
        limit = self._max_tokens
        return self._provider.ask(self.model, messages, max_tokens=limit, max_characters=16 * limit)
