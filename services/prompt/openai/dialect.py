"""Which parts of the protocol a server knows: OpenAI knows all, services that speak its protocol know fewer."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

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
_FORMS = ("json_schema", "json_object", "plain")
_ABOUT_FORM = re.compile(r"response_format|json_schema|json_object|structured|grammar|json mode", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is asked of a server.

    Attributes:
        form: How an answer comes: `json_schema`, `json_object` or `plain`.
        seed: Whether a seed is sent.
        usage: Whether the tokens of a streamed answer are asked for.
        limit: Name of the field that bounds an answer.
    """

    form: str = "json_schema"
    seed: bool = True
    usage: bool = True
    limit: str = "max_tokens"
    temperature: bool = True

    def without(self, complaint: str) -> Dialect | None:
        """What to ask after a server refused with these words; None if they are about something else."""
        if "max_completion_tokens" in complaint and self.limit == "max_tokens":
            return replace(self, limit="max_completion_tokens")
        if "stream_options" in complaint and self.usage:
            return replace(self, usage=False)
        if re.search(r"\bseed\b", complaint) and self.seed:
            return replace(self, seed=False)
        if re.search(r"\btemperature\b", complaint) and self.temperature:
            return replace(self, temperature=False)
        if _ABOUT_FORM.search(complaint) and self.form != _FORMS[-1]:
            return replace(self, form=_FORMS[_FORMS.index(self.form) + 1])
        return None

    def options(self, *, max_tokens: int, temperature: float | None, seed: int, structured: bool) -> dict[str, Any]:
        """The fields of a request beside model and messages."""
        asked: dict[str, Any] = {self.limit: max_tokens}
        if temperature is not None and self.temperature:
            asked["temperature"] = temperature
        if seed and self.seed:
            asked["seed"] = seed
        if self.usage:
            asked["stream_options"] = {"include_usage": True}
        if structured and self.form != "plain":
            asked["response_format"] = _FORMAT if self.form == "json_schema" else {"type": "json_object"}
        return asked

    def reminder(self, *, structured: bool) -> str:
        """What a server is told in words because its protocol cannot say it."""
        wanted = structured and self.form == "json_object"
        return '\nAnswer with a JSON object of one key: {"caption": "<the caption>"}' if wanted else ""
