"""Bytes out: one content, whole or a range of it, streamed from the object store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.context import ServerTools, tools_of
from services.gateway.headers import Span, byte_range, none_match
from services.gateway.live import Live, Write


@dataclass(frozen=True, slots=True)
class Content:
    """What a download is, before its bytes."""

    size_bytes: int
    etag: str  # strong, without quotes
    media_type: str
    file_name: str
    is_attachment: bool = True


_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Awaitable[Response]])


def content_route(
    router: APIRouter, path: str, *, operation_id: str, summary: str, tag: str, media_types: Sequence[str]
) -> Callable[[_Endpoint], _Endpoint]:
    """A route that gives bytes: GET in the contract, HEAD beside it."""

    def add(endpoint: _Endpoint) -> _Endpoint:
        router.add_api_route(
            path,
            endpoint,
            methods=["GET"],
            operation_id=operation_id,
            summary=summary,
            tags=[tag],
            response_model=None,
            response_class=Response,  # of any media type: those below are all there are
            responses={
                200: {"content": {kind: {} for kind in media_types}, "description": "The whole content."},
                206: {"content": {kind: {} for kind in media_types}, "description": "The range that was asked for."},
                304: {"description": "The caller has this version."},
            },
        )
        router.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False, response_model=None)
        return endpoint

    return add


Pieces = Callable[[Span], AsyncGenerator[bytes]]


async def download(request: Request, content: Content, pieces: Pieces) -> Response:
    """The content, or the part of it that `Range` asks for.

    Args:
        request: What is asked for.
        content: What there is.
        pieces: Gives the bytes of a span in order.
    """
    headers = {
        "etag": f'"{content.etag}"',
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache",
        "content-disposition": _disposition(content),
    }
    if none_match(request, content.etag):
        return Response(status_code=304, headers=headers)
    span = byte_range(request, content.size_bytes, content.etag)
    wanted = span or Span(0, content.size_bytes)
    headers |= {"content-type": content.media_type, "content-length": str(wanted.length)}
    if span is not None:
        headers["content-range"] = f"bytes {span.start}-{span.end - 1}/{content.size_bytes}"

    body = pieces(wanted)
    # The first piece is read before the head is sent: a store that is away becomes a 503, not a broken transfer.
    first = b"" if request.method == "HEAD" else await anext(body, b"")

    async def produce(write: Write) -> None:
        async with aclosing(body):
            await write(first)
            async for piece in body:
                await write(piece)

    return Live(produce, 200 if span is None else 206, headers)


def from_object(tools: ServerTools, key: str) -> Pieces:
    """The bytes of one object."""

    def pieces(span: Span) -> AsyncGenerator[bytes]:
        return read_object(tools, key, span.start, span.length)

    return pieces


async def read_object(tools: ServerTools, key: str, offset: int, length: int) -> AsyncGenerator[bytes]:
    """Bytes of an object in pieces of at most 1 MiB; each is read in a thread."""
    if length == 0:
        return
    pieces = await tools.pool.run(tools.objects.read, key, offset=offset, length=length)
    try:
        while (piece := await tools.pool.run(_next, pieces)) is not None:
            yield piece
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            await tools.pool.run(close)


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


async def object_download(
    request: Request, *, key: str, size_bytes: int, sha256: str, media_type: str, file_name: str, inline: bool = False
) -> Response:
    """One object as a download; its hash is the validator."""
    content = Content(size_bytes, sha256, media_type or "application/octet-stream", file_name, not inline)
    return await download(request, content, from_object(tools_of(request), key))


def _disposition(content: Content) -> str:
    kind = "attachment" if content.is_attachment else "inline"
    return f"{kind}; filename*=UTF-8''{quote(content.file_name or 'download', safe='')}"
