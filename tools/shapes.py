"""Pydantic models for the gateway's JSON bodies, written from the protos with their comments."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from google.api import field_behavior_pb2, resource_pb2
from google.protobuf import descriptor_pb2

from tools import proto

Field = descriptor_pb2.FieldDescriptorProto
Behavior = field_behavior_pb2.FieldBehavior
PACKAGES = ("artists", "assets", "datasets", "prompt", "realtime", "sessions", "stems")
HIDDEN = {"blob_key", "object_key", "fingerprint", "archive_url", "webhook_url"}
SECRET = {"secret"}
ADDRESS = {"parent", "request_id", "etag", "update_mask"}
QUERY_VERBS = ("Get", "List", "Search", "Diff", "Watch", "Lint")
UID = "0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"

SCALARS: dict[int, str] = {
    Field.TYPE_STRING: "str",
    Field.TYPE_BOOL: "bool",
    Field.TYPE_INT32: "int",
    Field.TYPE_INT64: "int",
    Field.TYPE_DOUBLE: "float",
    Field.TYPE_FLOAT: "float",
    Field.TYPE_BYTES: "str",
}
STRICT: dict[int, str] = {
    Field.TYPE_STRING: "Text",
    Field.TYPE_BOOL: "Flag",
    Field.TYPE_INT32: "Int32",
    Field.TYPE_INT64: "Int64",
    Field.TYPE_DOUBLE: "Number",
    Field.TYPE_FLOAT: "Number",
    Field.TYPE_BYTES: "Text",
}
WELL_KNOWN: dict[str, tuple[str, str, object]] = {
    ".google.protobuf.Timestamp": ("Time", "Time", "2026-11-21T10:00:00.000000Z"),
    ".google.protobuf.Duration": ("float", "Number", 12.5),
    ".google.protobuf.Struct": ("Object", "Object", {}),
    ".google.protobuf.Value": ("Json", "Json", "any"),
    ".google.protobuf.ListValue": ("list[Json]", "list[Json]", []),
    ".google.rpc.Status": ("StatusOut", "StatusOut", None),
    ".google.longrunning.Operation": ("OperationOut", "OperationOut", None),
}
# Example values that say more than one made from the type.
EXAMPLES: dict[str, object] = {
    "display_name": "Night drive",
    "etag": "5f1d2c3b4a596877",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "media_type": "audio/wav",
    "size_bytes": 10584044,
    "frames": 2646000,
    "rate_hz": 44100,
    "channels": 2,
    "duration_s": 60.0,
    "tempo_bpm": 124.0,
    "bpm": 124.0,
    "time_signature": "4/4",
    "principal": "oidc:7d5f0c",
    "caption": "warm analog house groove with a round bass, BPM: 124",
    "text": "warm analog house groove with a round bass, BPM: 124",
    "model": "htdemucs",
    "engine": "stub",
    "stem": "vocals",
    "page_token": "",
    "next_page_token": "",
    "page_size": 50,
    "progress_percent": 100.0,
    "file_name": "night-drive.als",
    "error_reason": "",
    "error_message": "",
    "stage": "",
    "artist_id": "nova",
}


@dataclass
class Source:
    """All messages and enums of the platform, by full name, with their comments."""

    messages: dict[str, tuple[str, descriptor_pb2.DescriptorProto]] = field(default_factory=dict)
    enums: dict[str, tuple[str, descriptor_pb2.EnumDescriptorProto]] = field(default_factory=dict)
    services: dict[str, list[tuple[str, descriptor_pb2.ServiceDescriptorProto]]] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    class_names: dict[str, str] = field(default_factory=dict)


def write_all(folder: Path) -> list[Path]:
    """Write one module per package into the folder; gives their paths."""
    source = read_protos()
    paths = []
    for package in PACKAGES:
        if package in source.services:
            path = folder / f"{package}.py"
            path.write_text(_Module(source, package).text())
            paths.append(path)
    return paths


def read_protos() -> Source:
    """Everything that the protos declare."""
    with tempfile.TemporaryDirectory() as temporary:
        output = Path(temporary) / "all.binpb"
        proto._protoc(proto.PROTO, [f"--descriptor_set_out={output}", "--include_source_info"])
        files = descriptor_pb2.FileDescriptorSet.FromString(output.read_bytes())
    source = Source()
    for file in files.file:
        _read_file(source, file)
    seen = Counter(_short(name) for name in [*source.messages, *source.enums])
    for name in [*source.messages, *source.enums]:
        package = name.split(".")[2]
        prefix = package.capitalize() if seen[_short(name)] > 1 else ""
        source.class_names[name] = prefix + _short(name)
    return source


def _short(name: str) -> str:
    return "".join(name.split(".")[4:])


def _read_file(source: Source, file: descriptor_pb2.FileDescriptorProto) -> None:
    package = file.package.split(".")[1]
    comments = {tuple(place.path): " ".join(place.leading_comments.split()) for place in file.source_code_info.location}

    def visit(message: descriptor_pb2.DescriptorProto, name: str, path: tuple[int, ...]) -> None:
        source.messages[name] = (package, message)
        source.comments[name] = comments.get(path, "")
        for index, member in enumerate(message.field):
            source.comments[f"{name}.{member.name}"] = comments.get((*path, 2, index), "")
        for index, nested in enumerate(message.nested_type):
            visit(nested, f"{name}.{nested.name}", (*path, 3, index))
        for index, enum in enumerate(message.enum_type):
            source.enums[f"{name}.{enum.name}"] = (package, enum)
            source.comments[f"{name}.{enum.name}"] = comments.get((*path, 4, index), "")

    for index, message in enumerate(file.message_type):
        visit(message, f".{file.package}.{message.name}", (4, index))
    for index, enum in enumerate(file.enum_type):
        source.enums[f".{file.package}.{enum.name}"] = (package, enum)
        source.comments[f".{file.package}.{enum.name}"] = comments.get((5, index), "")
    for index, service in enumerate(file.service):
        source.services.setdefault(package, []).append((file.package, service))
        for number, method in enumerate(service.method):
            source.comments[f"{service.name}.{method.name}"] = comments.get((6, index, 2, number), "")


class _Module:
    def __init__(self, source: Source, package: str) -> None:
        self._source = source
        self._package = package
        self._classes: dict[str, str] = {}
        self._imports: dict[str, set[str]] = {}
        self._building: set[str] = set()

    def text(self) -> str:
        docs = {}
        for _, service in self._source.services[self._package]:
            for method in service.method:
                docs[f"{service.name}.{method.name}"] = self._source.comments[f"{service.name}.{method.name}"]
                self._method(method)
        imports = [
            f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(self._imports.items())
        ]
        head = [
            f'"""JSON shapes of tonewright.{self._package}.v1, made by `tools/openapi.py`; never edited."""',
            "# ruff: noqa: E501",
            "from __future__ import annotations",
            "from enum import StrEnum",
            "from pydantic import Field",
            "from services.gateway.shapes import (Flag, In, Int32, Int64, Json, Number, Object, OperationOut, "
            "OperationState, Out, StatusOut, Text, Time)",
            *imports,
        ]
        tail = ["# What each RPC gives, by service and method.", f"DOCS: dict[str, str] = {docs!r}"]
        return "\n".join([*head, *self._classes.values(), *tail]) + "\n"

    def _method(self, method: descriptor_pb2.MethodDescriptorProto) -> None:
        if not method.output_type.startswith(".google."):
            self._out(method.output_type)
        name = method.input_type
        _, request = self._source.messages[name]
        resource = next((f for f in request.field if _is_resource(method.name, f)), None)
        address = ADDRESS | HIDDEN | {"name", _address_field(request)}
        extras = [member for member in request.field if member.name not in address]
        if resource is not None:
            extras.remove(resource)
            ids = [member for member in extras if member.name == f"{resource.name}_id"]
            extras = [member for member in extras if member not in ids]
            if ids:
                chosen = [(name, member, _required(member)) for member in ids]
                self._input(f"{self._prefix(method.name)}Query", self._source.comments[name], chosen, query=True)
        fields: list[tuple[str, Field, bool]] = [(name, member, _required(member)) for member in extras]
        if resource is not None and extras:
            # The request says more than the resource, so the resource is one of its members.
            fields.insert(0, (name, resource, True))
        elif resource is not None:
            fields = self._resource_fields(resource.type_name, patch=method.name.startswith("Update"))
        if not fields:
            return
        kind = "Query" if method.name.startswith(QUERY_VERBS) else "Body"
        self._input(
            f"{self._prefix(method.name)}{kind}", f"{self._source.comments[name]}", fields, query=kind == "Query"
        )

    def _resource_fields(self, name: str, *, patch: bool) -> list[tuple[str, Field, bool]]:
        _, message = self._source.messages[name]
        return [
            (name, member, _required(member) and not patch)
            for member in message.field
            if _writable(member, patch=patch)
        ]

    def _prefix(self, method: str) -> str:
        shared = [
            package
            for package, services in self._source.services.items()
            for _, service in services
            for other in service.method
            if other.name == method
        ]
        return method if len(shared) == 1 else self._package.capitalize() + method

    def _out(self, name: str) -> str:
        package, message = self._source.messages[name]
        class_name = self._source.class_names[name]
        if package != self._package:
            self._imports.setdefault(f"services.gateway.models.{package}", set()).add(class_name)
            return class_name
        if class_name in self._classes or class_name in self._building:
            return class_name
        self._building.add(class_name)
        lines = [f"class {class_name}(Out):", f"    {_docstring(self._source.comments[name])}"]
        for member in message.field:
            if member.name not in HIDDEN | SECRET:
                lines.append(self._out_field(name, message, member))
        self._classes[class_name] = "\n".join(lines) + ("\n    pass" if len(lines) == 2 and not message.field else "")
        return class_name

    def _out_field(self, owner: str, message: descriptor_pb2.DescriptorProto, member: Field) -> str:
        annotation = self._annotation(message, member, strict=False)
        is_single = member.label != Field.LABEL_REPEATED
        if is_single and (
            member.type == Field.TYPE_MESSAGE or member.HasField("oneof_index") or member.type == Field.TYPE_ENUM
        ):
            annotation += " | None"
        return _line(
            member, annotation, "", self._source.comments[f"{owner}.{member.name}"], self._example(message, member)
        )

    def _input(
        self, class_name: str, comment: str, fields: list[tuple[str, Field, bool]], *, query: bool = False
    ) -> str:
        if class_name in self._classes or class_name in self._building:
            return class_name
        self._building.add(class_name)
        lines = [f"class {class_name}(In):", f"    {_docstring(comment)}"]
        for owner, member, required in fields:
            _, message = self._source.messages[owner]
            annotation = self._annotation(message, member, strict=not query, sent=True)
            default = "" if required else "default=None, "
            annotation += "" if required else " | None"
            example = None if query else self._example(message, member)
            lines.append(_line(member, annotation, default, self._source.comments[f"{owner}.{member.name}"], example))
        self._classes[class_name] = "\n".join(lines)
        return class_name

    def _nested_input(self, name: str) -> str:
        _, message = self._source.messages[name]
        is_request = name.endswith("Request")
        fields = [
            (name, member, _required(member))
            for member in message.field
            if _writable(member, patch=False) and not (is_request and member.name in ADDRESS | {"name"})
        ]
        return self._input(f"{self._source.class_names[name]}Input", self._source.comments[name], fields)

    def _annotation(
        self, message: descriptor_pb2.DescriptorProto, member: Field, *, strict: bool, sent: bool = False
    ) -> str:
        entry = _map_entry(message, member)
        if entry is not None:
            return f"dict[str, {self._annotation(entry, entry.field[1], strict=strict, sent=sent)}]"
        if member.type == Field.TYPE_MESSAGE and member.type_name in WELL_KNOWN:
            told, taken, _ = WELL_KNOWN[member.type_name]
            one = taken if sent else told
        elif member.type == Field.TYPE_MESSAGE:
            one = self._nested_input(member.type_name) if sent else self._out(member.type_name)
        elif member.type == Field.TYPE_ENUM:
            one = self._enum(member.type_name)
        else:
            one = (STRICT if strict else SCALARS)[member.type]
        return f"list[{one}]" if member.label == Field.LABEL_REPEATED else one

    def _enum(self, name: str) -> str:
        package, enum = self._source.enums[name]
        class_name = self._source.class_names[name]
        if package == "operations":
            return "OperationState"
        if package != self._package:
            self._imports.setdefault(f"services.gateway.models.{package}", set()).add(class_name)
            return class_name
        if class_name not in self._classes:
            prefix = _enum_prefix(enum.name)
            values = [value.name.removeprefix(prefix) for value in enum.value]
            members = [f'    {_identifier(value)} = "{value}"' for value in values if value != "UNSPECIFIED"]
            self._classes[class_name] = "\n".join(
                [f"class {class_name}(StrEnum):", f"    {_docstring(self._source.comments[name])}", *members]
            )
        return class_name

    def _example(self, message: descriptor_pb2.DescriptorProto, member: Field) -> object:
        if _map_entry(message, member) is not None:
            return {}
        one: object
        if member.type == Field.TYPE_MESSAGE:
            one = WELL_KNOWN[member.type_name][2] if member.type_name in WELL_KNOWN else None
        elif member.type == Field.TYPE_ENUM:
            _, enum = self._source.enums[member.type_name]
            one = enum.value[min(1, len(enum.value) - 1)].name.removeprefix(_enum_prefix(enum.name))
        else:
            one = _scalar_example(member, message)
        if one in (None, ""):
            return None
        return [one] if member.label == Field.LABEL_REPEATED else one


def _scalar_example(member: Field, message: descriptor_pb2.DescriptorProto) -> object:
    if member.name == "name":
        pattern = message.options.Extensions[resource_pb2.resource].pattern
        return _resource_name(pattern[0]) if pattern else "artists/nova"
    reference = member.options.Extensions[resource_pb2.resource_reference]
    if reference.type not in ("", "*"):
        return f"artists/nova/{_plural(reference.type.partition('/')[2])}/{UID}"
    if member.name in EXAMPLES:
        return EXAMPLES[member.name]
    by_type: dict[str, object] = {"str": "", "bool": False, "int": 1, "float": 0.5}
    return by_type[SCALARS[member.type]]


def _resource_name(pattern: str) -> str:
    parts = pattern.replace("{artist}", "nova").split("/")
    return "/".join(UID if part.startswith("{") else part for part in parts)


def _plural(kind: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(kind)) + "s"


def _line(member: Field, annotation: str, default: str, comment: str, example: object) -> str:
    name = f"{member.name}_s" if member.type_name == ".google.protobuf.Duration" else member.name
    examples = "" if example is None else f", examples=[{example!r}]"
    return f"    {name}: {annotation} = Field({default}description={comment!r}{examples})"


def _docstring(comment: str) -> str:
    text = comment.replace("\\", "\\\\").replace('"', "'")
    return f'"""{text or "See its members."}"""'


def _address_field(request: descriptor_pb2.DescriptorProto) -> str:
    """The field that takes the path's resource name where there is neither `name` nor `parent`."""
    if {"name", "parent"} & {member.name for member in request.field}:
        return ""
    references = [m for m in request.field if m.options.HasExtension(resource_pb2.resource_reference) and _required(m)]
    return references[0].name if references else ""


def _is_resource(method: str, member: Field) -> bool:
    wanted = method.removeprefix("Create").removeprefix("Update")
    is_standard = method.startswith(("Create", "Update"))
    return is_standard and member.type_name.endswith(f".{wanted}") and member.label != Field.LABEL_REPEATED


def _behaviors(member: Field) -> Iterator[int]:
    yield from member.options.Extensions[field_behavior_pb2.field_behavior]


def _required(member: Field) -> bool:
    return Behavior.Value("REQUIRED") in _behaviors(member)


def _writable(member: Field, *, patch: bool) -> bool:
    refused = {Behavior.Value("OUTPUT_ONLY"), Behavior.Value("IDENTIFIER")}
    if patch:
        refused |= {Behavior.Value("IMMUTABLE"), Behavior.Value("INPUT_ONLY")}
    return member.name not in HIDDEN | {"etag"} and not refused & set(_behaviors(member))


def _map_entry(message: descriptor_pb2.DescriptorProto, member: Field) -> descriptor_pb2.DescriptorProto | None:
    short = member.type_name.rpartition(".")[2]
    return next((nested for nested in message.nested_type if nested.name == short and nested.options.map_entry), None)


def _enum_prefix(name: str) -> str:
    letters = [f"_{c}" if c.isupper() and i and not name[i - 1].isupper() else c for i, c in enumerate(name)]
    return "".join(letters).upper() + "_"


def _identifier(value: str) -> str:
    return value if value.isidentifier() else f"N_{value}"
