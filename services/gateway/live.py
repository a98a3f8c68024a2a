"""Responses whose bodies are made while they are sent, and which stop when the client leaves."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

Write = Callable[[bytes], Awaitable[None]]


class Live(Response):
    """A response that `produce` writes piece by piece; each piece waits until the client took the one before.

    Args:
        produce: Writes the body; cancelled when the client leaves.
        status_code: HTTP status.
        headers: Response headers.
    """

    def __init__(
        self, produce: Callable[[Write], Awaitable[None]], status_code: int, headers: Mapping[str, str]
    ) -> None:
        super().__init__(status_code=status_code)
        self._produce = produce
        # The body is made after the endpoint returned, still on behalf of the caller that it acted for.
        self._context = contextvars.copy_context()
        self.raw_headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return

        async def write(piece: bytes) -> None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})

        is_complete = await _unless_gone(self._produce(write), receive, self._context)
        if is_complete:
            await send({"type": "http.response.body", "body": b""})


async def _unless_gone(work: Awaitable[None], receive: Receive, context: contextvars.Context) -> bool:
    async def run() -> None:
        await work

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        async with asyncio.TaskGroup() as tasks:
            worker, watcher = tasks.create_task(run(), context=context), tasks.create_task(gone())
            await asyncio.wait({worker, watcher}, return_when=asyncio.FIRST_COMPLETED)
            for task in (worker, watcher):
                task.cancel()
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    return worker.done() and not worker.cancelled()
