"""The threads that use cases run in."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from chassis.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")


class Overloaded(Unavailable):
    """More work waits than will be done in time."""

    REASON = "OVERLOADED"


class WorkPool:
    """Threads that run use cases; context variables travel along."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="work")
        self._room = threads * 50
        self._inside = 0

    async def run(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function gives, run in a thread.

        Raises:
            Overloaded: Fifty pieces of work wait for each thread already.
        """
        if self._inside >= self._room:
            raise Overloaded("too much work waits; repeat the request later", retry_after_s=1.0)
        self._inside += 1
        try:
            run = contextvars.copy_context().run
            return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: run(fn, *args, **kwargs))
        finally:
            self._inside -= 1

    def close(self) -> None:
        """Take no more work; what runs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
