"""The stems worker with a stub engine that is out of order: `python -m tests.material.faulty_worker FAULT...`.

`raise:N` raises over each recording of N frames, `die:N` kills the process over it, `slow:S` rests S seconds before
each stretch of any recording.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator

from services.stems import main, stub
from services.stems.domain import Block, Task

_separate = stub.StubEngine.separate


def install(faults: dict[str, float]) -> None:
    """Put the engine out of order."""

    def separate(engine: stub.StubEngine, task: Task) -> Iterator[Block]:
        for block in _separate(engine, task):
            if task.mix.frame_count == faults.get("raise"):
                raise ZeroDivisionError("the engine is out of order")
            if task.mix.frame_count == faults.get("die"):
                os.kill(os.getpid(), signal.SIGKILL)
            if block:
                time.sleep(faults.get("slow", 0))
            yield block

    stub.StubEngine.separate = separate  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    install({name: float(value) for name, _, value in (fault.partition(":") for fault in sys.argv[1:])})
    sys.argv[1:] = ["worker"]
    main.main()
