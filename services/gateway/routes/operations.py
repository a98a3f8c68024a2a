"""Long work: read, wait, cancel, follow."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration
from pydantic import Field
from starlette.responses import Response

from chassis.context import caller
from chassis.errors import PageTokenInvalid, Unimplemented
from services.gateway.context import ServerTools, base_url, tools_of
from services.gateway.operations import PEERS, peer_of
from services.gateway.replies import json_reply
from services.gateway.rest import operation_to_rest
from services.gateway.shapes import In, OperationOut, OperationsOut, Out
from services.gateway.streams import EventStream, operation_stream

router = APIRouter(prefix="/v1", tags=["operations"])
_OPERATIONS = "/artists/{artist}/operations"
_OPERATION = f"{_OPERATIONS}/{{operation}}"
_MAX_WAIT_S = 60.0
_JSON: dict[int | str, dict[str, Any]] = {200: {"model": OperationOut}}


class WaitBody(In):
    """How long to wait."""

    timeout_s: float = Field(default=30.0, ge=0, le=_MAX_WAIT_S, description="Seconds, 0 to 60.", examples=[30.0])


class EventTicket(Out):
    """A short-lived right to one event stream, for EventSource, which sends no headers."""

    ticket: str = Field(
        description="Goes into the stream's `ticket` parameter.", examples=["eyJhbGciOiJIUzI1NiJ9.e30.c2ln"]
    )
    url: str = Field(
        description="The stream with the ticket in it.",
        examples=["https://api.example.com/v1/artists/nova/operations/exports-0193f1c2/events?ticket=eyJh"],
    )
    expires_in_s: int = Field(description="How long it opens the stream, seconds.", examples=[300])


@router.get(
    _OPERATIONS,
    operation_id="list_operations",
    summary="Long work of an artist",
    response_model=None,
    responses={200: {"model": OperationsOut}},
)
async def list_operations(
    request: Request,
    artist: str,
    page_size: Annotated[int, Query(ge=0, le=1000, description="At most so many; 0: 50.")] = 0,
    page_token: Annotated[str, Query(description="`next_page_token` of the page before.")] = "",
    filter_: Annotated[str, Query(alias="filter", description="Only of one collection, as `separations`.")] = "",
) -> Response:
    """The operations of each service after the other, newest first within each."""
    tools = tools_of(request)
    peers = (peer_of(f"{filter_}-"),) if filter_ else PEERS
    peer, _, token = page_token.partition("~") if page_token else (peers[0], "", "")
    if peer not in peers:
        raise PageTokenInvalid("this page token was not made for this list; begin again without one")
    asked = operations_pb2.ListOperationsRequest(
        name=f"artists/{artist}", page_size=page_size, page_token=token, filter=filter_
    )
    try:
        found = await tools.peers.operations(peer).ListOperations(asked, timeout=tools.settings.call_timeout_s)
    except Unimplemented:
        found = operations_pb2.ListOperationsResponse()
    following = peers[peers.index(peer) + 1 : peers.index(peer) + 2]
    next_token = f"{peer}~{found.next_page_token}" if found.next_page_token else "".join(f"{p}~" for p in following)
    operations = [operation_to_rest(operation) for operation in found.operations]
    return json_reply({"operations": operations, "next_page_token": next_token})


@router.get(_OPERATION, operation_id="get_operation", summary="One operation", response_model=None, responses=_JSON)
async def get_operation(request: Request, artist: str, operation: str) -> Response:
    """Where the work stands, and its result once it has ended."""
    return _reply(await _read(tools_of(request), artist, operation))


@router.post(
    f"{_OPERATION}:cancel",
    operation_id="cancel_operation",
    summary="Ask it to stop",
    response_model=None,
    responses=_JSON,
)
async def cancel_operation(request: Request, artist: str, operation: str) -> Response:
    """Asks the work to stop and gives the operation as it is then; one that has ended stays as it is."""
    tools = tools_of(request)
    asked = operations_pb2.CancelOperationRequest(name=_name(artist, operation))
    await tools.peers.operations(peer_of(operation)).CancelOperation(asked, timeout=tools.settings.call_timeout_s)
    return _reply(await _read(tools, artist, operation))


@router.post(
    f"{_OPERATION}:wait",
    operation_id="wait_operation",
    summary="Wait for its end",
    response_model=None,
    responses=_JSON,
)
async def wait_operation(request: Request, artist: str, operation: str, body: WaitBody | None = None) -> Response:
    """The operation when it has ended, or as it is when the time is up."""
    tools = tools_of(request)
    wait_s = (body or WaitBody()).timeout_s
    timeout = Duration()
    timeout.FromNanoseconds(round(wait_s * 1e9))
    asked = operations_pb2.WaitOperationRequest(name=_name(artist, operation), timeout=timeout)
    stub = tools.peers.operations(peer_of(operation))
    return _reply(await stub.WaitOperation(asked, timeout=wait_s + tools.settings.call_timeout_s))


@router.get(
    f"{_OPERATION}/events",
    operation_id="follow_operation",
    summary="Follow it",
    response_model=None,
    response_class=EventStream,
    responses={
        200: {"description": "An event for each change; `done` is the last."},
        204: {"description": "The client has seen the last event."},
    },
)
async def follow_operation(
    request: Request,
    artist: str,
    operation: str,
    last_event_id: Annotated[str, Header(alias="Last-Event-ID", description="Id of the last event seen.")] = "",
    ticket: Annotated[str, Query(description="Instead of a key, from `events:ticket`.")] = "",
) -> Response:
    """Server-Sent Events: each holds the whole operation, so a reconnect that names the last one loses nothing."""
    tools = tools_of(request)
    first = await _read(tools, artist, operation)
    return operation_stream(tools, lambda: _read(tools, artist, operation), first, last_event_id)


@router.post(
    f"{_OPERATION}/events:ticket",
    operation_id="create_event_ticket",
    summary="A ticket for EventSource",
    response_model=None,
    responses={200: {"model": EventTicket}},
)
async def create_event_ticket(request: Request, artist: str, operation: str) -> Response:
    """A short-lived ticket that opens this operation's events without a header."""
    await _read(tools_of(request), artist, operation)
    return ticket_reply(request, f"/v1/{_name(artist, operation)}/events")


def ticket_reply(request: Request, path: str) -> Response:
    """The answer that carries a ticket for the event stream at this path."""
    tools = tools_of(request)
    ticket = tools.signer.ticket(path, caller(), tools.settings.ticket_ttl_s)
    body = {
        "ticket": ticket,
        "url": f"{base_url(request)}{path}?ticket={ticket}",
        "expires_in_s": tools.settings.ticket_ttl_s,
    }
    return json_reply(body, headers={"cache-control": "no-store"})


async def _read(tools: ServerTools, artist: str, operation: str) -> operations_pb2.Operation:
    asked = operations_pb2.GetOperationRequest(name=_name(artist, operation))
    stub = tools.peers.operations(peer_of(operation))
    found: operations_pb2.Operation = await stub.GetOperation(asked, timeout=tools.settings.call_timeout_s)
    return found


def _name(artist: str, operation: str) -> str:
    return f"artists/{artist}/operations/{operation}"


def _reply(operation: operations_pb2.Operation) -> Response:
    return json_reply(operation_to_rest(operation), headers={"cache-control": "no-store"})
