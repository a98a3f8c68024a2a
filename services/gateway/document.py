"""The OpenAPI document: what the framework finds, made true and complete."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from services.gateway.access import is_public
from services.gateway.shapes import Problem

VERSION = "1.0.0"
_DESCRIPTION = """Tune and perform with your own sound: Live Sets, captions, audio assets, stems, datasets, sessions,
performances.

Send an API key or an OIDC token as `Authorization: Bearer …`. Every error is an RFC 9457 problem with a stable
`reason`. Long work answers 202 with an operation; follow it by its `events` or ask again after `Retry-After`.
"""
# What any route with a key may answer, beside its own.
_COMMON = ("400", "401", "403", "404", "429", "503")
_TEXTS = {
    "400": "The request breaks a rule; `errors` names each field.",
    "401": "The key or token is missing, unknown or expired.",
    "403": "The role does not allow this.",
    "404": "It does not exist for this caller.",
    "429": "The key made too many requests; repeat after `Retry-After`.",
    "503": "Something the platform needs is down; repeat after `Retry-After`.",
    "409": "The key came with another body before, or the resource exists.",
    "412": "The resource changed since it was read.",
    "413": "The body is too large.",
    "415": "The body has another media type than the route takes.",
    "416": "The range lies outside the content.",
    "428": "`If-Match` is missing.",
}
_METHODS = ("get", "put", "post", "delete", "patch", "head")


def describe(api: FastAPI) -> dict[str, Any]:
    """The document of an application's routes."""
    document = get_openapi(
        title="tonewright", version=VERSION, description=_DESCRIPTION, routes=api.routes, openapi_version="3.1.0"
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _, problem = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
    schemas.update(problem["$defs"])
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "API key `twk_…`, or JWT of the OIDC issuer."}
    }
    components["responses"] = {
        f"Problem{status}": {"description": text, "content": _PROBLEM} for status, text in sorted(_TEXTS.items())
    }
    for path, item in document["paths"].items():
        for method in [name for name in _METHODS if name in item]:
            _complete(path, method, item[method])
        _drop_twin(item)
    return document


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation.setdefault("responses", {})
    responses.pop("422", None)
    operation["security"] = [] if is_public(path) else [{"key": []}]
    common = set(_COMMON)
    if is_public(path):
        common = {"400", "403", "404", "503"} if path.startswith("/v1/") else {"503"}
    if "206" in responses:
        common.add("416")
    if method in ("post", "put", "patch"):
        common |= {"413", "415"}
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    if "If-Match" in names:
        common |= {"412", "428"}
    if "Idempotency-Key" in names:
        common.add("409")
    for status in common:
        responses.setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
    for schema in (
        kind.get("schema", {}) for answer in responses.values() for kind in answer.get("content", {}).values()
    ):
        if "$ref" in schema:
            # The framework says that a stream is a string, beside what its events hold.
            schema.pop("type", None)
    operation["responses"] = dict(sorted(responses.items()))


def _drop_twin(item: dict[str, Any]) -> None:
    """HEAD says what GET says; clients are generated from GET alone."""
    if "get" in item:
        item.pop("head", None)


_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
