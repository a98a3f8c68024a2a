"""Signed links: one content for whoever has the link, until it expires."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from chassis.context import acting_as, caller
from services.gateway.context import base_url, tools_of
from services.gateway.downloads import content_route
from services.gateway.errors import LinkUnknown
from services.gateway.replies import json_reply
from services.gateway.shapes import Out, Time

router = APIRouter(prefix="/v1")
Open = Callable[[Request, str], Awaitable[Response]]
# How the content of each collection is read; the composition of the application fills it.
OPENERS: dict[str, Open] = {}


class Link(Out):
    """A signed link."""

    url: str = Field(
        description="Gives the content to a plain GET, without a key.",
        examples=["https://api.example.com/v1/links/eyJhbGciOiJIUzI1NiJ9.e30.c2ln/night-drive.wav"],
    )
    expire_time: Time = Field(description="When it ends.", examples=["2026-11-21T11:00:00.000000Z"])


def link_to(request: Request, name: str, file_name: str, *, ttl_s: int | None = None) -> str:
    """The address of a new link to a resource's content, with the file's name as its last part."""
    tools = tools_of(request)
    token = tools.signer.link(name, caller(), ttl_s or tools.settings.link_ttl_s)
    return f"{base_url(request)}/v1/links/{token}/{quote(file_name, safe='')}"


def reply_link(request: Request, url: str) -> Response:
    """The answer that carries a link."""
    tools = tools_of(request)
    end: datetime = tools.clock.now().astimezone(UTC) + timedelta(seconds=tools.settings.link_ttl_s)
    expire_time = end.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return json_reply({"url": url, "expire_time": expire_time}, headers={"cache-control": "no-store"})


@content_route(
    router,
    "/links/{token}/{file_name}",
    operation_id="open_link",
    summary="The content behind a signed link",
    tag="links",
    media_types=["application/octet-stream"],
)
async def open_link(request: Request, token: str, file_name: str) -> Response:
    """The content that the link stands for; ranges work as they do on the content itself."""
    grant = tools_of(request).signer.open_link(token)
    collection = grant.target.split("/")[2]
    if collection not in OPENERS:
        raise LinkUnknown("this link leads nowhere; ask for a new one")
    with acting_as(grant.caller):
        return await OPENERS[collection](request, grant.target)
