"""How often a key may call, and how large a body may be."""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.clock import Clock
from services.gateway.errors import BodyTooLarge, MediaTypeUnsupported, RateLimited
from services.gateway.problems import BodyRefused

_MAX_KEYS = 10_000
# Routes that stream their body and never hold it.
_UPLOAD = re.compile(
    r"POST /v1/artists/[^/]+/(assets|live-sets|live-sets:import)|PUT /v1/artists/[^/]+/uploads/[^/]+/content"
)


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimit:
    """A token bucket per key, in this process.

    Args:
        per_s: Requests per second on average; 0 switches the limit off.
        burst: Requests at once.
        clock: Source of time.
    """

    def __init__(self, per_s: float, burst: int, clock: Clock) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key_id: str) -> dict[str, str]:
        """Count one request; gives the headers that say how many are left.

        Raises:
            RateLimited: None is left.
        """
        if not self._per_s:
            return {}
        now = self._clock.monotonic()
        bucket = self._buckets.setdefault(key_id, _Bucket(float(self._burst), now))
        self._buckets.move_to_end(key_id)
        if len(self._buckets) > _MAX_KEYS:
            self._buckets.popitem(last=False)
        bucket.tokens = min(float(self._burst), bucket.tokens + (now - bucket.filled_at) * self._per_s)
        bucket.filled_at = now
        if bucket.tokens < 1:
            wait_s = (1 - bucket.tokens) / self._per_s
            raise RateLimited(
                f"this key may make {self._per_s:g} requests per second; repeat the request in {math.ceil(wait_s)} s",
                metadata={"limit_per_s": f"{self._per_s:g}"},
                retry_after_s=wait_s,
            )
        bucket.tokens -= 1
        window_s = max(1, round(self._burst / self._per_s))
        reset_s = math.ceil((self._burst - bucket.tokens) / self._per_s)
        return {
            "ratelimit-policy": f'"key";q={self._burst};w={window_s}',
            "ratelimit": f'"key";r={int(bucket.tokens)};t={reset_s}',
        }


class Bodies:
    """Refuses bodies that are too large or of the wrong media type, before they are read."""

    def __init__(self, app: ASGIApp, *, max_json_bytes: int, max_upload_bytes: int) -> None:
        self._app = app
        self._max_json_bytes = max_json_bytes
        self._max_upload_bytes = max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request with a body that ends at the limit."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS", "DELETE"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_upload = is_upload_route(scope["method"], scope["path"])
        limit = self._max_upload_bytes if is_upload else self._max_json_bytes
        announced = _length(headers)
        if announced is not None and announced > limit:
            raise _too_large(limit, announced)
        if not is_upload:
            _require_json(headers, announced)
        await self._app(scope, _limited(receive, limit), send)


def is_upload_route(method: str, path: str) -> bool:
    """Whether the route takes bytes rather than JSON."""
    return _UPLOAD.fullmatch(f"{method} {path}") is not None


def _limited(receive: Receive, limit: int) -> Receive:
    arrived = 0

    async def limited() -> Message:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > limit:
            raise BodyRefused(_too_large(limit))
        return message

    return limited


def _too_large(limit: int, announced: int | None = None) -> BodyTooLarge:
    size = f"the body has {announced} bytes" if announced is not None else "the body is larger"
    metadata = {"limit_bytes": str(limit)}
    return BodyTooLarge(f"{size}; at most {limit} bytes are accepted here: send less", metadata=metadata)


def _require_json(headers: Headers, announced: int | None) -> None:
    has_body = bool(announced) or (announced is None and "transfer-encoding" in headers)
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if has_body and media_type != "application/json" and not media_type.endswith("+json"):
        raise MediaTypeUnsupported(
            f"this route takes application/json and got {media_type or 'no content type'}; set Content-Type",
            metadata={"accepted": "application/json"},
        )


def _length(headers: Headers) -> int | None:
    text = headers.get("content-length", "")
    return int(text) if text.isdecimal() else None
