"""A datasets worker that dies or dawdles in a stage: `python -m tests.material.faulty_exporter FAULT...`.

`die:STAGE` kills the process once the stage is told of, `slow:STAGE` rests a tenth of a second each time it is. Stages
are validating, preparing, packing, uploading, verifying, committing (before the rows) and committed (after them).
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from services.datasets import main
from services.datasets.store.exports import SqlExports
from services.datasets.use_cases.export_bench import ExportBench

_run, _finish = ExportBench.run, SqlExports.finish


def install(faults: dict[str, str]) -> None:
    """Put exports out of order."""

    def met(stage: str) -> None:
        if faults.get("die") and stage.startswith(faults["die"]) and not stage.startswith("uploading 0 "):
            os.kill(os.getpid(), signal.SIGKILL)
        if faults.get("slow") and stage.startswith(faults["slow"]):
            time.sleep(0.1)

    def run(bench: ExportBench, artist: str, uid: str, fence: int, report: Callable[[float, str], None]) -> None:
        def told(percent: float, stage: str) -> None:
            report(percent, stage)
            met(stage)

        _run(bench, artist, uid, fence, told)

    def finish(store: SqlExports, *asked: Any) -> None:
        met("committing")
        _finish(store, *asked)
        met("committed")

    ExportBench.run = run  # type: ignore[method-assign, assignment]
    SqlExports.finish = finish  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    install(dict(fault.split(":", 1) for fault in sys.argv[1:]))
    sys.argv[1:] = ["worker"]
    main.main()
