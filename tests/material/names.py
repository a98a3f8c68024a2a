"""A name server on loopback that says what a test wants: addresses of names that end in `.test`."""

from __future__ import annotations

import socket
import struct
import threading

_A, _NO_SUCH_NAME = 1, 3


class Names:
    """Answers over UDP until it is closed; a name without addresses does not exist."""

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {}
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, name="names", daemon=True)
        self._thread.start()

    @property
    def authority(self) -> str:
        """Where it listens, as in `dns://{authority}/stems.test:50051`."""
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Answer no more."""
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(512)
            if not query:
                return
            self._socket.sendto(self._answer(query), client)

    def _answer(self, query: bytes) -> bytes:
        labels, at = [], 12
        while length := query[at]:
            labels.append(query[at + 1 : at + 1 + length].decode())
            at += 1 + length
        question = query[12 : at + 5]
        kind = struct.unpack(">H", query[at + 1 : at + 3])[0]
        found = self.addresses.get(".".join(labels), [])
        self.asked += kind == _A
        records = [
            b"\xc0\x0c" + struct.pack(">HHIH", _A, 1, 0, 4) + socket.inet_aton(address)
            for address in (found if kind == _A else [])
        ]
        flags = 0x8180 | (0 if found else _NO_SUCH_NAME)
        return query[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + question + b"".join(records)
