"""Between protobuf and plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import require
from chassis.ids import parse_name

LIVE_SET = "artists/{artist}/live-sets/{live_set}"
CAPTION = "artists/{artist}/captions/{caption}"
TEMPLATE = "artists/{artist}/prompt-templates/{prompt_template}"
ASSET = "artists/{artist}/assets/{asset}"


def artist_in(name: str, field: str = "name") -> str:
    """The artist of `artists/{artist}`."""
    return parse_name("artists/{artist}", name, field=field)["artist"]


def ids_in(pattern: str, name: str, field: str = "name") -> list[str]:
    """The parts of a resource name in their order."""
    return list(parse_name(pattern, name, field=field).values())


def id_in(pattern: str, name: str, field: str) -> str:
    """The last part of a resource name below an artist; empty for an empty name."""
    return ids_in(pattern, name, field)[1] if name else ""


def time_of(moment: datetime | None) -> Timestamp | None:
    """The moment as a message."""
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def changes_of(resource: Message, mask: FieldMask, fields: Iterable[str]) -> dict[str, Any]:
    """The values of the fields that the mask names, all of `fields` if it names none.

    Raises:
        FieldInvalid: The mask names a field that cannot be changed.
    """
    allowed = list(fields)
    paths = list(dict.fromkeys(mask.paths))
    if not paths or paths == ["*"]:
        paths = allowed
    for path in paths:
        require(path in allowed, "update_mask", f"only {', '.join(allowed)}, not {path[:60]!r}")
    return {path: getattr(resource, path) for path in paths}


def to_struct(document: Mapping[str, Any]) -> Struct:
    """The document as a message."""
    struct = Struct()
    struct.update(document)
    return struct


def from_struct(struct: Struct, field: str) -> dict[str, Any]:
    """The document of a message; whole numbers become integers.

    Raises:
        FieldInvalid: It holds a number that JSON has not, or nests too deep.
    """
    return {key: _plain(value, field, 1) for key, value in struct.fields.items()}


def _plain(value: Value, field: str, depth: int) -> Any:
    require(depth <= 64, field, "at most 12 levels")
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return {key: _plain(inner, field, depth + 1) for key, inner in value.struct_value.fields.items()}
    if kind == "list_value":
        items: ListValue = value.list_value
        return [_plain(inner, field, depth + 1) for inner in items.values]
    if kind == "number_value":
        number = value.number_value
        require(abs(number) < float("inf"), field, "finite numbers")
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return None if kind in {None, "null_value"} else getattr(value, kind)
