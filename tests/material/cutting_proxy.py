"""A bad line: a TCP proxy that cuts every connection after so many bytes of answers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

_PIECE = 1024


class CuttingProxy:
    """Forwards to an address.

    Attributes:
        url: Where it listens.
        cuts: How many connections it has cut.
    """

    def __init__(self, target: tuple[str, int], *, after_bytes: int) -> None:
        self._target, self._after_bytes = target, after_bytes
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self.cuts = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[CuttingProxy]:
        """Until the end of the block."""
        accepting = threading.Thread(target=self._accept, name="cutting-proxy", daemon=True)
        accepting.start()
        try:
            yield self
        finally:
            self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
            accepting.join(timeout=5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = self._server.accept()[0]
                far = socket.create_connection(self._target)
                for pump in (self._ask, self._answer):
                    threading.Thread(target=pump, args=(near, far), daemon=True).start()

    def _ask(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := near.recv(_PIECE):
                far.sendall(data)
            far.shutdown(socket.SHUT_WR)

    def _answer(self, near: socket.socket, far: socket.socket) -> None:
        left = self._after_bytes
        with near, far, contextlib.suppress(OSError):
            while data := far.recv(min(_PIECE, left)):
                near.sendall(data)
                left -= len(data)
                if not left:
                    self.cuts += 1
                    break
            for end in (near, far):  # wakes the thread that reads there
                end.shutdown(socket.SHUT_RDWR)
