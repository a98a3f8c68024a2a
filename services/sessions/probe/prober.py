from __future__ import annotations

import base64
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiofiles import bounded
from audiofiles.bounded import Broken, call_bounded
from audiofiles.faults import Unfit
from chassis.errors import ResourceExhausted
from chassis.logs import get_logger
from services.sessions.domain.assets import Analysis, Recording
from services.sessions.domain.errors import PROBE_ERRORS, AudioUnreadable

log = get_logger(__name__)

_CALL = "services.sessions.probe.decode:measure_file"
# The waveform of the longest recording is a few megabytes.
_MAX_WRITTEN_BYTES = 64 << 20


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

    timeout_s: int = 600
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
            return self._measure(audio, peaks)
        finally:
            self._turns.release()

    def _measure(self, audio: Path, peaks: Path) -> Recording:
        arguments = {"audio": str(audio), "peaks": str(peaks), "max_duration_s": self.bounds.max_duration_s}
        bounds = bounded.Bounds(self.bounds.timeout_s, self.bounds.memory_bytes, _MAX_WRITTEN_BYTES)
        try:
            return recording_of(call_bounded(_CALL, arguments, bounds, audio.parent))
        except Broken as broken:
            log.warning("probe_ended_badly", status=broken.status, stderr=broken.stderr)
            raise AudioUnreadable(broken.message) from broken
        except Unfit as fault:
            if fault.reason == "NO_SPACE":
                raise ProbesBusy(
                    "there is no room to measure the file; complete the upload again later", retry_after_s=30
                ) from fault
            raise PROBE_ERRORS[fault.reason](fault.message, metadata=fault.facts) from fault


def recording_of(found: dict[str, Any]) -> Recording:
    """The recording that `measure_file` tells of."""
    heard = found.pop("analysis")
    if heard is not None:
        heard = Analysis(**{**heard, "fingerprint": base64.b64decode(heard["fingerprint"])})
    return Recording(**found, analysis=heard)
