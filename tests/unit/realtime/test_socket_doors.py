"""Who gets as far as the handshake of the socket."""

from __future__ import annotations

from typing import Any

from websockets.datastructures import Headers
from websockets.http11 import Request

from services.realtime.ws.server import PATH, SocketRules, SocketServer
from tests.unit.realtime.world import World


async def run(fn: Any, *args: Any) -> Any:
    return fn(*args)


def test_a_server_that_drains_sends_clients_elsewhere(world: World) -> None:
    hall = world.hall()
    doors = SocketServer(SocketRules("127.0.0.1", 0, []), hall, world.use_cases, run=run, clock=world.clock)

    def ask(path: str) -> Any:
        return doors._receive(None, Request(path, Headers()))  # type: ignore[arg-type]

    before, nowhere = ask(f"{PATH}?ticket=t"), ask("/elsewhere")
    hall.drain()
    during = ask(f"{PATH}?ticket=t")

    assert before is None
    assert nowhere.status_code == 404
    assert (during.status_code, during.headers["Retry-After"]) == (503, "1")
