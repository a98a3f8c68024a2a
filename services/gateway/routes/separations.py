"""Separations into stems, and the models that make them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import Field
from starlette.responses import Response

from services.gateway.context import tools_of
from services.gateway.downloads import object_download
from services.gateway.errors import LinkExpired
from services.gateway.models.stems import Separation, StemChunk
from services.gateway.peers import STEMS
from services.gateway.routes.links import link_to
from services.gateway.routes.operations import EventTicket, ticket_reply
from services.gateway.shapes import Out
from services.gateway.streams import EventStream, message_event, message_stream
from services.gateway.transcode import Rpc, expose
from tonewright.operations.v1 import operations_pb2
from tonewright.stems.v1 import stems_pb2

router = APIRouter(prefix="/v1")
_SEPARATION = "/artists/{artist}/separations/{separation}"
# A thousand of them are made one after the other, each with two calls to the assets.
_BATCH_S = 120.0
_ENDED = (operations_pb2.STATE_SUCCEEDED, operations_pb2.STATE_FAILED, operations_pb2.STATE_CANCELLED)
_SEEN = re.compile(r"(\d{1,9})\.([0-9a-z]*)")
_MEDIA_TYPES = {"flac": "audio/flac", "wav": "audio/wav"}

expose(
    router,
    "separations",
    Rpc("POST /artists/{artist}/separations", STEMS, "CreateSeparation"),
    Rpc("POST /artists/{artist}/separations:batchCreate", STEMS, "BatchCreateSeparations", timeout_s=_BATCH_S),
    Rpc("GET /artists/{artist}/separations", STEMS, "ListSeparations"),
    Rpc(f"GET {_SEPARATION}", STEMS, "GetSeparation"),
    Rpc(f"POST {_SEPARATION}:cancel", STEMS, "CancelSeparation"),
    Rpc(f"DELETE {_SEPARATION}", STEMS, "DeleteSeparation"),
    Rpc("GET /artists/{artist}/models", STEMS, "ListModels"),
    Rpc("GET /artists/{artist}/models/{model}", STEMS, "GetModel"),
)


class SeparationEvent(Out):
    """The data of one event: the member that the event's name says."""

    separation: Separation | None = Field(default=None, description="Of events `separation`: as it is now.")
    chunk: StemChunk | None = Field(default=None, description="Of events `chunk`: a stretch that can be played.")


@dataclass(slots=True)
class _Seen:
    """What a client has of a separation: its event ids say so."""

    next_chunk: int
    etag: str = ""

    @classmethod
    def of(cls, last_event_id: str, first_chunk: int) -> _Seen:
        found = _SEEN.fullmatch(last_event_id)
        return cls(int(found[1]), found[2]) if found else cls(first_chunk)

    def has_all(self, update: stems_pb2.WatchSeparationResponse) -> bool:
        """Whether the client has this and nothing comes after it."""
        separation = update.separation
        return separation.etag == self.etag != "" and separation.state in _ENDED

    def show(self, request: Request, update: stems_pb2.WatchSeparationResponse) -> bytes:
        """The event of an update; no bytes for what the client has."""
        if update.WhichOneof("update") == "chunk":
            self.next_chunk = update.chunk.index + 1
            for part in update.chunk.parts:
                part.url = link_to(request, part.object_key, part.object_key.rpartition("/")[2])
        elif update.separation.etag == self.etag:
            return b""
        else:
            self.etag = update.separation.etag
        return message_event(update, f"{self.next_chunk}.{self.etag}")


@router.get(
    f"{_SEPARATION}/events",
    operation_id="watch_separation",
    summary="Follow it",
    tags=["separations"],
    response_model=None,
    response_class=EventStream,
    responses={
        200: {
            "model": SeparationEvent,
            "description": "Events `separation` (as it is now) and, where asked for, `chunk` (a stretch of its stems, "
            "with a signed `url` for each part); the separation's end is the last.",
        },
        204: {"description": "The client has seen the last event."},
    },
)
async def watch_separation(
    request: Request,
    artist: str,
    separation: str,
    *,
    include_chunks: Annotated[bool, Query(description="Whether finished chunks are told before the end.")] = False,
    first_chunk: Annotated[
        int, Query(ge=0, le=10**9 - 1, description="Index of the first chunk to tell, without `Last-Event-ID`.")
    ] = 0,
    last_event_id: Annotated[str, Header(alias="Last-Event-ID", description="Id of the last event seen.")] = "",
    ticket: Annotated[str, Query(description="Instead of a key, from `events:ticket`.")] = "",
) -> Response:
    """Server-Sent Events: the separation now and at each change, its chunks in order and none twice."""
    tools, seen = tools_of(request), _Seen.of(last_event_id, first_chunk)
    asked = stems_pb2.WatchSeparationRequest(
        name=f"artists/{artist}/separations/{separation}", include_chunks=include_chunks, first_chunk=seen.next_chunk
    )
    answers = tools.peers.stream(STEMS, "WatchSeparation", asked)
    first = await anext(answers, None)
    if first is not None and seen.has_all(first):
        # An EventSource that reconnects after the end stops for good when it gets this.
        return Response(status_code=204)
    return await message_stream(tools, _together(first, answers), lambda update: seen.show(request, update))


@router.post(
    f"{_SEPARATION}/events:ticket",
    operation_id="create_separation_event_ticket",
    summary="A ticket for EventSource",
    tags=["separations"],
    response_model=None,
    responses={200: {"model": EventTicket}},
)
async def create_separation_event_ticket(request: Request, artist: str, separation: str) -> Response:
    """A short-lived ticket that opens this separation's events without a header."""
    name = f"artists/{artist}/separations/{separation}"
    await tools_of(request).peers.call(STEMS, "GetSeparation", stems_pb2.GetSeparationRequest(name=name))
    return ticket_reply(request, f"/v1/{name}/events")


async def chunk_content(request: Request, key: str) -> Response:
    """The audio of one part of a chunk, by the key of its object.

    Raises:
        LinkExpired: The chunk is gone.
    """
    tools = tools_of(request)
    found = await tools.pool.run(tools.objects.head, key)
    if found is None:
        raise LinkExpired("this chunk is gone, its separation has ended; read the separation's stems instead")
    name = key.rpartition("/")[2]
    return await object_download(
        request,
        key=key,
        size_bytes=found.size_bytes,
        sha256=found.etag,
        media_type=_MEDIA_TYPES.get(name.rpartition(".")[2], ""),
        file_name=name,
        inline=True,
    )


async def _together(first: Any, rest: AsyncIterator[Any]) -> AsyncIterator[Any]:
    if first is not None:
        yield first
    async for answer in rest:
        yield answer
