"""How far the work on one separation is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chassis.clock import Clock
from services.stems.domain import Progress

T = TypeVar("T")

# How soon work that waits for something else hears that it must end.
LOOK_S = 0.25


@dataclass(slots=True)
class Course:
    """The progress of one run; every call raises when the run was cancelled or belongs to another worker."""

    progress: Progress
    clock: Clock
    percent: float = 0.0
    stage: str = ""
    eta_s: float | None = None

    def at(self, percent: float, stage: str, eta_s: float | None = None) -> None:
        """Tell that the work is here."""
        self.percent, self.stage, self.eta_s = percent, stage, eta_s
        self.beat()

    def beat(self) -> None:
        """Tell the same again."""
        self.progress.report(self.percent, self.stage, self.eta_s)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        end_s = self.clock.monotonic() + seconds
        while (left_s := end_s - self.clock.monotonic()) > 0:
            self.beat()
            self.clock.sleep(min(LOOK_S, left_s))

    def attend(self, work: Callable[[], T]) -> T:
        """What the work gives, while this run hears that it must end; then the work is left alone to end by itself."""
        errand = _Errand(work)
        threading.Thread(target=copy_context().run, args=(errand.run,), name="errand", daemon=True).start()
        while not errand.ended.wait(LOOK_S):
            self.beat()
        if errand.error is not None:
            raise errand.error
        return errand.given[0]


@dataclass(slots=True)
class _Errand(Generic[T]):
    work: Callable[[], T]
    given: list[T] = field(default_factory=list)
    error: BaseException | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            self.given.append(self.work())
        except BaseException as error:  # the run raises it
            self.error = error
        finally:
            self.ended.set()
