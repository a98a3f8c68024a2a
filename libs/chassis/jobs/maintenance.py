import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Protocol

from chassis.db import Database
from chassis.errors import Unavailable
from chassis.logs import get_logger

log = get_logger(__name__)


class Sweepable(Protocol):
    """What `maintenance` keeps going."""

    db: Database
    lease_s: float

    def sweep(self) -> int:
        """The number of rows that wait for a worker, after expired leases were taken back."""
        ...

    def announce(self) -> None:
        """Wake a worker."""
        ...


def maintenance(jobs_list: Sequence[Sweepable]) -> Callable[[asyncio.Event], Coroutine[None, None, None]]:
    """A loop for API processes: one at a time takes back expired leases and wakes workers for what waits."""

    def sweep(jobs: Sweepable) -> None:
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
