"""Child processes: started together, restarted when one falls, ended together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from services.launcher.settings import LauncherSettings, ProcessSpec

# A process that falls this often in a minute will not come up by trying again.
MOST_RESTARTS_PER_MINUTE = 5
# Children drain in under 4 s; what is left after this is killed.
STOP_AFTER_S = 6.0


class PortTakenError(Exception):
    """A port that a process needs is in use."""


class GaveUpError(Exception):
    """A process falls again and again."""


@dataclass(slots=True)
class _Child:
    spec: ProcessSpec
    process: subprocess.Popen[bytes]
    falls: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_RESTARTS_PER_MINUTE))


class Supervisor:
    """Keeps the processes of the settings running until `stop`."""

    def __init__(self, settings: LauncherSettings) -> None:
        self._settings = settings
        self._children: list[_Child] = []
        # Children hold the reading end; the kernel closes the writing end with this process, however it ends.
        self._lifeline, self._held = os.pipe()
        self.logs = settings.home / "logs"

    def start(self) -> None:
        """Start every process.

        Raises:
            PortTakenError: a port is in use; the message names the variable that moves it.
        """
        self._refuse_taken_ports()
        self.logs.mkdir(exist_ok=True)
        self._children = [_Child(spec, self._spawn(spec)) for spec in self._settings.processes()]

    def tend(self) -> list[str]:
        """Start again what has fallen; give the names.

        Raises:
            GaveUpError: one fell too often; the message ends with its last log lines.
        """
        fallen = [child for child in self._children if child.process.poll() is not None]
        now = time.monotonic()
        for child in fallen:
            child.falls.append(now)
            if len(child.falls) == MOST_RESTARTS_PER_MINUTE and now - child.falls[0] < 60:
                message = (
                    f"{child.spec.name} fell {len(child.falls)} times in a minute:\n{self.last_lines(child.spec.name)}"
                )
                raise GaveUpError(message)
            child.process = self._spawn(child.spec)
        return [child.spec.name for child in fallen]

    def stop(self) -> None:
        """End every process: ask, wait, then kill."""
        for child in self._children:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_AFTER_S
        for child in self._children:
            try:
                child.process.wait(timeout=max(0.05, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        os.close(self._held)
        os.close(self._lifeline)

    def last_lines(self, name: str, count: int = 15) -> str:
        """The end of a process's log."""
        path = self._log(name)
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return "\n".join(f"  {line}" for line in lines[-count:])

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _spawn(self, spec: ProcessSpec) -> subprocess.Popen[bytes]:
        with self._log(spec.name).open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *spec.arguments],
                env=self._settings.child_environment(self._lifeline),
                pass_fds=(self._lifeline,),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group of its own: Ctrl-C reaches the launcher alone, which then stops its children in order.
                process_group=0,
            )

    def _refuse_taken_ports(self) -> None:
        for spec in self._settings.processes():
            for port in spec.ports:
                number = self._settings.port(port)
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    try:
                        probe.bind(("127.0.0.1", number))
                    except OSError as taken:
                        message = (
                            f"port {number} ({spec.name}) is in use; free it or set {port.variable} to another one"
                        )
                        raise PortTakenError(message) from taken
