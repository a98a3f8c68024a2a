"""HTTP routes made from RPCs: the path gives the name, the body the rest, the answer goes back as JSON.

The shape of a request message decides how it is filled, as Google's API guidelines lay it out:

* the path up to its last variable is the resource's `name`, or the `parent` where the request has one;
* the body of Create and Update is the resource, every other body the request's remaining members;
* what a body of Update names is its update mask, `If-Match` is the etag, `Idempotency-Key` the request id.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Query, Request
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from chassis.errors import FieldInvalid, Violation
from services.gateway.context import ServerTools, tools_of
from services.gateway.headers import if_match, request_id
from services.gateway.peers import Api
from services.gateway.replies import accepted, gone, resource_reply
from services.gateway.rest import fill, json_name
from services.gateway.shapes import OperationOut
from services.gateway.streams import EventStream, message_stream

_OPERATION = "google.longrunning.Operation"
_QUERY_VERBS = ("GET", "HEAD")
IDEMPOTENCY = "Makes a repeat safe: the same key gives the state of what the first request made. 1 to 255 characters."
_IF_MATCH = "ETag that the resource must still have; `*` for any."


@dataclass(frozen=True, slots=True)
class Rpc:
    """A route and the method behind it.

    Attributes:
        address: HTTP method and path below `/v1`, as `GET /artists/{artist}/assets/{asset}`.
        api: The gRPC service.
        method: The method's name.
        name: Template of the resource name, where it is not the path up to its last variable.
        bind: Field of the request that takes the name, where it is neither `name` nor `parent`.
        needs_etag: Whether the change is refused without `If-Match`.
        timeout_s: Deadline of the call, seconds; the gateway's own when None.
        operation_id: Stable id in the OpenAPI document, the method's name in snake case when empty.
        prepare: Completes the message before it is sent, with what only the gateway knows.
    """

    address: str
    api: Api
    method: str
    name: str = ""
    bind: str = ""
    needs_etag: bool = False
    timeout_s: float | None = None
    operation_id: str = ""
    prepare: Callable[[Request, Any], Awaitable[None]] | None = None

    @property
    def verb(self) -> str:
        """The HTTP method."""
        return self.address.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path below `/v1`."""
        return self.address.partition(" ")[2]

    @property
    def descriptor(self) -> MethodDescriptor:
        """What is known of the method."""
        return self.api.method(self.method)


def expose(router: APIRouter, tag: str, *rpcs: Rpc) -> None:
    """Add a route for each RPC."""
    for rpc in rpcs:
        _Route(rpc).add_to(router, tag)


class _Route:
    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._descriptor = rpc.descriptor
        self._input = rpc.descriptor.input_type
        self._new = message_factory.GetMessageClass(self._input)
        fields = self._input.fields_by_name
        self._resource = _resource_field(rpc.descriptor)
        self._is_update = rpc.method.startswith("Update")
        self._bind = rpc.bind or next((name for name in ("name", "parent") if name in fields), "")
        self._template = rpc.name or re.sub(r"[^}]*$", "", rpc.path).lstrip("/")
        self._takes_etag = "etag" in fields or self._etag_in_resource()
        self._body = self._model("Body") if rpc.verb not in (*_QUERY_VERBS, "DELETE") else None
        self._query = self._model("Query")
        self._wraps_resource = self._resource is not None and self._body_has(self._resource.name)

    def add_to(self, router: APIRouter, tag: str) -> None:
        rpc = self._rpc
        doc = rpc.api.models.DOCS.get(f"{self._descriptor.containing_service.name}.{rpc.method}", "")
        status, model, description = self._answer()
        router.add_api_route(
            rpc.path,
            self._endpoint(),
            methods=[rpc.verb],
            operation_id=rpc.operation_id or _snake(rpc.method),
            summary=doc.partition(". ")[0].rstrip("."),
            description=doc,
            tags=[tag],
            status_code=status,
            response_model=None,
            response_class=EventStream if self._descriptor.server_streaming else JSONResponse,
            responses={status: {"model": model, "description": description} if model else {"description": description}},
        )

    def _answer(self) -> tuple[int, type[BaseModel] | None, str]:
        output = self._descriptor.output_type
        if self._descriptor.server_streaming:
            return 200, None, "Server-Sent Events, one per message; the event's name says what its data holds."
        if output.full_name == _OPERATION:
            return 202, OperationOut, "The work has been accepted; `Location` leads to its operation."
        if not output.fields:
            return 204, None, "Done."
        model = _out_model(self._rpc.api, self._descriptor)
        is_create = self._rpc.method.startswith("Create") or self._rpc.method in _MAKERS
        return (201, model, "It was made.") if is_create else (200, model, "The answer.")

    def _endpoint(self) -> Callable[..., Awaitable[Response]]:
        async def endpoint(request: Request, **given: Any) -> Response:
            message = self._message(request, given.get("body"), given.get("query"))
            if self._rpc.prepare is not None:
                await self._rpc.prepare(request, message)
            tools = tools_of(request)
            if self._descriptor.server_streaming:
                answers = tools.peers.stream(self._rpc.api, self._rpc.method, message)
                return await message_stream(tools, answers)
            answer = await tools.peers.call(self._rpc.api, self._rpc.method, message, timeout_s=self._rpc.timeout_s)
            return self._reply(request, tools, answer)

        endpoint.__signature__ = inspect.Signature(self._parameters())  # type: ignore[attr-defined]
        endpoint.__name__ = _snake(self._rpc.method)
        return endpoint

    def _reply(self, request: Request, _tools: ServerTools, answer: Message) -> Response:
        status, _, _ = self._answer()
        if status == 202:
            return accepted(answer)
        if status == 204:
            return gone()
        return resource_reply(request, answer, status)

    def _message(self, request: Request, body: BaseModel | None, query: BaseModel | None) -> Message:
        message = self._new()
        name = self._template.format(**request.path_params)
        values = body.model_dump(exclude_unset=True) if body is not None else {}
        if query is not None:
            fill(message, query.model_dump(exclude_none=True))
        if self._resource is not None and not self._wraps_resource:
            target = getattr(message, self._resource.name)
            target.SetInParent()
            fill(target, values)
            if self._is_update:
                target.name = name
                _set_mask(message, self._resource, values)
        else:
            fill(message, values)
        if self._bind:
            setattr(message, self._bind, name)
        self._set_etag(message, request)
        if "request_id" in self._input.fields_by_name:
            message.request_id = request_id(request)  # type: ignore[attr-defined]
        return message

    def _set_etag(self, message: Any, request: Request) -> None:
        if not self._takes_etag:
            return
        etag = if_match(request, required=self._rpc.needs_etag)
        if "etag" in self._input.fields_by_name:
            message.etag = etag
        elif self._resource is not None:
            getattr(message, self._resource.name).etag = etag

    def _etag_in_resource(self) -> bool:
        return bool(
            self._is_update
            and self._resource is not None
            and self._resource.message_type is not None
            and "etag" in self._resource.message_type.fields_by_name
        )

    def _body_has(self, name: str) -> bool:
        return self._body is not None and name in self._body.model_fields

    def _model(self, kind: str) -> type[BaseModel] | None:
        models = self._rpc.api.models
        package = self._input.full_name.split(".")[1].capitalize()
        found = getattr(models, f"{self._rpc.method}{kind}", None) or getattr(
            models, f"{package}{self._rpc.method}{kind}", None
        )
        return found

    def _parameters(self) -> list[inspect.Parameter]:
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)]
        for name in re.findall(r"{(\w+)}", self._rpc.path):
            path = Path(description=f"Id of the {name.replace('_', ' ')}.", examples=[_example(name)])
            parameters.append(inspect.Parameter(name, keyword, annotation=Annotated[str, path]))
        if self._body is not None:
            is_optional = not any(field.is_required() for field in self._body.model_fields.values())
            shape: Any = self._body | None if is_optional else self._body
            default = None if is_optional else inspect.Parameter.empty
            body = inspect.Parameter("body", keyword, annotation=Annotated[shape, Body()], default=default)
            parameters.append(body)
        if self._query is not None:
            query: Any = self._query
            parameters.append(inspect.Parameter("query", keyword, annotation=Annotated[query, Query()]))
        if "request_id" in self._input.fields_by_name:
            parameters.append(_header("idempotency_key", "Idempotency-Key", IDEMPOTENCY))
        if self._takes_etag:
            parameters.append(_header("if_match", "If-Match", _IF_MATCH))
        return parameters


# Methods that make something and are not called Create.
_MAKERS = frozenset({"CopySession", "GenerateCaption"})


def _resource_field(method: MethodDescriptor) -> FieldDescriptor | None:
    wanted = re.sub(r"^(Create|Update)", "", method.name)
    if wanted == method.name:
        return None
    for field in method.input_type.fields:
        if field.message_type is not None and field.message_type.name == wanted and not field.is_repeated:
            return field
    return None


def _set_mask(message: Any, resource: FieldDescriptor, values: Mapping[str, Any]) -> None:
    if not values:
        text = "name at least one member to change"
        raise FieldInvalid(f"the body changes nothing; {text}", violations=[Violation("body", text)])
    assert resource.message_type is not None
    paths = [field.name for field in resource.message_type.fields if json_name(field) in values]
    message.update_mask.paths.extend(paths)


def _out_model(api: Api, method: MethodDescriptor) -> type[BaseModel]:
    full = method.output_type.full_name.split(".")
    short = "".join(full[3:])
    found: type[BaseModel] = getattr(api.models, short, None) or getattr(api.models, full[1].capitalize() + short)
    return found


def _header(name: str, alias: str, description: str) -> inspect.Parameter:
    annotation = Annotated[str | None, Header(alias=alias, description=description)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=None)


def _example(name: str) -> str:
    return "nova" if name == "artist" else "0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
