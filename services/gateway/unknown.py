"""What a route does not know is refused, so that a misspelt word is heard of and not passed over.

Bodies and queries that have a model refuse it themselves; this is for the routes without one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

from chassis.errors import FieldInvalid, Violation
from services.gateway.access import is_public
from services.gateway.errors import BodyInvalid
from services.gateway.limits import is_upload_route
from services.gateway.problems import UNKNOWN

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


async def refuse_unknown(request: Request) -> None:
    """Nothing, or the refusal of parameters and members that the route does not take.

    Public addresses take what others may add to them.

    Raises:
        FieldInvalid: There are some; all are named.
        BodyInvalid: There is a body that is no JSON object.
    """
    path, route = request.scope["path"], request.scope["route"]
    if is_public(path):
        return
    unknown: list[str] = []
    if request.scope["query_string"]:
        known = _known_parameters(route)
        unknown += [f"query.{name}" for name in request.query_params if known is not None and name not in known]
    if request.method in _WITH_BODY and route.body_field is None and not is_upload_route(request.method, path):
        unknown += _members(await request.body())
    if unknown:
        violations = [Violation(name, UNKNOWN) for name in unknown]
        raise FieldInvalid("; ".join(f"{name}: {UNKNOWN}" for name in unknown), violations=violations)


def _known_parameters(route: APIRoute) -> frozenset[str] | None:
    fields = route.dependant.query_params
    kinds = [field.field_info.annotation for field in fields]
    if any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds):
        return None
    return frozenset(field.alias for field in fields)


def _members(body: bytes) -> Iterable[str]:
    if not body.strip():
        return ()
    try:
        found = json.loads(body)
    except ValueError as error:
        raise BodyInvalid("the body is not JSON; this route takes none, or an empty object") from error
    if found is not None and not isinstance(found, dict):
        raise BodyInvalid("this route takes no body, or an empty object")
    return found or ()
