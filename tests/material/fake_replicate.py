"""The stand-in provider with faults: what a network and a busy provider do to requests that create something."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import socket
import threading
import wave
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.clock import SystemClock
from services.standin.app import make_app
from services.standin.provider import Pace, StandIn

TOKEN = "r8_tests"
# What may happen to a create. `after`: the provider has taken it; `late`: it takes it when nobody waits any more.
TAKEN = ("cut_after", "hang_after", "500_after", "502_after", "garbled_after", "late")
UNTAKEN = ("cut_before", "hang_before", "500_before", "503_before", "429_before")
_LATE_S = 0.35


class FakeReplicate:
    """A provider on loopback until stopped; faults are for creates of trainings and predictions, one each.

    Attributes:
        url: Base address of its API.
        creates: Creates that it was sent, taken or not.
        hidden_s: How long new trainings are missing from its list.
        hang_s: How long it gives no answer.
    """

    def __init__(self, folder: Path, *, pace: Pace | None = None, calls_per_minute: int = 1_000_000) -> None:
        self.pace = pace or Pace(train_s=0.02, predict_s=0.0)
        self.standin = StandIn(folder, SystemClock(), self.pace)
        self._app = make_app(self.standin, creates_per_minute=1_000_000, calls_per_minute=calls_per_minute)
        self._faults: list[str] = []
        self._archives: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self.creates, self.hidden_s, self.hang_s = 0, 0.0, 0.8
        self.calls = Counter[str]()
        self._server: uvicorn.Server | None = None
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.start()

    def start(self) -> None:
        """Listen."""
        config = uvicorn.Config(
            self._answer,
            host="127.0.0.1",
            port=self.port,
            interface="asgi3",
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
        )
        config.timeout_graceful_shutdown = 1
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, name="fake-replicate", daemon=True)
        self._thread.start()
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=0.2):
                return
            threading.Event().wait(0.01)
        raise AssertionError("the fake provider does not listen")

    def pause(self) -> None:
        """Refuse connections until started again."""
        if self._server is not None:
            self._server.should_exit = self._server.force_exit = True
            self._thread.join(timeout=5)
            self._server = None

    def stop(self) -> None:
        """End."""
        self.pause()
        self.standin.close()

    def will(self, *faults: str) -> None:
        """Do this to the next creates, one each."""
        with self._lock:
            self._faults += faults

    def archive(self, files: Mapping[str, bytes] | None = None, *, pairs: int = 8) -> str:
        """The address of an archive: these files, or so many pairs that the trainer takes."""
        made = files if files is not None else training_files(pairs)
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for name, content in made.items():
                archive.writestr(name, content)
        name = f"{len(self._archives)}.zip"
        self._archives[name] = data.getvalue()
        return f"http://127.0.0.1:{self.port}/archives/{name}"

    def taken(self, input_url: str) -> list[dict[str, Any]]:
        """Trainings that it has with this input."""
        return [run for run in self.standin.records.all("trainings") if run["input"]["dataset_path"] == input_url]

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        self.calls[f"{scope.get('method')} {path.rpartition('/')[2]}"] += 1
        if path.startswith("/archives/"):
            await self._send_archive(path.rpartition("/")[2], send)
        elif scope.get("method") == "POST" and path.endswith(("/trainings", "/predictions")):
            await self._create(scope, receive, send)
        elif path == "/v1/trainings" and self.hidden_s:
            await _without_new(self._app, scope, receive, send, self.hidden_s)
        else:
            await self._app(scope, receive, send)

    async def _create(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._lock:
            self.creates += 1
            fault = self._faults.pop(0) if self._faults else ""
        if not fault:
            await self._app(scope, receive, send)
            return
        heard = _Heard(await _body(receive))
        kind, _, when = fault.partition("_")
        if fault == "late":
            await asyncio.sleep(_LATE_S)
        if fault == "late" or when == "after":
            await self._app(scope, heard.receive, heard.send)
        if kind == "cut":
            # Promises more than it sends: the connection is closed in the middle of the answer.
            await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"900")]})
            await send({"type": "http.response.body", "body": b'{"id"', "more_body": False})
        elif kind in ("hang", "late"):
            await asyncio.sleep(self.hang_s)
        elif kind == "garbled":
            await _send(send, 201, b"<html>created</html>")
        else:
            headers = [(b"retry-after", b"1")] if kind == "429" else []
            await _send(
                send, int(kind), b'{"detail": "Request was throttled. Your rate limit resets in ~1s."}', headers
            )

    async def _send_archive(self, name: str, send: Send) -> None:
        data = self._archives.get(name)
        await _send(send, 404 if data is None else 200, data or b"")


class _Heard:
    """A request that is answered to nobody."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def receive(self) -> Message:
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def send(self, message: Message) -> None:
        return


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _send(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [length, *(headers or [])]})
    await send({"type": "http.response.body", "body": body})


async def _without_new(app: ASGIApp, scope: Scope, receive: Receive, send: Send, hidden_s: float) -> None:
    parts: list[bytes] = []

    async def gather(message: Message) -> None:
        parts.append(message.get("body", b""))

    await app(scope, receive, gather)
    page = json.loads(b"".join(parts))
    limit = SystemClock().now().timestamp() - hidden_s
    page["results"] = [run for run in page["results"] if _seconds(run["created_at"]) <= limit]
    await _send(send, 200, json.dumps(page).encode())


def _seconds(moment: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()


def training_files(pairs: int, *, rate_hz: int = 44_100, seconds: float = 0.2) -> dict[str, bytes]:
    """Pairs as an export lays them out."""
    files: dict[str, bytes] = {}
    for number in range(1, pairs + 1):
        files[f"track-{number:04d}.wav"] = silence(rate_hz, seconds)
        files[f"track-{number:04d}.txt"] = f"Warm pads number {number}. BPM: {90 + number}".encode()
    return files


def silence(rate_hz: int, seconds: float) -> bytes:
    """A mono WAV file of so many seconds."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(bytes(2 * round(rate_hz * seconds)))
    return file.getvalue()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
