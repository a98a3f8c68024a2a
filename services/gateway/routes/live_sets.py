"""Ableton Live Sets: upload, summary, changes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from chassis.ids import new_uid
from services.gateway.context import tools_of
from services.gateway.headers import request_id
from services.gateway.models.prompt import ImportLiveSetsResponse, LiveSet
from services.gateway.peers import PROMPT
from services.gateway.replies import json_reply, resource_reply
from services.gateway.rest import to_rest
from services.gateway.transcode import IDEMPOTENCY, Rpc, expose
from services.gateway.uploads import incoming, receive
from tonewright.prompt.v1 import prompt_pb2

router = APIRouter(prefix="/v1")
_LIVE_SET = "/artists/{artist}/live-sets/{live_set}"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
            },
        },
    }
}


@router.post(
    "/artists/{artist}/live-sets",
    operation_id="create_live_set",
    summary="Upload a Live Set",
    tags=["live sets"],
    status_code=201,
    response_model=None,
    responses={201: {"model": LiveSet, "description": "It was read."}},
    openapi_extra=_BODY,
)
async def create_live_set(
    request: Request,
    artist: str,
    file_name: Annotated[str, Query(description="Name of the file.", examples=["night-drive.als"])] = "",
    display_name: Annotated[str, Query(description="Name for people; the file's by default.")] = "",
    project_name: Annotated[str, Query(description="Name of the Live project.")] = "",
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", description=IDEMPOTENCY)] = None,
) -> Response:
    """Takes an `.als` file as the body itself or as a form's file, and reads it into its summary."""
    tools = tools_of(request)
    repeat = request_id(request)
    body = await incoming(request)
    key = f"artists/{artist}/uploads/{new_uid()}"
    await receive(tools, request, key, body)
    asked = prompt_pb2.CreateLiveSetRequest(
        parent=f"artists/{artist}",
        object_key=key,
        file_name=file_name or body.file_name,
        display_name=display_name,
        project_name=project_name,
        request_id=repeat,
    )
    made = await tools.peers.call(PROMPT, "CreateLiveSet", asked, timeout_s=60)
    return resource_reply(request, made, 201)


@router.post(
    "/artists/{artist}/live-sets:import",
    operation_id="import_live_sets",
    summary="Upload a zip of Live Sets",
    tags=["live sets"],
    response_model=None,
    responses={200: {"model": ImportLiveSetsResponse, "description": "One result per file."}},
    openapi_extra=_BODY,
)
async def import_live_sets(
    request: Request,
    artist: str,
    project_name: Annotated[str, Query(description="Name of the Live project; each file's folder by default.")] = "",
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", description=IDEMPOTENCY)] = None,
) -> Response:
    """Takes a zip, as of a project folder, and reads each `.als` file in it; each succeeds or fails alone."""
    tools = tools_of(request)
    repeat = request_id(request)
    key = f"artists/{artist}/uploads/{new_uid()}"
    await receive(tools, request, key, await incoming(request))
    asked = prompt_pb2.ImportLiveSetsRequest(
        parent=f"artists/{artist}", object_key=key, project_name=project_name, request_id=repeat
    )
    return json_reply(to_rest(await tools.peers.call(PROMPT, "ImportLiveSets", asked, timeout_s=300)))


@router.get(
    f"{_LIVE_SET}/timeline.svg",
    operation_id="get_live_set_timeline",
    summary="A picture of the arrangement",
    tags=["live sets"],
    response_model=None,
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}, "description": "Tracks and clips over time."}},
)
async def get_live_set_timeline(
    request: Request,
    artist: str,
    live_set: str,
    width: Annotated[int, Query(ge=0, le=8000, description="Width in pixels, 200 to 8,000; 0: 1,200.")] = 0,
) -> Response:
    """Tracks and clips over time as a scalable picture; it runs no scripts and loads nothing."""
    asked = prompt_pb2.GetLiveSetTimelineRequest(name=f"artists/{artist}/live-sets/{live_set}", width=width)
    drawn = await tools_of(request).peers.call(PROMPT, "GetLiveSetTimeline", asked)
    # Opened on its own, a picture must not be able to act for its viewer.
    headers = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
    return Response(drawn.content, media_type=drawn.media_type, headers=headers)


expose(
    router,
    "live sets",
    Rpc("GET /artists/{artist}/live-sets", PROMPT, "ListLiveSets"),
    Rpc(f"GET {_LIVE_SET}", PROMPT, "GetLiveSet"),
    Rpc(f"PATCH {_LIVE_SET}", PROMPT, "UpdateLiveSet"),
    Rpc(f"DELETE {_LIVE_SET}", PROMPT, "DeleteLiveSet"),
    Rpc(f"POST {_LIVE_SET}:undelete", PROMPT, "UndeleteLiveSet"),
)
