"""PromptService over gRPC, put together from its parts."""

from __future__ import annotations

import asyncio

from services.prompt.api.captions import CaptionMethods
from services.prompt.api.live_sets import LiveSetMethods
from services.prompt.domain.ports import Run
from services.prompt.use_cases.captions import Captions
from services.prompt.use_cases.live_sets import LiveSets


class PromptServicer(LiveSetMethods, CaptionMethods):
    """Live Sets and captions."""

    def __init__(self, live_sets: LiveSets, captions: Captions, run: Run, *, readers: int = 2) -> None:
        self._live_sets = live_sets
        self._captions = captions
        self._run = run
        self._reading = asyncio.Semaphore(readers)
