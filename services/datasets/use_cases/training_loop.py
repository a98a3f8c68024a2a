"""Looks after all unfinished work at the provider, again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.logs import get_logger
from chassis.metrics import counter, gauge
from services.datasets.domain.training_ports import RunStore
from services.datasets.use_cases.provider_runs import Course
from services.datasets.use_cases.webhooks import Webhooks

log = get_logger(__name__)
_AT_ONCE = 4  # a provider that hangs holds up one of them for its timeout
_ROUND = 50
_SHOW_EVERY_S = 10.0
_OPEN = gauge("tonewright_datasets_training_unfinished_items", "Work of the provider that has not ended", ("kind",))
_SILENCE = gauge(
    "tonewright_datasets_training_silence_seconds", "Longest time without news of work that has not ended", ("kind",)
)
_FAULTS = counter("tonewright_datasets_training_faults_total", "Looks at runs that ended in an unexpected error")


class Tender:
    """Takes every due run a step further; to be called by one process at a time.

    Args:
        kinds: Name, course and store of each kind of run.
        webhooks: Whose memory is cleared.
        clock: Source of time.
    """

    def __init__(
        self, kinds: Sequence[tuple[str, Course[Any], RunStore[Any]]], webhooks: Webhooks, clock: Clock
    ) -> None:
        self._kinds, self._webhooks, self._clock = kinds, webhooks, clock
        self._shown_s = float("-inf")

    def tend(self) -> int:
        """The number of runs that were looked at."""
        work = [(course, run) for _, course, _ in self._kinds for run in course.due(_ROUND)]
        if work:
            # Threads of this round alone: a round ends only when all its runs are looked at.
            with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="runs") as threads:
                list(threads.map(_guarded, [_step(course, run) for course, run in work]))
        return len(work)

    def show(self) -> None:
        """Set the gauges and forget old webhooks, every few seconds at most."""
        now, now_s = self._clock.now(), self._clock.monotonic()
        if now_s - self._shown_s < _SHOW_EVERY_S:
            return
        self._shown_s = now_s
        for name, _, store in self._kinds:
            count, since = store.unfinished()
            _OPEN.labels(name).set(count)
            _SILENCE.labels(name).set(max(0.0, (now - since).total_seconds()) if since else 0.0)
        self._webhooks.purge()


def _step(course: Course[Any], run: Any) -> Callable[[], object]:
    return lambda: course.step(run)


def _guarded(step: Callable[[], object]) -> None:
    try:
        step()
    except Unavailable as error:
        log.warning("run_postponed", reason=error.reason)
    except Exception:
        # One run that cannot be looked at must not keep the others from it.
        _FAULTS.inc()
        log.exception("run_failed")
