import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from chassis.errors import Unavailable
from chassis.jobs.rows import Jobs
from chassis.logs import get_logger

log = get_logger(__name__)


def maintenance(jobs_list: Sequence[Jobs[Any]]) -> Callable[[asyncio.Event], Coroutine[None, None, None]]:
    """A loop for API processes: one at a time takes back expired leases and wakes workers for what waits."""

    def sweep(jobs: Jobs[Any]) -> None:
        with jobs.db.exclusively("maintenance") as held:
            if held and jobs.sweep():
                jobs.announce()

    async def loop(stop: asyncio.Event) -> None:
        while not stop.is_set():
            for jobs in jobs_list:
                try:
                    await asyncio.to_thread(sweep, jobs)
                except Unavailable as error:
                    log.warning("sweep_postponed", reason=error.reason)
            try:
                await asyncio.wait_for(stop.wait(), min(jobs.lease_s for jobs in jobs_list) / 3)
            except TimeoutError:
                continue

    return loop
