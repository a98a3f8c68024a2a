"""Answers: resources with their etags, accepted work, and nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from google.longrunning import operations_pb2
from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.headers import none_match
from services.gateway.operations import RETRY_AFTER_S
from services.gateway.rest import operation_to_rest, to_rest

_CREATED = 201


def json_reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(body), status, dict(headers or {}), media_type="application/json")


def resource_reply(request: Request, message: Message, status: int = 200) -> Response:
    """A resource as JSON, with `ETag` and, when it was made, `Location`; 304 when the caller has it already."""
    named: Any = message
    etag = str(named.etag) if "etag" in message.DESCRIPTOR.fields_by_name else ""
    headers = {"cache-control": "private, no-cache"}
    if etag:
        headers["etag"] = f'"{etag}"'
        if request.method == "GET" and none_match(request, etag):
            return Response(status_code=304, headers=headers)
    if status == _CREATED and "name" in message.DESCRIPTOR.fields_by_name:
        headers["location"] = f"/v1/{named.name}"
    return json_reply(to_rest(message), status, headers)


def accepted(operation: operations_pb2.Operation) -> Response:
    """Long work that has been accepted: where it can be followed, and its operation."""
    headers = {"location": f"/v1/{operation.name}", "retry-after": str(RETRY_AFTER_S)}
    return json_reply(operation_to_rest(operation), 202, headers)


def gone() -> Response:
    """Done, with nothing to say."""
    return Response(status_code=204)
