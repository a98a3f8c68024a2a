"""How the HTTP server of the gateway ends: transfers run on, idle connections close, nobody new comes in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from services.gateway.context import ServerTools
from services.gateway.main import serve_http
from services.gateway.settings import GatewaySettings
from tools.backends import free_port

GET = b"GET / HTTP/1.1\r\nhost: gateway\r\n\r\n"


class Tools:
    """As much of the tools as the server needs."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()


async def dribble(scope: Any, receive: Any, send: Any) -> None:
    """Two seconds of pieces under `/slow`, else an answer at once."""
    is_slow = scope["path"] == "/slow"
    pieces = 20 if is_slow else 1
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % pieces)]})
    for number in range(pieces):
        await asyncio.sleep(0.1 * is_slow)
        await send({"type": "http.response.body", "body": b"x", "more_body": number < pieces - 1})


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[tuple[int, asyncio.Event]]:
    stopping = asyncio.Event()
    settings = GatewaySettings(home=tmp_path, port=free_port(), grace_s=4)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve_http(dribble, settings, cast(ServerTools, Tools()), stopping))
        await asyncio.sleep(0.3)
        yield settings.port, stopping
        stopping.set()


async def test_a_transfer_gets_the_grace_and_an_idle_connection_a_clean_end(port: tuple[int, asyncio.Event]) -> None:
    number, stopping = port
    slow_in, slow_out = await asyncio.open_connection("127.0.0.1", number)
    idle_in, idle_out = await asyncio.open_connection("127.0.0.1", number)
    slow_out.write(GET.replace(b"/ ", b"/slow ", 1))
    idle_out.write(GET)
    head = await idle_in.readuntil(b"\r\n\r\nx")

    stopping.set()
    rest = await asyncio.wait_for(idle_in.read(), 1)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", number)
    transfer = await asyncio.wait_for(slow_in.read(), 5)
    for writer in (slow_out, idle_out):
        writer.close()

    assert head.startswith(b"HTTP/1.1 200")
    assert rest == b""
    assert transfer.endswith(b"\r\n\r\n" + b"x" * 20)
