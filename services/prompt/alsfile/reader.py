"""Reads a Live Set file in a child process that cannot take more than its share."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from chassis.logs import get_logger
from chassis.metrics import counter
from services.prompt.alsfile.child import arguments
from services.prompt.alsfile.container import Limits
from services.prompt.domain.live_sets import (
    REFUSALS,
    LiveSetReaderBusy,
    LiveSetTooLarge,
    LiveSetTooSlow,
    LiveSetUnreadable,
    ReadFile,
)

log = get_logger(__name__)
_OUTCOMES = counter("tonewright_prompt_live_set_reads_total", "Live Set files read, by outcome", labels=("outcome",))

_ROOT = Path(__file__).resolve().parents[3]
# -I and -S: nothing of the environment or of site-packages gets in, and the child starts in 30 ms.
_PROGRAM = "import sys; sys.path.insert(0, sys.argv.pop(1)); from services.prompt.alsfile.child import main; main()"


class LiveSetReader:
    """Turns the bytes of a file into its summary; at most `slots` files at once."""

    def __init__(self, limits: Limits | None = None, *, slots: int = 2, wait_s: float = 10.0) -> None:
        self._limits = limits or Limits()
        self._slots = threading.BoundedSemaphore(slots)
        self._wait_s = wait_s

    def read(self, pieces: Iterable[bytes]) -> ReadFile:
        """Hash, size and summary of the file.

        Raises:
            InvalidArgument: The file is no readable Live Set; the reason says why.
            LiveSetReaderBusy: All slots are taken.
        """
        if not self._slots.acquire(timeout=self._wait_s):
            raise LiveSetReaderBusy("all Live Set readers are busy; send the request again shortly", retry_after_s=5)
        try:
            with tempfile.TemporaryFile() as file:
                sha256, size_bytes = self._spool(pieces, file)
                summary = self._parse(file)
        finally:
            self._slots.release()
        _OUTCOMES.labels("read").inc()
        return ReadFile(sha256, size_bytes, summary)

    def _spool(self, pieces: Iterable[bytes], file: BinaryIO) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        for piece in pieces:
            size += len(piece)
            if size > self._limits.file_bytes:
                _OUTCOMES.labels(LiveSetTooLarge.REASON).inc()
                most = self._limits.file_bytes >> 20
                raise LiveSetTooLarge(
                    f"the file is larger than {most} MiB; an .als file holds no audio and is far smaller"
                )
            digest.update(piece)
            file.write(piece)
        file.flush()
        file.seek(0)
        return digest.hexdigest(), size

    def _parse(self, file: BinaryIO) -> dict[str, Any]:
        command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(_ROOT), arguments(self._limits)]
        try:
            done = subprocess.run(  # noqa: S603 - our own program, and no shell
                command, stdin=file, capture_output=True, check=False, timeout=self._limits.seconds, env={}
            )
        except subprocess.TimeoutExpired as error:
            raise self._too_slow() from error
        if done.returncode < 0 and done.returncode in {-24, -9}:  # SIGXCPU, or SIGKILL for those who ignore it
            raise self._too_slow()
        try:
            outcome = json.loads(done.stdout)
        except ValueError as error:
            _OUTCOMES.labels(LiveSetUnreadable.REASON).inc()
            log.error(
                "live_set_reader_died", exit_code=done.returncode, stderr=done.stderr[-2000:].decode(errors="replace")
            )
            raise LiveSetUnreadable("the file could not be read; save it again in Live and upload that") from error
        if "reason" in outcome:
            _OUTCOMES.labels(outcome["reason"]).inc()
            raise REFUSALS.get(outcome["reason"], LiveSetUnreadable)(str(outcome["text"]))
        return dict(outcome["summary"])

    def _too_slow(self) -> LiveSetTooSlow:
        _OUTCOMES.labels(LiveSetTooSlow.REASON).inc()
        return LiveSetTooSlow(
            f"reading the file takes longer than {self._limits.seconds} s; split it or remove unused tracks"
        )
