"""Runs separation jobs in a worker process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from services.stems.domain import Progress, Separation
from services.stems.use_cases import SeparationWork


def handler(work: SeparationWork, read: Callable[[Any], Separation]) -> Callable[[Any, Progress], None]:
    """What the runner calls with each claimed row."""

    def handle(row: Any, progress: Progress) -> None:
        work.perform(read(row), progress)

    return handle


def own_folder(root: Path) -> Path:
    """A folder for this process's running work; what killed workers left under the root is removed."""
    root.mkdir(parents=True, exist_ok=True)
    for left in root.iterdir():
        if left.name.isdigit() and not _is_alive(int(left.name)):
            shutil.rmtree(left, ignore_errors=True)
    mine = root / str(os.getpid())
    shutil.rmtree(mine, ignore_errors=True)
    mine.mkdir()
    return mine


def _is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        # Signal 0 only asks; a foreign process answers with PermissionError and lives.
        with suppress(PermissionError):
            os.kill(pid, 0)
        return True
    return False
