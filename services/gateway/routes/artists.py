"""Artists, their members and profiles, and who one is."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from chassis.context import caller
from services.gateway.context import tools_of
from services.gateway.models.artists import Membership
from services.gateway.peers import ARTISTS
from services.gateway.replies import json_reply
from services.gateway.rest import to_rest
from services.gateway.shapes import Out
from services.gateway.transcode import Rpc, expose
from tonewright.artists.v1 import artists_pb2

router = APIRouter(prefix="/v1")
_ARTIST = "/artists/{artist}"
_MEMBER = "/artists/{artist}/members/{member}"

expose(
    router,
    "artists",
    Rpc("POST /artists", ARTISTS, "CreateArtist"),
    Rpc("GET /artists", ARTISTS, "ListArtists"),
    Rpc(f"GET {_ARTIST}", ARTISTS, "GetArtist"),
    Rpc(f"PATCH {_ARTIST}", ARTISTS, "UpdateArtist", needs_etag=True),
    Rpc(f"DELETE {_ARTIST}", ARTISTS, "DeleteArtist", needs_etag=True),
    Rpc(f"POST {_ARTIST}:undelete", ARTISTS, "UndeleteArtist"),
    Rpc(f"POST {_ARTIST}/members", ARTISTS, "CreateMember"),
    Rpc(f"GET {_ARTIST}/members", ARTISTS, "ListMembers"),
    Rpc(f"GET {_MEMBER}", ARTISTS, "GetMember"),
    Rpc(f"PATCH {_MEMBER}", ARTISTS, "UpdateMember"),
    Rpc(f"DELETE {_MEMBER}", ARTISTS, "DeleteMember"),
    Rpc(f"GET {_ARTIST}/profile", ARTISTS, "GetProfile", name="artists/{artist}/profile"),
    Rpc(f"PATCH {_ARTIST}/profile", ARTISTS, "UpdateProfile", name="artists/{artist}/profile", needs_etag=True),
    Rpc(f"GET {_ARTIST}/quota", ARTISTS, "GetQuota", name="artists/{artist}/quota"),
    Rpc(f"GET {_ARTIST}/audit-entries", ARTISTS, "ListAuditEntries"),
    Rpc(f"POST {_ARTIST}:export", ARTISTS, "ExportArtist"),
)


class Me(Out):
    """Who the key or token belongs to, and where it works."""

    principal: str = Field(description="The person or machine behind the key.", examples=["local"])
    operator: bool = Field(description="Whether it operates the platform.", examples=[False])
    memberships: list[Membership] = Field(description="The first 1000 artists it works on.")


@router.get(
    "/me",
    operation_id="get_me",
    summary="Who am I",
    tags=["artists"],
    response_model=None,
    responses={200: {"model": Me}},
)
async def get_me(request: Request) -> Response:
    """The principal behind the key or token, and its role at each artist."""
    me = caller()
    asked = artists_pb2.ListMembershipsRequest(principal=me.principal, page_size=1000)
    found = await tools_of(request).peers.call(ARTISTS, "ListMemberships", asked)
    body: dict[str, Any] = {"principal": me.principal, "operator": me.operator}
    return json_reply(body | {"memberships": [to_rest(membership) for membership in found.memberships]})
