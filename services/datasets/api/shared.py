"""Small translations that both servicers need."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.status_pb2 import Status

from chassis.errors import AppError, Code, by_code, require
from chassis.ids import parse_name
from chassis.status import rich_status
from services.datasets.domain import jsontext
from services.datasets.domain.ports import RequestKey
from services.datasets.domain.training_files import VERSION_NAME, TrainingFileVersionNotFound

PARENT = "artists/{artist}"
# gRPC codes of what jobs fail with; rows keep the reason alone.
ERROR_CODES = {
    "AUDIO_MISSING": "FAILED_PRECONDITION",
    "DOCUMENT_DAMAGED": "DATA_LOSS",
    "WORKER_LOST": "UNAVAILABLE",
    "DEPENDENCY_UNAVAILABLE": "UNAVAILABLE",
}


def artist_of(parent: str) -> str:
    """The artist that a parent names."""
    return parse_name(PARENT, parent, field="parent")["artist"]


def last_of(pattern: str, name: str, *, field: str = "name") -> tuple[str, str]:
    """Artist and last part of a resource name."""
    parts = list(parse_name(pattern, name, field=field).values())
    return parts[0], parts[-1]


def key_of(request: Any, method: str) -> RequestKey:
    """What makes a repeat of the request recognisable."""
    bare = type(request)()
    bare.CopyFrom(request)
    bare.ClearField("request_id")
    return RequestKey(method, request.request_id, bare.SerializeToString(deterministic=True))


def part_key(request: Any, part: Message, index: int) -> RequestKey:
    """What makes a repeat of one part of a batch recognisable: the batch's id and the place in it."""
    require(len(request.request_id) <= 255, "request_id", "1 to 255 characters")
    word = f"{request.request_id}/{index}".encode()
    request_id = hashlib.sha256(word).hexdigest() if request.request_id else ""
    method = type(request).__name__.removesuffix("Request")
    return RequestKey(method, request_id, part.SerializeToString(deterministic=True))


def stamp(moment: datetime | None) -> Timestamp | None:
    """The moment as a message; None where there is none."""
    if moment is None:
        return None
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def moment_of(message: Message, field: str) -> datetime | None:
    """The aware moment in a field; None where it is not set."""
    if not message.HasField(field):
        return None
    value = getattr(message, field)
    require(-62_135_596_800 <= value.seconds < 253_402_300_800, field, "a moment between the years 1 and 9999")
    found: datetime = value.ToDatetime(tzinfo=UTC)
    return found


def struct_of(value: dict[str, Any]) -> Struct:
    """The object as a message."""
    made = Struct()
    made.update(value)
    return made


def plain_struct(message: Message, field: str) -> dict[str, Any]:
    """The object in a field, with numbers as people write them; empty where it is not set."""
    if not message.HasField(field):
        return {}
    found: dict[str, Any] = plain_value(getattr(message, field))
    return found


def plain_value(message: Any) -> Any:
    """The value of a Struct or Value message."""
    return jsontext.plain(MessageToDict(message))


def fields_of(message: Message, mask: Any, editable: Iterable[str]) -> set[str]:
    """The fields to change: those of the mask, or those that are set when the mask is empty."""
    if mask.paths:
        return set(mask.paths)
    set_fields = {field.name for field, _ in message.ListFields()}
    return set_fields & set(editable)


def enum_value(kind: Any, number: int, prefix: str, field: str) -> str:
    """The domain's word for an enum's number; empty for the unspecified one."""
    require(number in kind.values(), field, f"one of {', '.join(kind.keys())}")
    name: str = kind.Name(number)
    word = name.removeprefix(prefix)
    return "" if word == "UNSPECIFIED" else word


def failure(reason: str, message: str) -> Status | None:
    """A row's failure as a status; None where there is none."""
    if not reason:
        return None
    error = by_code(Code[ERROR_CODES.get(reason, "INTERNAL")])(message)
    error.reason = reason
    return rich_status(error, "datasets")


def status_of(error: AppError) -> Status:
    """An error as a status, inside a response."""
    return rich_status(error, "datasets")


def parse_version(name: str) -> tuple[str, str, int]:
    """Artist, training file and number of a version's name."""
    parts = parse_name(VERSION_NAME, name)
    number = parts["version"]
    sequence = int(number) if number.isdecimal() and len(number) < 9 else 0
    if not sequence:
        raise TrainingFileVersionNotFound(f"training file {parts['training_file']!r} has no version {number[:40]!r}")
    return parts["artist"], parts["training_file"], sequence
