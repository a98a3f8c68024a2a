"""PromptService over gRPC, put together from its parts."""

from __future__ import annotations

import asyncio

from services.prompt.api.captions import CaptionMethods
from services.prompt.api.chat import ChatMethods
from services.prompt.api.live_sets import LiveSetMethods
from services.prompt.api.templates import TemplateMethods
from services.prompt.domain.ports import Run
from services.prompt.use_cases.captions import Captions
from services.prompt.use_cases.chat import Chat
from services.prompt.use_cases.checks import Checks
from services.prompt.use_cases.live_sets import LiveSets
from services.prompt.use_cases.templates import Templates


class PromptServicer(LiveSetMethods, CaptionMethods, TemplateMethods, ChatMethods):
    """Live Sets, captions, prompt templates and the chat."""

    def __init__(
        self,
        live_sets: LiveSets,
        captions: Captions,
        checks: Checks,
        templates: Templates,
        chat: Chat,
        run: Run,
        *,
        readers: int = 2,
    ) -> None:
        self._live_sets = live_sets
        self._captions = captions
        self._checks = checks
        self._templates = templates
        self._chat = chat
        self._run = run
        self._reading = asyncio.Semaphore(readers)
