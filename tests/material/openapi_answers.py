"""Whether answers are what an OpenAPI document says of them, read strictly: what it leaves out may not be there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from fnmatch import fnmatch
from typing import Any

import httpx2

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
# Words of a schema that say nothing of values.
_SILENT = {"title", "description", "examples", "default"}
_SPOKEN = {"type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const", "$ref"}
_SPOKEN |= {"minimum", "maximum", "format"}


class Contract:
    """An OpenAPI 3.1 document, and what it says of answers."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.paths: dict[str, dict[str, Any]] = document["paths"]
        self._document = document

    def faults(self, method: str, template: str, answer: httpx2.Response) -> list[str]:
        """What of the answer is otherwise than the document says."""
        where = f"{method} {template} {answer.status_code}"
        responses = self.paths[template][method.lower()]["responses"]
        if str(answer.status_code) not in responses:
            return [f"{where}: no such answer is documented: {answer.text[:200]}"]
        content = self._resolved(responses[str(answer.status_code)]).get("content", {})
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        found = [schema for kind, schema in content.items() if fnmatch(media_type, kind)]
        if not found:
            return [f"{where}: {media_type!r} is none of {sorted(content)}"] if answer.content or content else []
        if not media_type.endswith("json"):
            return []
        return [f"{where}: {fault}" for fault in self._check(answer.json(), found[0].get("schema", {}), "$")]

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            steps = str(node["$ref"]).removeprefix("#/").split("/")
            node = self._document
            for step in steps:
                node = node[step]
        return node

    def _check(self, value: Any, schema: dict[str, Any], at: str) -> Iterator[str]:
        schema = self._resolved(schema)
        assert set(schema) <= _SPOKEN | _SILENT, f"{at}: a schema says {set(schema) - _SPOKEN - _SILENT}"
        if "anyOf" in schema:
            tried = [list(self._check(value, one, at)) for one in schema["anyOf"]]
            yield from min(tried, key=len)
        kind = schema.get("type")
        if kind is not None and not _is(value, kind):
            yield f"{at}: {json.dumps(value)[:80]} is no {kind}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{at}: {value!r} is none of {schema['enum']}"
        if "const" in schema and value != schema["const"]:
            yield f"{at}: {value!r} is not {schema['const']!r}"
        if isinstance(value, dict):
            yield from self._check_members(value, schema, at)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._check(item, schema.get("items", {}), f"{at}[{index}]")
        elif schema.get("format") == "date-time" and not _is_moment(value):
            yield f"{at}: {value!r} is no time with a zone"
        elif isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get(
            "maximum", value
        ):
            yield f"{at}: {value} is out of bounds"

    def _check_members(self, value: dict[str, Any], schema: dict[str, Any], at: str) -> Iterator[str]:
        yield from (f"{at}.{name} is missing" for name in schema.get("required", []) if name not in value)
        properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        for name, item in value.items():
            if name in properties:
                yield from self._check(item, properties[name], f"{at}.{name}")
            elif isinstance(others, dict):
                yield from self._check(item, others, f"{at}.{name}")
            elif properties or not others:
                yield f"{at}.{name} is not documented"


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
