"""Errors as RFC 9457 problem documents, with one table of statuses."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis import context
from chassis.errors import AppError, Code, FieldInvalid, Internal, Violation
from chassis.logs import get_logger
from services.gateway.errors import BodyInvalid, BodyTooLarge, MethodNotAllowed, RouteNotFound

_log = get_logger(__name__)
_REQUEST_ID = re.compile(r"^request_id\b")

STATUS_BY_CODE: Mapping[Code, int] = {
    Code.INVALID_ARGUMENT: 400,
    Code.OUT_OF_RANGE: 400,
    Code.FAILED_PRECONDITION: 400,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.ABORTED: 409,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.CANCELLED: 499,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
    Code.DATA_LOSS: 500,
    Code.INTERNAL: 500,
    Code.UNKNOWN: 500,
}
# Where HTTP has a status of its own for what a gRPC code says only roughly.
STATUS_BY_REASON: Mapping[str, int] = {
    "ETAG_MISMATCH": 412,
    "IF_MATCH_REQUIRED": 428,
    "BODY_TOO_LARGE": 413,
    "REQUEST_TOO_LARGE": 413,
    "MEDIA_TYPE_UNSUPPORTED": 415,
    "UNSUPPORTED_MEDIA": 415,
    "RANGE_UNSATISFIABLE": 416,
    "METHOD_NOT_ALLOWED": 405,
}
# What a person should see in a log, and the caller only as an id.
_OURS = (Code.INTERNAL, Code.UNKNOWN, Code.DATA_LOSS)
UNKNOWN = "is not known here; remove it or check its spelling"
_DOMAIN = "gateway.tonewright.dev"


def status_of(error: AppError) -> int:
    """The HTTP status that says what the error says."""
    return STATUS_BY_REASON.get(error.reason) or STATUS_BY_CODE.get(error.CODE, 500)


class Problems:
    """Makes problem responses.

    Args:
        docs_url: Page with one anchor per reason; becomes the `type` of each problem.
    """

    def __init__(self, docs_url: str) -> None:
        self._docs_url = docs_url.rstrip("#/")

    def response(self, error: AppError, headers: Mapping[str, str] | None = None) -> Response:
        """The problem document of an error, with the headers that belong to it."""
        status = status_of(error)
        body = self.document(error, status)
        return Response(
            msgspec.json.encode(body),
            status,
            {"cache-control": "no-store", **_headers(error, status), **(headers or {})},
            media_type="application/problem+json",
        )

    def document(self, error: AppError, status: int) -> dict[str, Any]:
        """The members of the problem document."""
        metadata = dict(error.metadata)
        document: dict[str, Any] = {
            "type": f"{self._docs_url}#{error.reason.lower()}",
            "title": error.reason.replace("_", " ").capitalize(),
            "status": status,
            "detail": _in_http_words(error.message),
            "reason": error.reason,
            "domain": error.domain or _DOMAIN,
            "request_id": context.request_id(),
        }
        if error_id := metadata.pop("error_id", None):
            document["error_id"] = error_id
        document["metadata"] = metadata
        document["errors"] = [
            {"field": _in_http_words(v.field), "description": v.description} for v in error.violations
        ]
        return document

    def unexpected(self, error: BaseException) -> Response:
        """The answer to a fault of ours: an id for the caller, everything else for the log."""
        error_id = uuid.uuid4().hex
        _log.error("request_failed", error_id=error_id, exc_info=error)
        return self.response(
            Internal(
                f"the gateway failed; the log has the cause under error id {error_id}", metadata={"error_id": error_id}
            )
        )


class BodyRefused(HTTPException):
    """A refusal that the framework lets through while it reads a body."""

    def __init__(self, error: AppError) -> None:
        super().__init__(status_code=status_of(error), detail=error.message)
        self.error = error


def from_http(error: HTTPException, method: str, path: str) -> AppError:
    """The typed error behind one that the framework raised."""
    if isinstance(error, BodyRefused):
        return error.error
    if error.status_code == HTTPStatus.NOT_FOUND:
        return RouteNotFound(f"there is nothing at {path}; /openapi.json lists all routes")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        return MethodNotAllowed(f"{path} does not take {method}; it takes {allowed}", metadata={"allow": allowed})
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return BodyTooLarge(f"the body of {method} {path} is too large")
    if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return BodyInvalid(str(error.detail))
    return Internal("the gateway failed")


def from_validation(errors: Sequence[Any]) -> AppError:
    """One error with every violation that the framework found."""
    for found in errors:
        if found.get("type") == "json_invalid":
            cause = found.get("ctx", {}).get("error", "")
            return BodyInvalid(f"the body is not JSON (character {found['loc'][-1]}: {cause})")
    violations = [Violation(_path(found.get("loc", ())), _description(found)) for found in errors]
    text = "; ".join(f"{v.field}: {v.description}" for v in violations)
    return FieldInvalid(text, violations=violations)


def _in_http_words(text: str) -> str:
    """Inside, the key of a repeat is a field of the request; callers know it as a header."""
    return _REQUEST_ID.sub("header.Idempotency-Key", text)


def _path(location: Sequence[int | str]) -> str:
    where, *rest = location or ("body",)
    name = ".".join(str(part) for part in rest)
    return name if where in ("body", "path") and name else f"{where}.{name}".rstrip(".")


def _description(found: Mapping[str, Any]) -> str:
    kind = found.get("type")
    if kind == "extra_forbidden":
        return UNKNOWN
    if kind == "missing":
        return "is required"
    return re.sub(r"^Input ", "", str(found.get("msg", "is not valid")))


def _headers(error: AppError, status: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    if status == HTTPStatus.UNAUTHORIZED:
        code = "invalid_request" if error.reason == "KEY_MISSING" else "invalid_token"
        extra = "" if error.reason == "KEY_MISSING" else f', error="{code}", error_description="{error.reason}"'
        headers["www-authenticate"] = f'Bearer realm="tonewright"{extra}'
    if error.retry_after_s is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_s)))
    if status == HTTPStatus.METHOD_NOT_ALLOWED and error.metadata.get("allow"):
        headers["allow"] = error.metadata["allow"]
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and "size_bytes" in error.metadata:
        headers["content-range"] = f"bytes */{error.metadata['size_bytes']}"
    return headers


def is_fault(error: AppError) -> bool:
    """Whether an error is a fault of the platform rather than of the request."""
    return error.CODE in _OURS
