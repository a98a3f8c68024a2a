"""Messages as JSON and back: snake_case, enums without prefix, 64-bit integers as numbers, RFC 3339 times."""

from __future__ import annotations

import base64
import binascii
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from google.longrunning import operations_pb2
from google.protobuf import descriptor_pool, duration_pb2, message_factory, struct_pb2, timestamp_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from chassis.errors import FieldInvalid, InvalidArgument, Violation
from tonewright.operations.v1 import operations_pb2 as operations_view

# Where things lie in the object store is the platform's own affair.
HIDDEN = frozenset({"blob_key", "object_key", "fingerprint", "archive_url", "webhook_url"})
# What callers send and are never told again.
SECRET = frozenset({"secret"})
_MAX_DEPTH = 64
_MAX_NUMBER = 2**53

_Writer = Callable[[Any], Any]


def json_name(field: FieldDescriptor) -> str:
    """The name of a field in JSON: durations are numbers and say their unit."""
    is_duration = field.message_type is not None and field.message_type.full_name == "google.protobuf.Duration"
    return f"{field.name}_s" if is_duration else field.name


def enum_prefix(enum: EnumDescriptor) -> str:
    """What all values of an enum begin with, as `STATE_`."""
    letters = [f"_{c}" if c.isupper() and i and not enum.name[i - 1].isupper() else c for i, c in enumerate(enum.name)]
    return "".join(letters).upper() + "_"


def enum_names(enum: EnumDescriptor) -> dict[int, str | None]:
    """The JSON name of each value; the unspecified one has none."""
    prefix = enum_prefix(enum)
    names = {value.number: value.name.removeprefix(prefix) for value in enum.values}
    return {number: None if name == "UNSPECIFIED" else name for number, name in names.items()}


def to_rest(message: Message) -> dict[str, Any]:
    """The JSON object of a message; every member is there, absent ones are null."""
    return {name: write(message) for name, write in _plan(message.DESCRIPTOR)}


@functools.cache
def _plan(descriptor: Descriptor) -> list[tuple[str, _Writer]]:
    return [(json_name(field), _member(field)) for field in descriptor.fields if field.name not in HIDDEN | SECRET]


def _member(field: FieldDescriptor) -> _Writer:
    name = field.name
    if _is_map(field):
        assert field.message_type is not None
        one = _value(field.message_type.fields_by_name["value"])
        return lambda message: {str(key): one(value) for key, value in getattr(message, name).items()}
    one = _value(field)
    if field.is_repeated:
        return lambda message: [one(value) for value in getattr(message, name)]
    if field.has_presence:
        return lambda message: one(getattr(message, name)) if message.HasField(name) else None
    return lambda message: one(getattr(message, name))


def _value(field: FieldDescriptor) -> _Writer:
    if field.message_type is not None:
        return _WELL_KNOWN_OUT.get(field.message_type.full_name, to_rest)
    if field.enum_type is not None:
        return enum_names(field.enum_type).get
    if field.type == FieldDescriptor.TYPE_BYTES:
        return lambda value: base64.b64encode(value).decode()
    return _same


def _same(value: Any) -> Any:
    return value


def timestamp(value: timestamp_pb2.Timestamp) -> str:
    """RFC 3339 with microseconds, in UTC."""
    return value.ToDatetime(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _plain(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _struct(value.struct_value)
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        # A Struct keeps every number as a double; what was an integer shall look like one again.
        return int(number) if number.is_integer() and abs(number) <= _MAX_NUMBER else number
    return None if kind in (None, "null_value") else getattr(value, kind)


def _struct(value: struct_pb2.Struct) -> dict[str, Any]:
    return {key: _plain(item) for key, item in value.fields.items()}


def _list(value: struct_pb2.ListValue) -> list[Any]:
    return [_plain(item) for item in value.values]


def status(value: status_pb2.Status) -> dict[str, Any]:
    """An error inside a result."""
    info = error_details_pb2.ErrorInfo()
    for detail in value.details:
        if detail.Unpack(info):
            break
    code = code_pb2.Code.Name(value.code) if value.code in code_pb2.Code.values() else "UNKNOWN"
    return {
        "code": code,
        "reason": info.reason or code,
        "domain": info.domain,
        "message": value.message,
        "metadata": dict(info.metadata),
    }


def operation_to_rest(operation: operations_pb2.Operation) -> dict[str, Any]:
    """The JSON object of an operation: what it says of itself, then its result."""
    metadata = operations_view.OperationMetadata()
    operation.metadata.Unpack(metadata)
    response, error = None, None
    if operation.WhichOneof("result") == "response":
        response = to_rest(_unpacked(operation)) if operation.response.type_url else {}
    elif operation.WhichOneof("result") == "error":
        error = status(operation.error)
    return {
        "name": operation.name,
        "done": operation.done,
        "metadata": to_rest(metadata),
        "response": response,
        "error": error,
    }


def _unpacked(operation: operations_pb2.Operation) -> Message:
    descriptor = descriptor_pool.Default().FindMessageTypeByName(operation.response.TypeName())
    message = message_factory.GetMessageClass(descriptor)()
    operation.response.Unpack(message)
    return message


_WELL_KNOWN_OUT: dict[str, _Writer] = {
    "google.protobuf.Timestamp": timestamp,
    "google.protobuf.Duration": lambda value: value.seconds + value.nanos / 1e9,
    "google.protobuf.Struct": _struct,
    "google.protobuf.Value": _plain,
    "google.protobuf.ListValue": _list,
    "google.rpc.Status": status,
    "google.longrunning.Operation": operation_to_rest,
}


def fill(message: Message, values: Mapping[str, Any], path: str = "") -> None:
    """Set the members of a message from checked JSON values.

    Raises:
        FieldInvalid: A value cannot be held by its field.
    """
    descriptor = cast(Descriptor, message.DESCRIPTOR)
    fields = {json_name(field): field for field in descriptor.fields}
    for name, value in values.items():
        if value is None:
            continue
        where = f"{path}.{name}" if path else name
        try:
            _set(message, fields[name], value, where)
        except InvalidArgument:
            raise
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise _invalid(where, "a value that this field can hold") from error


def _set(message: Message, field: FieldDescriptor, value: Any, where: str) -> None:
    held = getattr(message, field.name)
    if _is_map(field):
        for key, item in value.items():
            held[_text(key, where)] = _scalar(_map_value(field), item, where)
    elif field.is_repeated and field.message_type is not None:
        for index, item in enumerate(value):
            _fill_message(held.add(), item, f"{where}[{index}]")
    elif field.is_repeated:
        held.extend(_scalar(field, item, f"{where}[{index}]") for index, item in enumerate(value))
    elif field.message_type is not None:
        held.SetInParent()
        _fill_message(held, value, where)
    else:
        setattr(message, field.name, _scalar(field, value, where))


def _fill_message(message: Message, value: Any, where: str) -> None:
    match message:
        case timestamp_pb2.Timestamp():
            message.FromDatetime(value.astimezone(UTC) if isinstance(value, datetime) else value)
        case duration_pb2.Duration():
            message.FromNanoseconds(round(value * 1e9))
        case struct_pb2.Struct():
            _require_plain(value, where, 0)
            message.update(value)
        case struct_pb2.Value():
            _require_plain(value, where, 0)
            holder = struct_pb2.Struct()
            holder.update({"value": value})
            message.CopyFrom(holder.fields["value"])
        case _:
            fill(message, value, where)


def _scalar(field: FieldDescriptor, value: Any, where: str) -> Any:
    if field.enum_type is not None:
        known = field.enum_type.values_by_name.get(enum_prefix(field.enum_type) + str(value))
        if known is None:
            raise _invalid(where, "one of " + ", ".join(filter(None, enum_names(field.enum_type).values())))
        return known.number
    if field.type == FieldDescriptor.TYPE_BYTES:
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise _invalid(where, "base64") from error
    return _text(value, where) if isinstance(value, str) else value


def _text(value: str, where: str) -> str:
    # Databases refuse NUL and UTF-8 has no form for half a surrogate pair.
    if "\x00" in value or (not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value)):
        raise _invalid(where, "text without NUL and without halves of surrogate pairs")
    return str(value)


def _require_plain(value: Any, where: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise _invalid(where, f"at most {_MAX_DEPTH} levels of nesting")
    if isinstance(value, Mapping):
        for key, item in value.items():
            _text(str(key), where)
            _require_plain(item, where, depth + 1)
    elif isinstance(value, str):
        _text(value, where)
    elif isinstance(value, Sequence):
        for item in value:
            _require_plain(item, where, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise _invalid(where, "finite numbers")


def _invalid(field: str, expectation: str) -> FieldInvalid:
    return FieldInvalid(f"{field}: expected {expectation}", violations=[Violation(field, expectation)])


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _map_value(field: FieldDescriptor) -> FieldDescriptor:
    assert field.message_type is not None
    return field.message_type.fields_by_name["value"]
