"""The HTTP listener of a process for operators: /livez, /readyz, /metrics."""

from __future__ import annotations

import asyncio
import contextlib
import json

from prometheus_client import REGISTRY, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from chassis.health import Health

_JSON = "application/json"
_REQUEST_S = 5.0


async def listen(health: Health, host: str, port: int) -> asyncio.Server:
    """A running listener; close it when done."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.LimitOverrunError, asyncio.IncompleteReadError):
            async with asyncio.timeout(_REQUEST_S):
                head = await reader.readuntil(b"\r\n\r\n")
                method, _, rest = head.decode("latin-1").partition(" ")
                status, media_type, body = await respond(health, method, rest.partition(" ")[0].partition("?")[0])
                fields = f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\nConnection: close"
                writer.write(f"HTTP/1.1 {status}\r\n{fields}\r\n\r\n".encode() + (b"" if method == "HEAD" else body))
                await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, host, port, limit=16 << 10)


async def respond(health: Health, method: str, path: str) -> tuple[str, str, bytes]:
    """Status, media type and body for a request."""
    if method not in ("GET", "HEAD"):
        return "405 Method Not Allowed", _JSON, b'{"error": "GET only"}'
    if path == "/livez":
        return "200 OK", _JSON, b'{"status": "alive"}'
    if path == "/metrics":
        return "200 OK", CONTENT_TYPE_LATEST, generate_latest(REGISTRY)
    if path == "/readyz":
        report = await health.check()
        word = "not ready" if not report.ready else "degraded" if report.failed else "ready"
        body = json.dumps({"status": word, "failed": report.failed, "dependencies": report.dependencies}).encode()
        return "200 OK" if report.ready else "503 Service Unavailable", _JSON, body
    return "404 Not Found", _JSON, b'{"error": "one of /livez, /readyz, /metrics"}'
