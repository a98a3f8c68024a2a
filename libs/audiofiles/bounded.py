"""Calls a function on a hostile file in a process of its own, so that the file harms that process alone."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from audiofiles.faults import Unfit

_CHILD = Path(__file__).with_name("child.py")
_LOOK_MS = 500  # how soon a process ends that nobody waits for


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one call may use.

    Args:
        timeout_s: Wall and processor seconds.
        memory_bytes: Address space of the process, libraries included.
        written_bytes: Size of each file that it writes.
    """

    timeout_s: int
    memory_bytes: int
    written_bytes: int


class Broken(Unfit):
    """The process broke: the file breaks the decoder or its bounds.

    Args:
        message: What happened and what to do.
        status: Exit status of the process, None when it had to be killed.
        stderr: The end of what it wrote there.
    """

    def __init__(self, message: str, status: int | None, stderr: str) -> None:
        super().__init__("AUDIO_UNREADABLE", message)
        self.status = status
        self.stderr = stderr


def call_bounded(call: str, arguments: dict[str, Any], bounds: Bounds, folder: Path) -> Any:
    """What `module:function` gives for the arguments, by name; both are anything that JSON holds.

    The module is found where this process finds its own. The folder takes the process's files; who removes it ends the
    process.

    Raises:
        Unfit: What the function raised, by its reason; NO_SPACE when the disk is full.
        Broken: The process ended otherwise.
    """
    answer, errors = folder / "child.answer", folder / "child.stderr"
    answer.unlink(missing_ok=True)
    order = {
        "paths": [str(Path(path).absolute()) for path in sys.path],
        "call": call,
        "arguments": arguments,
        "answer": str(answer),
        "bounds": asdict(bounds),
    }
    with errors.open("wb") as stderr:
        child = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", str(_CHILD), json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            # It gets none of the service's environment: it needs no secret. One BLAS thread keeps its memory small.
            env={"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1"},
            cwd=folder,
        )
        with child:
            status = _wait(child, bounds.timeout_s, folder)
    return _read(answer, status, errors)


def _wait(child: subprocess.Popen[bytes], timeout_s: int, folder: Path) -> int | None:
    """The child's exit status, None when it had to be killed."""
    assert child.stdout is not None, "the child was started with a pipe"
    # Its output, to which it writes nothing, hangs up the moment it ends; `Popen.wait` looks every 50 ms.
    hang_up = select.poll()
    hang_up.register(child.stdout, 0)
    end_s = time.monotonic() + timeout_s
    try:
        while not hang_up.poll(min(_LOOK_MS, max(0.0, end_s - time.monotonic()) * 1000)):
            if time.monotonic() >= end_s or not folder.exists():
                raise subprocess.TimeoutExpired(child.args, timeout_s)
        return child.wait(1)
    except subprocess.TimeoutExpired:
        child.kill()
        return None


def _read(answer: Path, status: int | None, errors: Path) -> Any:
    if status != 0 or not answer.exists():
        ending = "takes too long" if status in (None, -signal.SIGXCPU) else "breaks the decoder or its bounds"
        stderr = errors.read_text(errors="replace")[-2000:] if errors.exists() else ""
        raise Broken(f"the file {ending}; export the audio anew, for example as 16-bit WAV", status, stderr)
    told = json.loads(answer.read_text())
    if "reason" in told:
        raise Unfit(told["reason"], told["message"], **told["facts"])
    return told["found"]
