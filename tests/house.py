"""The whole platform as one child process tree, started and ended by the tests."""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil

from services.launcher.settings import PROCESSES, STANDIN
from tests.reasons_plugin import note_answer
from tonewright_client import Tonewright

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 120.0
PRINCIPALS = ("ada", "bob", "ops")


class House:
    """One running platform.

    Attributes:
        url: Address of its gateway.
        keys: API key by principal: ada and bob are strangers to each other, ops is an operator.
    """

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.home = home
        self.keys = {principal: f"twk_{secrets.token_urlsafe(32)}" for principal in PRINCIPALS}
        self.ports = _free_ports()
        self.url = f"http://127.0.0.1:{self.ports['TONEWRIGHT_GATEWAY_PORT']}"
        self._extra = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        home.mkdir(parents=True, exist_ok=True)
        self._write_keys()

    @property
    def pid(self) -> int:
        assert self._process is not None, "the house is not started"
        return self._process.pid

    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TONEWRIGHT_")}
        ports = {name: str(port) for name, port in self.ports.items()}
        return {**clean, **ports, **self._extra, "TONEWRIGHT_HOME": str(self.home)}

    def start(self, *, wait: bool = True) -> House:
        with (self.home / "launcher.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.launcher"],
                cwd=ROOT,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, *, within_s: float = READY_WITHIN_S) -> None:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            assert self._process is not None
            assert self._process.poll() is None, f"the launcher ended:\n{self.log()}"
            try:
                if httpx2.get(f"{self.url}/readyz", timeout=5.0, trust_env=False).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"not ready after {within_s} s:\n{self.log()}\n{self.child_logs()}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        tree = [process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]
        process.send_signal(number)
        process.wait(timeout=15)
        left = [pid for pid in tree if is_running(pid)]
        assert not left, f"processes left behind: {left}"

    def client(self, principal: str = "ada") -> Tonewright:
        """The SDK; reasons that it is answered count."""
        connected = Tonewright(self.url, self.keys[principal])
        connected.transport._http.event_hooks = {"response": [note_answer]}
        return connected

    def http(self, principal: str | None = "ada") -> httpx2.Client:
        """A bare HTTP client; with no principal it sends no key."""
        headers = {"Authorization": f"Bearer {self.keys[principal]}"} if principal else {}
        return httpx2.Client(
            base_url=self.url,
            headers=headers,
            timeout=60.0,
            trust_env=False,
            event_hooks={"response": [note_answer]},
        )

    def processes(self) -> dict[str, psutil.Process]:
        """Each service process by its name (`stems-worker`, …)."""
        found: dict[str, psutil.Process] = {}
        for child in psutil.Process(self.pid).children():
            command = child.cmdline()
            for spec in (*PROCESSES, STANDIN):
                if tuple(command[1:]) == spec.arguments:
                    found[spec.name] = child
        return found

    def gateway_address(self) -> tuple[str, int]:
        """Where the gateway listens."""
        return "127.0.0.1", self.ports["TONEWRIGHT_GATEWAY_PORT"]

    def grpc_address(self, service: str) -> tuple[str, int]:
        """Where a service listens."""
        return "127.0.0.1", self.ports[f"TONEWRIGHT_{service.upper()}_GRPC_PORT"]

    def object_store(self) -> str:
        """The address that signed links of the object store have; empty when it is a folder."""
        return self._extra.get("TONEWRIGHT_OBJECTS_URL", "").partition("endpoint=")[2].partition("&")[0]

    @contextmanager
    def held_stems_worker(self) -> Iterator[Callable[[], None]]:
        """The stems worker stands still until the given function is called or the block ends."""
        worker = self.processes()["stems-worker"]
        worker.suspend()
        try:
            yield worker.resume
        finally:
            worker.resume()

    def log(self) -> str:
        return _tail(self.home / "launcher.log")

    def child_logs(self) -> str:
        return "\n".join(f"--- {path.name}\n{_tail(path, 12)}" for path in sorted((self.home / "logs").glob("*.log")))

    def _write_keys(self) -> None:
        (self.home / "api-key").write_text(f"{self.keys['ada']}\n")
        tables = [
            f'[[keys]]\nprincipal = "{principal}"\nsha256 = "{hashlib.sha256(key.encode()).hexdigest()}"\n'
            f"operator = {'true' if principal == 'ops' else 'false'}\n"
            for principal, key in self.keys.items()
        ]
        (self.home / "api-keys.toml").write_text("\n".join(tables))


def _free_ports() -> dict[str, int]:
    names = [port.variable for spec in (*PROCESSES, STANDIN) for port in spec.ports]
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    numbers = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return dict(zip(names, numbers, strict=True))


def is_running(pid: int) -> bool:
    """Whether the process is there and is no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _tail(path: Path, lines: int = 40) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""
