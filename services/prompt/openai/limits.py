"""How many questions go to the model at once and per minute, and when to leave it alone."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from chassis.clock import Clock
from chassis.context import deadline
from chassis.errors import DependencyUnavailable
from services.prompt.domain.captions import ModelBusy

_MINUTE_S = 60.0
# So many failures in a row, and nobody asks for a while.
_FAILURES, _REST_S = 5, 15.0


class Gate:
    """Lets questions through to the model; all of a process share one.

    Args:
        concurrent: Questions under way at once.
        per_minute: Questions that may start within a minute; 0 for any number.
        max_wait_s: Longest wait for a turn; who would wait longer is told when to come back.
        pause: Sleeps; tests bring their own.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        concurrent: int = 4,
        per_minute: int = 0,
        max_wait_s: float = 20.0,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._slots = asyncio.Semaphore(concurrent)
        self._per_minute = per_minute
        self._max_wait_s = max_wait_s
        self._pause = pause
        self._started: deque[float] = deque()
        self._not_before = self._closed_until = float("-inf")
        self._failures = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold one of the places for questions under way.

        Raises:
            ModelBusy: No place becomes free within the longest wait.
        """
        try:
            async with asyncio.timeout(self._patience()):
                await self._slots.acquire()
        except TimeoutError as error:
            raise _busy(self._max_wait_s) from error
        try:
            yield
        finally:
            self._slots.release()

    async def start(self) -> None:
        """Wait until a question may start, and count it.

        Raises:
            ModelBusy: That takes longer than the longest wait.
            DependencyUnavailable: The model failed so often in a row that it is left alone for a while.
        """
        give_up = self._clock.monotonic() + self._patience()
        while True:
            now = self._clock.monotonic()
            if now < self._closed_until:
                raise DependencyUnavailable("openai", retry_after_s=round(self._closed_until - now, 1) or 0.1)
            while self._started and self._started[0] <= now - _MINUTE_S:
                self._started.popleft()
            full = self._per_minute and len(self._started) >= self._per_minute
            free = max(self._not_before, self._started[0] + _MINUTE_S if full else now)
            if free <= now:
                self._started.append(now)
                return
            if free > give_up:
                raise _busy(free - now)
            await self._pause(free - now)

    def is_too_long(self, seconds: float) -> bool:
        """Whether a caller would rather be told to come back than wait so long."""
        return seconds > self._patience()

    def hold(self, seconds: float) -> None:
        """Let nobody start for so long: the provider asked for it."""
        self._not_before = max(self._not_before, self._clock.monotonic() + seconds)

    def failed(self) -> None:
        """Note that the model did not answer."""
        self._failures += 1
        if self._failures >= _FAILURES:
            self._closed_until = self._clock.monotonic() + _REST_S
            self._failures = _FAILURES - 1  # one more failure after the rest closes it again

    def answered(self) -> None:
        """Note that the model answered."""
        self._failures = 0

    def _patience(self) -> float:
        """The longest wait, or the time that the caller has left if that is shorter."""
        due = deadline()
        left = float("inf") if due is None else due - asyncio.get_running_loop().time() - 1.0
        return max(0.0, min(self._max_wait_s, left))


def _busy(wait_s: float) -> ModelBusy:
    wait_s = max(0.1, round(wait_s, 1))
    return ModelBusy(
        f"as many questions as allowed are with the model; repeat it in {wait_s:g} s", retry_after_s=wait_s
    )
