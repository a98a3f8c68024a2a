"""Ableton Live Sets: upload, summary, changes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from chassis.ids import new_uid
from services.gateway.context import tools_of
from services.gateway.headers import request_id
from services.gateway.models.prompt import LiveSet
from services.gateway.peers import PROMPT
from services.gateway.replies import resource_reply
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


expose(
    router,
    "live sets",
    Rpc("GET /artists/{artist}/live-sets", PROMPT, "ListLiveSets"),
    Rpc(f"GET {_LIVE_SET}", PROMPT, "GetLiveSet"),
    Rpc(f"PATCH {_LIVE_SET}", PROMPT, "UpdateLiveSet"),
    Rpc(f"DELETE {_LIVE_SET}", PROMPT, "DeleteLiveSet"),
    Rpc(f"POST {_LIVE_SET}:undelete", PROMPT, "UndeleteLiveSet"),
)
