"""Which pages of other origins may call, and what they may send and see."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from services.gateway.errors import HeaderInvalid
from services.gateway.problems import Problems

_EXPOSED = [
    "ETag",
    "Location",
    "Retry-After",
    "X-Request-Id",
    "Idempotent-Replayed",
    "Content-Range",
    "Content-Disposition",
    "Accept-Ranges",
    "RateLimit",
    "RateLimit-Policy",
    "Traceparent",
    "WWW-Authenticate",
]
_ACCEPTED = [
    "Authorization",
    "Content-Type",
    "Content-Digest",
    "X-Content-SHA256",
    "If-Match",
    "If-None-Match",
    "If-Range",
    "Range",
    "Idempotency-Key",
    "Last-Event-ID",
    "X-Request-Id",
    "Traceparent",
]
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class Cors(CORSMiddleware):
    """Lets pages of the listed origins call; what a preflight may not ask for it is told as a problem.

    Args:
        app: The application.
        origins: As `https://studio.example.com`.
        problems: Makes problem responses.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str], problems: Problems) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=_METHODS,
            allow_headers=_ACCEPTED,
            expose_headers=_EXPOSED,
            max_age=3600,
        )
        self._problems = problems

    def preflight_response(self, request_headers: Headers) -> Response:
        """What the browser may send next."""
        answer = super().preflight_response(request_headers)
        if answer.status_code < HTTPStatus.BAD_REQUEST:
            return answer
        said = bytes(answer.body).decode()
        error = HeaderInvalid(f"{said}; allow the origin in the gateway's settings, or send what the contract names")
        told = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
        return self._problems.response(error, told)
