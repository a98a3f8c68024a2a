from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chassis.errors import ResourceExhausted
from chassis.logs import get_logger
from services.sessions.domain.assets import Recording
from services.sessions.domain.errors import PROBE_ERRORS, AudioUnreadable

log = get_logger(__name__)

_CHILD = Path(__file__).with_name("child.py")


class ProbesBusy(ResourceExhausted):
    """As many files as allowed are being measured."""

    REASON = "PROBES_BUSY"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one decode may use.

    Args:
        timeout_s: Wall and processor seconds.
        memory_bytes: Address space of the process, libraries included.
        max_duration_s: Longest recording.
        at_once: Decodes at the same time.
        queue_s: How long a decode waits for its turn.
    """

    timeout_s: int = 240
    memory_bytes: int = 2 << 30
    max_duration_s: int = 4 * 3600
    at_once: int = 2
    queue_s: int = 60


@dataclass(frozen=True, slots=True)
class ChildProber:
    """Measures audio in a process of its own, so that a hostile file harms that process alone."""

    bounds: Bounds = field(default_factory=Bounds)
    scratch_dir: Path | None = None  # the system's own when None
    _turns: threading.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_turns", threading.Semaphore(self.bounds.at_once))

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder that is gone after the block."""
        if self.scratch_dir is not None:
            self.scratch_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="tonewright-", dir=self.scratch_dir) as folder:
            yield Path(folder)

    def measure(self, audio: Path, peaks: Path) -> Recording:
        """What the file holds; writes its waveform to `peaks`. Raises one of the probe errors."""
        if not self._turns.acquire(timeout=self.bounds.queue_s):
            raise ProbesBusy("too many files are being measured; complete the upload again later", retry_after_s=30)
        try:
            answer = audio.with_suffix(".answer")
            status = self._run(audio, peaks, answer)
        finally:
            self._turns.release()
        return _read(answer, status)

    def _run(self, audio: Path, peaks: Path, answer: Path) -> int | None:
        limits = [str(n) for n in (self.bounds.memory_bytes, self.bounds.timeout_s, self.bounds.max_duration_s)]
        errors = audio.with_suffix(".stderr")
        # The child gets none of the service's environment: it needs no secret. One BLAS thread keeps its memory small.
        environment = {"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1"}
        # It starts without the site module, which is slow, so it is told where this process finds its modules.
        paths = os.pathsep.join(str(Path(path).absolute()) for path in sys.path)
        with errors.open("wb") as stderr:
            child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", str(_CHILD), paths, str(audio), str(peaks), str(answer), *limits],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                cwd=audio.parent,
            )
            with child:
                status = _wait(child, self.bounds.timeout_s)
        if status != 0:
            log.warning("probe_ended_badly", status=status, stderr=errors.read_text(errors="replace")[-2000:])
        return status


def _wait(child: subprocess.Popen[bytes], timeout_s: int) -> int | None:
    """The child's exit status, None when it had to be killed."""
    assert child.stdout is not None, "the child was started with a pipe"
    # Its output, to which it writes nothing, hangs up the moment it ends; `Popen.wait` looks every 50 ms.
    hang_up = select.poll()
    hang_up.register(child.stdout, 0)
    try:
        if not hang_up.poll(timeout_s * 1000):
            raise subprocess.TimeoutExpired(child.args, timeout_s)
        return child.wait(1)
    except subprocess.TimeoutExpired:
        child.kill()
        return None


def _read(answer: Path, status: int | None) -> Recording:
    if status != 0 or not answer.exists():
        ending = "takes too long" if status is None else "breaks the decoder or its bounds"
        raise AudioUnreadable(f"the file {ending}; export the audio anew, for example as 16-bit WAV")
    found = json.loads(answer.read_text())
    if "reason" in found:
        raise PROBE_ERRORS[found["reason"]](found["message"], metadata=found["facts"])
    return Recording(**found["recording"])
