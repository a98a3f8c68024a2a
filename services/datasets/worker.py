"""Runs queued exports and training-file builds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from chassis.jobs import JobMixin, Progress

Row = TypeVar("Row", bound=JobMixin)


class _Bench(Protocol):
    def run(self, artist: str, uid: str, fence: int, report: Callable[[float, str], None]) -> None: ...


def handler(bench: _Bench) -> Callable[[Row, Progress[Row]], None]:
    """What a job runner calls with a claimed row: the bench's work, with its progress."""

    def handle(row: Row, progress: Progress[Row]) -> None:
        bench.run(row.artist, row.uid, row.fence, lambda percent, stage: progress.report(percent, stage))

    return handle
