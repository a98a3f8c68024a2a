"""A language model through the OpenAI SDK, at OpenAI or any service that speaks its protocol."""

from services.prompt.openai.health import make_probe
from services.prompt.openai.limits import Gate
from services.prompt.openai.provider import Provider
from services.prompt.openai.talker import OpenAiTalker
from services.prompt.openai.writer import OpenAiWriter

__all__ = ["Gate", "OpenAiTalker", "OpenAiWriter", "Provider", "make_probe"]
