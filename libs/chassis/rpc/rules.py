"""Who may call a method, and the check that no request names another artist's resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from google.api import resource_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from chassis.context import Caller, Role
from chassis.errors import NotFound, OperatorRequired, PermissionDenied, RequestTooLarge, RoleTooLow

_READS = ("Get", "List", "Search", "Wait", "Watch", "Stream", "Query")
_EXEMPT = ("/grpc.health.v1.", "/grpc.reflection.")


class ArtistRequired(PermissionDenied):
    """The method works at one artist and the caller named none."""

    REASON = "ARTIST_REQUIRED"


@dataclass(frozen=True, slots=True)
class MethodRule:
    """Who may call a method.

    Args:
        role: Role needed at the artist; by the method's name when unset: reads need a viewer, all else an editor.
        scope: `artist` works at the caller's artist, `platform` at none or any (service to service),
            `public` needs no token.
        operator: Only operators may call; they may name any artist.
        max_request_bytes: Largest request message.
    """

    role: Role | None = None
    scope: Literal["artist", "platform", "public"] = "artist"
    operator: bool = False
    max_request_bytes: int | None = None


def rule_of(path: str, rules: Mapping[str, MethodRule]) -> MethodRule:
    """The rule of `/package.Service/Method`; keys are the path, `Service/Method` or `Method`."""
    if path.startswith(_EXEMPT):
        return MethodRule(scope="public")
    service, _, method = path.lstrip("/").partition("/")
    short = f"{service.rpartition('.')[2]}/{method}"
    rule = rules.get(path) or rules.get(short) or rules.get(method) or MethodRule()
    if rule.role is not None:
        return rule
    role = Role.VIEWER if method.startswith(_READS) else Role.EDITOR
    return MethodRule(role, rule.scope, rule.operator, rule.max_request_bytes)


def check_caller(rule: MethodRule, caller: Caller) -> None:
    """Raise unless the caller's role fits the rule."""
    if rule.scope != "artist" and not rule.operator:
        return
    if rule.operator:
        if not caller.operator:
            raise OperatorRequired("only operators of the platform may do this")
        return
    if caller.artist in ("", "-"):
        raise ArtistRequired("this works at one artist and the call names none")
    if rule.role is not None and not caller.role.allows(rule.role):
        raise RoleTooLow(
            f"role {caller.role.value} may not do this; it needs {rule.role.value}",
            metadata={"needed": rule.role.value},
        )


def check_request(rule: MethodRule, caller: Caller | None, request: Any) -> None:
    """Raise when the request is too large or names a resource of another artist."""
    if not isinstance(request, Message):
        return
    if rule.max_request_bytes is not None and request.ByteSize() > rule.max_request_bytes:
        raise RequestTooLarge(
            f"the request has {request.ByteSize()} bytes; this method takes {rule.max_request_bytes} at most",
            metadata={"max_bytes": str(rule.max_request_bytes)},
        )
    if caller is None or rule.scope != "artist" or (rule.operator and caller.artist == "-"):
        return
    for name in names_in(request):
        kind, _, rest = name.partition("/")
        if kind == "artists" and rest and rest.partition("/")[0] != caller.artist:
            raise NotFound(f"{name[:200]!r} does not exist")


def names_in(message: Message) -> Iterator[str]:
    """Every resource name that the message holds, at any depth."""
    plan = _plan(message.DESCRIPTOR)
    if not plan:
        return
    for field, value in message.ListFields():
        if (kind := plan.get(field.number)) is None:
            continue
        values = value if field.is_repeated else (value,)
        if kind == "map":
            values = value.values()
        if kind == "name":
            yield from values
        else:
            for inner in values:
                yield from names_in(inner)


@lru_cache(maxsize=4096)
def _plan(descriptor: Descriptor) -> dict[int, str]:
    """What to look into: field number to `name`, `message` or `map`."""
    plan = {}
    for field in descriptor.fields:
        if _is_name(field):
            plan[field.number] = "name"
        elif field.message_type is not None and _reaches_names(field.message_type):
            plan[field.number] = "map" if field.message_type.GetOptions().map_entry else "message"
    return plan


def _is_name(field: FieldDescriptor) -> bool:
    if field.type != FieldDescriptor.TYPE_STRING:
        return False
    return field.name in ("name", "parent") or field.GetOptions().HasExtension(resource_pb2.resource_reference)


@lru_cache(maxsize=4096)
def _reaches_names(descriptor: Descriptor) -> bool:
    seen, open_ = {descriptor.full_name}, [descriptor]
    while open_:
        here = open_.pop()
        for field in here.fields:
            if _is_name(field):
                return True
            inner = field.message_type
            if inner is not None and inner.full_name not in seen:
                seen.add(inner.full_name)
                open_.append(inner)
    return False
