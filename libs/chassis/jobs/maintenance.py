import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from chassis.errors import Unavailable
from chassis.jobs.rows import Jobs
from chassis.logs import get_logger

log = get_logger(__name__)


def maintenance(jobs_list: Sequence[Jobs[Any]]) -> Callable[[asyncio.Event], Coroutine[None, None, None]]:
    """A loop for API processes: each counts what waits, and one at a time takes back leases and wakes workers."""

    def tend(jobs: Jobs[Any]) -> None:
        with jobs.db.exclusively("maintenance") as held:
            if not held:
                jobs.show()
            elif jobs.sweep():
                jobs.announce()

    async def loop(stop: asyncio.Event) -> None:
        while not stop.is_set():
            for jobs in jobs_list:
                try:
                    await asyncio.to_thread(tend, jobs)
                except Unavailable as error:
                    log.warning("sweep_postponed", reason=error.reason)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), min(5, *(jobs.lease_s / 3 for jobs in jobs_list)))

    return loop
