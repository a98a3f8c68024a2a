"""The committed contract is the one that the code serves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.gateway.app import openapi
from tools import openapi as generator

COMMITTED: dict[str, Any] = json.loads(generator.OPENAPI.read_text())


def test_document_is_the_committed_one() -> None:
    assert json.loads(json.dumps(openapi())) == COMMITTED, "run `python tools/openapi.py`"


def test_models_are_those_of_the_protos() -> None:
    stale = [name for name, text in generator.model_files().items() if (generator.MODELS / name).read_text() != text]

    assert stale == [], "run `python tools/openapi.py`"


def test_every_reference_leads_somewhere() -> None:
    missing = []

    def visit(node: Any) -> None:
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                found: Any = COMMITTED
                for part in reference.removeprefix("#/").split("/"):
                    found = found.get(part) if isinstance(found, dict) else None
                if found is None:
                    missing.append(reference)
            for value in node.values():
                visit(value)
        elif isinstance(node, list):
            for value in node:
                visit(value)

    visit(COMMITTED)

    assert missing == []


OPERATIONS = [
    pytest.param(path, method, operation, id=operation["operationId"])
    for path, item in COMMITTED["paths"].items()
    for method, operation in item.items()
]


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_operation_is_described_and_says_how_it_fails(path: str, method: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["tags"]
    assert "security" in operation
    assert any(status.startswith("2") or status == "304" for status in operation["responses"])
    assert "422" not in operation["responses"]
    assert any(status.startswith(("4", "5")) for status in operation["responses"])


def test_every_model_has_examples_and_descriptions() -> None:
    bare = [
        f"{name}.{member}"
        for name, schema in COMMITTED["components"]["schemas"].items()
        for member, found in schema.get("properties", {}).items()
        if "description" not in found and "$ref" not in found
    ]

    assert bare == []
