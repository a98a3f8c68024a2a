"""Make the client's types from docs/openapi.json: one TypedDict per resource that the gateway answers with.

python tools/client_models.py          write clients/python/tonewright_client/models.py
python tools/client_models.py check    fail when it is stale
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "docs" / "openapi.json"
TARGET = ROOT / "clients" / "python" / "tonewright_client" / "models.py"
HEADER = '''"""What the gateway answers, made from docs/openapi.json by `make generate`; never edited."""

# ruff: noqa: E501
from __future__ import annotations

from typing import Any, Literal, TypedDict
'''
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def main() -> int:
    text = _formatted(_module(json.loads(SOURCE.read_text())))
    if sys.argv[1:] == ["check"]:
        if TARGET.read_text() != text:
            print("the client's models are stale; run `make generate`", file=sys.stderr)
            return 1
        print("the client's models are fresh")
        return 0
    TARGET.write_text(text)
    return 0


def _module(document: dict[str, Any]) -> str:
    schemas: dict[str, Any] = document["components"]["schemas"]
    wanted = _reachable(schemas, _answered(document))
    parts = [HEADER]
    for name in sorted(wanted):
        schema = schemas[name]
        if "enum" in schema:
            values = ", ".join(json.dumps(value) for value in schema["enum"])
            parts.append(f"{_class(name)} = Literal[{values}]")
    parts += [_typed_dict(name, schemas[name]) for name in sorted(wanted) if "enum" not in schemas[name]]
    return "\n\n".join(parts) + "\n"


def _answered(document: dict[str, Any]) -> set[str]:
    answers = [
        content["schema"]
        for path in document["paths"].values()
        for verb in path.values()
        if isinstance(verb, dict)
        for status, answer in verb.get("responses", {}).items()
        if status.startswith("2")
        for content in answer.get("content", {}).values()
        if "schema" in content
    ]
    return set().union(*(_references(answer) for answer in answers))


def _reachable(schemas: dict[str, Any], start: set[str]) -> set[str]:
    found: set[str] = set()
    ahead = set(start)
    while ahead:
        name = ahead.pop()
        found.add(name)
        ahead |= _references(schemas[name]) - found
    return found


def _references(schema: Any) -> set[str]:
    return set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schema)))


def _typed_dict(name: str, schema: dict[str, Any]) -> str:
    lines = [f"class {_class(name)}(TypedDict):", f'    """{_sentence(schema.get("description") or name)}"""', ""]
    for field, facts in schema.get("properties", {}).items():
        lines.append(f"    {field}: {_type(facts)}")
        if facts.get("description"):
            lines.append(f'    """{_sentence(facts["description"])}"""')
    return "\n".join(lines)


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _class(schema["$ref"].rsplit("/", 1)[-1])
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return " | ".join(dict.fromkeys(_type(one) for one in schema[union]))
    if "const" in schema:
        return f"Literal[{json.dumps(schema['const'])}]"
    kind = schema.get("type")
    if kind == "array":
        return f"list[{_type(schema.get('items', {}))}]"
    if kind == "object":
        inner = schema.get("additionalProperties")
        return f"dict[str, {_type(inner) if isinstance(inner, dict) and inner else 'Any'}]"
    return _PLAIN.get(str(kind), "Any")


def _class(name: str) -> str:
    return re.sub(r"(?<=[a-z])Out(put)?$", "", name).replace("-", "_")


def _sentence(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace('"', "'")


def _formatted(text: str) -> str:
    ruff = Path(sys.executable).parent / "ruff"
    done = subprocess.run(
        [str(ruff), "format", "--stdin-filename", str(TARGET)], input=text, capture_output=True, text=True, check=True
    )
    return done.stdout.replace("TypedDict\n\n\n", "TypedDict\n\n", 1)


if __name__ == "__main__":
    raise SystemExit(main())
