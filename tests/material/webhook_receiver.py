"""A real HTTP server that receives webhooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver(ThreadingHTTPServer):
    """Answers with the statuses it is given, then 204, and keeps what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[int] = []
        self.got: list[tuple[dict[str, str], str]] = []
        self.url = f"http://localhost:{self.server_port}/hook?x=1"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver for the length of the block."""
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.server.got.append(({**{k.lower(): v for k, v in self.headers.items()}, "path": self.path}, body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("location", "http://localhost:1/")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass
