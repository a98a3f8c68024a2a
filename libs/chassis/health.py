"""Whether a process can do its work: probes of what it depends on, remembered for a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from chassis.metrics import gauge

_UP = gauge(
    "tonewright_chassis_dependency_up", "1 where a dependency answered when last asked, else 0", ("dependency",)
)
_TIMEOUT_S = 2.0
_REMEMBERED_S = 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """What works and what does not.

    Args:
        ready: Whether calls should be sent here.
        failed: Dependency to what is wrong with it.
        dependencies: Every dependency and whether it answers.
    """

    ready: bool
    failed: dict[str, str] = field(default_factory=dict)
    dependencies: dict[str, bool] = field(default_factory=dict)


class Health:
    """The dependencies of a process and how they are."""

    def __init__(self) -> None:
        self.is_starting = self.is_draining = False
        self._probes: dict[str, tuple[Callable[[], object], bool]] = {}
        self._running: dict[str, Future[object]] = {}
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="probe")
        self._lock = asyncio.Lock()
        self._faults: dict[str, str] = {}
        self._probed_at = float("-inf")

    def add(self, name: str, probe: Callable[[], object], *, required: bool = True) -> None:
        """Watch a dependency; the process stays ready without one that is not required.

        Args:
            name: Shown where it fails.
            probe: Runs in a thread, raises when the dependency cannot be reached, takes 2 s at most.
            required: Whether nothing useful can be done without it.
        """
        self._probes[name] = (probe, required)

    async def check(self) -> Report:
        """How everything is now, or was a second ago at most."""
        async with self._lock:
            if time.monotonic() - self._probed_at > _REMEMBERED_S:
                names = list(self._probes)
                found = await asyncio.gather(*(self._fault(name) for name in names))
                self._faults = {name: fault for name, fault in zip(names, found, strict=True) if fault is not None}
                for name in names:
                    _UP.labels(name).set(name not in self._faults)
                self._probed_at = time.monotonic()
        failed = dict(self._faults)
        blocking = [name for name in failed if self._probes[name][1]]
        answers = {name: name not in failed for name in self._probes}
        is_serving = not (self.is_starting or self.is_draining)
        if not is_serving:
            failed["process"] = "is stopping" if self.is_draining else "is starting"
        return Report(ready=is_serving and not blocking, failed=failed, dependencies=answers)

    def close(self) -> None:
        """Stop probing; a probe that hangs is left behind."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _fault(self, name: str) -> str | None:
        # A probe that still hangs from last time is not started again: it would take thread after thread.
        running = self._running.get(name)
        if running is None or running.done():
            running = self._running[name] = self._threads.submit(self._probes[name][0])
        answer = asyncio.wrap_future(running)
        answer.add_done_callback(lambda late: late.cancelled() or late.exception())  # nobody may be left to hear it
        try:
            await asyncio.wait_for(asyncio.shield(answer), _TIMEOUT_S)
        except TimeoutError:
            return f"no answer within {_TIMEOUT_S:g} s"
        except Exception as error:
            return str(error) or type(error).__name__
        return None
