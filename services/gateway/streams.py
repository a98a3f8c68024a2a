"""Server-Sent Events: answers of streaming RPCs, and the progress of long work."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from google.longrunning import operations_pb2
from google.protobuf.message import Message
from starlette.responses import Response

from chassis.errors import AppError
from services.gateway.context import ServerTools
from services.gateway.live import Live, Write
from services.gateway.operations import RETRY_AFTER_S
from services.gateway.problems import Problems, status_of
from services.gateway.rest import operation_to_rest, to_rest

_HEADERS: Mapping[str, str] = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    # Proxies that collect a response before they pass it on would turn a stream into a long silence.
    "x-accel-buffering": "no",
}
_END = object()


class EventStream(Response):
    """Names the media type of streams in the contract."""

    media_type = "text/event-stream"


def event(data: Any, *, name: str = "", identity: str = "") -> bytes:
    """One event on the wire."""
    lines = [f"event: {name}"] if name else []
    if identity:
        lines.append(f"id: {identity}")
    return ("\n".join([*lines, "data: "]).encode() + msgspec.json.encode(data)) + b"\n\n"


async def message_stream(
    tools: ServerTools, answers: AsyncIterator[Any], show: Callable[[Any], bytes] | None = None
) -> Response:
    """An RPC's answers as events; an error before the first one is an ordinary problem response.

    Args:
        tools: Shared parts.
        answers: What the RPC answers.
        show: The event of an answer; one without bytes is not sent.
    """
    first, shown = await anext(answers, None), show or message_event

    async def take(answer: Any, write: Write) -> None:
        if piece := shown(answer):
            await write(piece)

    async def produce(write: Write) -> None:
        if first is not None:
            await take(first, write)
            await _pump(tools, answers, lambda answer: take(answer, write), write)

    return Live(produce, 200, _HEADERS)


def message_event(message: Message, identity: str = "") -> bytes:
    """A message as an event."""
    # A oneof says what happened; its member names the event.
    oneofs = [oneof for oneof in message.DESCRIPTOR.oneofs if len(oneof.fields) > 1]
    name = message.WhichOneof(oneofs[0].name) if oneofs else ""
    body = to_rest(message)
    return event({name: body[name]} if name else body, name=name or "", identity=identity)


async def _pump(
    tools: ServerTools, answers: AsyncIterator[Any], take: Callable[[Any], Awaitable[None]], write: Write
) -> None:
    queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=1)

    async def read() -> None:
        try:
            async for answer in answers:
                await queue.put(answer)
            await queue.put(_END)
        except AppError as error:
            await queue.put(error)

    async with asyncio.TaskGroup() as tasks:
        reader = tasks.create_task(read())
        await _forward(tools, queue, take, write)
        reader.cancel()


async def _forward(
    tools: ServerTools, queue: asyncio.Queue[Any], take: Callable[[Any], Awaitable[None]], write: Write
) -> None:
    while True:
        try:
            async with asyncio.timeout(tools.settings.heartbeat_s):
                answer = await queue.get()
        except TimeoutError:
            await write(b": still here\n\n")
            continue
        if answer is _END:
            return
        if isinstance(answer, AppError):
            await write(error_event(tools.problems, answer))
            return
        await take(answer)


def error_event(problems: Problems, error: AppError) -> bytes:
    """A problem in the middle of a stream, where no status can be sent any more."""
    return event(problems.document(error, status_of(error)), name="error")


def version_of(operation: operations_pb2.Operation) -> str:
    """Changes whenever an operation does, and is the same in every process: the id of its event."""
    return f"{zlib.crc32(operation.SerializeToString(deterministic=True)):08x}"


def operation_stream(
    tools: ServerTools,
    read: Callable[[], Awaitable[operations_pb2.Operation]],
    first: operations_pb2.Operation,
    last_event_id: str,
) -> Response:
    """An operation's changes as events until it has ended.

    Args:
        tools: Shared parts.
        read: Gives the operation as it is now.
        first: The operation as it was just read.
        last_event_id: What the client has seen; empty for nothing.
    """
    if first.done and version_of(first) == last_event_id:
        # An EventSource that reconnects after the end stops for good when it gets this.
        return Response(status_code=204)

    async def produce(write: Write) -> None:
        await write(f"retry: {RETRY_AFTER_S * 1000}\n\n".encode())
        operation, seen, silent_s = first, last_event_id, 0.0
        while True:
            version = version_of(operation)
            if version != seen:
                seen, silent_s = version, 0.0
                name = "done" if operation.done else "progress"
                await write(event(operation_to_rest(operation), name=name, identity=version))
            if operation.done or await _stops_within(tools, tools.settings.event_poll_s):
                return
            silent_s += tools.settings.event_poll_s
            if silent_s >= tools.settings.heartbeat_s:
                silent_s = 0.0
                await write(b": still here\n\n")
            try:
                operation = await read()
            except AppError as error:
                await write(error_event(tools.problems, error))
                return

    return Live(produce, 200, _HEADERS)


async def _stops_within(tools: ServerTools, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await tools.stopping.wait()
    return tools.stopping.is_set()
