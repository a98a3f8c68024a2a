"""Exports: archives that are never stored, streamed from byte ranges of other objects."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.context import ServerTools, tools_of
from services.gateway.downloads import Content, content_route, download, read_object
from services.gateway.headers import Span
from services.gateway.peers import DATASETS
from services.gateway.routes.links import Link, link_to, reply_link
from services.gateway.transcode import Rpc, expose
from tonewright.datasets.v1 import datasets_pb2

router = APIRouter(prefix="/v1")
_EXPORT = "/artists/{artist}/exports/{export}"
_GATHER, _ALONE = 1 << 20, 1 << 16

expose(
    router,
    "exports",
    Rpc("POST /artists/{artist}/exports", DATASETS, "CreateExport", timeout_s=120),
    Rpc("GET /artists/{artist}/exports", DATASETS, "ListExports"),
    Rpc(f"GET {_EXPORT}", DATASETS, "GetExport"),
    Rpc(f"GET {_EXPORT}/files", DATASETS, "ListExportFiles"),
    Rpc(f"POST {_EXPORT}:cancel", DATASETS, "CancelExport"),
    Rpc(f"DELETE {_EXPORT}", DATASETS, "DeleteExport"),
)


@content_route(
    router,
    f"{_EXPORT}/content",
    operation_id="get_export_content",
    summary="The archive",
    tag="exports",
    media_types=["application/zip"],
)
async def get_export_content(request: Request, artist: str, export: str) -> Response:
    """The archive's bytes; a range continues a broken download byte for byte."""
    return await export_content(request, f"artists/{artist}/exports/{export}")


@router.post(
    f"{_EXPORT}:link",
    operation_id="link_export",
    summary="A signed link to the archive",
    tags=["exports"],
    response_model=None,
    responses={200: {"model": Link}},
)
async def link_export(request: Request, artist: str, export: str) -> Response:
    """A link that gives the archive without a key until it expires; its path ends in `.zip`.

    An export that is kept as one object is linked where it lies, if the object store can sign links.
    """
    ttl_s = tools_of(request).settings.link_ttl_s
    return reply_link(request, await archive_link(request, f"artists/{artist}/exports/{export}", ttl_s))


async def archive_link(request: Request, name: str, ttl_s: int) -> str:
    """The address under which anybody gets an archive for that many seconds; its path ends in the file's suffix."""
    tools = tools_of(request)
    layout = await _layout(tools, name, 0, max_segments=1)
    return await _link_of_object(tools, layout, ttl_s) or link_to(request, name, layout.file_name, ttl_s=ttl_s)


async def _link_of_object(tools: ServerTools, layout: datasets_pb2.ExportLayout, ttl_s: int) -> str | None:
    first = layout.segments[0] if layout.segments else None
    if first is None or first.WhichOneof("source") != "blob" or first.blob.length_bytes != layout.size_bytes:
        return None
    link: str | None = await tools.pool.run(
        tools.objects.sign_get, first.blob.object_key, expires_s=ttl_s, filename=layout.file_name
    )
    return link


async def export_content(request: Request, name: str) -> Response:
    """The archive of a finished export as a download."""
    tools = tools_of(request)
    layout = await _layout(tools, name, 0)
    content = Content(layout.size_bytes, layout.content_etag, layout.media_type, layout.file_name)
    return await download(request, content, lambda span: _pieces(tools, name, layout, span))


async def _layout(tools: ServerTools, name: str, offset: int, *, max_segments: int = 0) -> datasets_pb2.ExportLayout:
    asked = datasets_pb2.GetExportLayoutRequest(name=name, offset_bytes=offset, max_segments=max_segments)
    found: datasets_pb2.ExportLayout = await tools.peers.call(DATASETS, "GetExportLayout", asked)
    return found


async def _pieces(
    tools: ServerTools, name: str, layout: datasets_pb2.ExportLayout, span: Span
) -> AsyncGenerator[bytes]:
    gathered = bytearray()
    async for piece in _parts(tools, name, layout, span):
        if len(piece) >= _ALONE:  # it goes on as it is: copying it would cost more than a send
            if gathered:
                yield bytes(gathered)
                gathered.clear()
            yield piece
            continue
        gathered += piece
        if len(gathered) >= _GATHER:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


async def _parts(tools: ServerTools, name: str, layout: datasets_pb2.ExportLayout, span: Span) -> AsyncGenerator[bytes]:
    at = span.start
    while at < span.end:
        if not _holds(layout, at):
            layout = await _layout(tools, name, at)
        for segment in layout.segments:
            skip = at - segment.offset_bytes
            length = min(_length(segment) - skip, span.end - at)
            if skip < 0 or length <= 0:
                continue
            if segment.WhichOneof("source") == "inline":
                yield segment.inline[skip : skip + length]
            else:
                blob = segment.blob
                async for piece in read_object(tools, blob.object_key, blob.offset_bytes + skip, length):
                    yield piece
            at += length


def _holds(layout: datasets_pb2.ExportLayout, at: int) -> bool:
    return bool(layout.segments) and layout.segments[0].offset_bytes <= at < layout.next_offset_bytes


def _length(segment: datasets_pb2.ExportLayout.Segment) -> int:
    inline = segment.WhichOneof("source") == "inline"
    return len(segment.inline) if inline else segment.blob.length_bytes
