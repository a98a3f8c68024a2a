"""HTTP to the gateway: authentication, problems as exceptions, retries that are safe, events."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import httpx2

from tonewright_client.errors import ApiError, FieldError, GatewayUnreachable

Json = dict[str, Any]
_TRIES = 4
_AGAIN = frozenset({429, 502, 503, 504})
# The gateway says every 15 seconds that it is still there: after this a connection is dead, even if nobody closed it.
_EVENTS_SILENCE_S = 60.0


class Transport:
    """One connection pool to one gateway.

    Every call that creates something carries an Idempotency-Key, so that trying again after a lost answer or a 503
    starts nothing twice.
    """

    def __init__(
        self, url: str, key: str, *, timeout_s: float = 60.0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.url = url.rstrip("/")
        self._sleep = sleep
        self._http = httpx2.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}", "Accept": "application/json"},
            timeout=httpx2.Timeout(timeout_s, connect=5.0),
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections; the transport is of no use after that."""
        self._http.close()

    def get(self, path: str, **params: str | int) -> Json:
        """The resource at a path."""
        return self._json(self._tried("GET", path, params=params))

    def pages(self, path: str, field: str, **params: str | int) -> Iterator[Any]:
        """The entries of a list, fetched page by page."""
        token = ""
        while True:
            page = self.get(path, **params, **({"page_token": token} if token else {}))
            yield from page.get(field, [])
            token = page.get("next_page_token", "")
            if not token:
                return

    def post(
        self, path: str, body: Json | None = None, *, idempotency_key: str | None = None, timeout_s: float | None = None
    ) -> Json:
        """What a create or a custom method answers."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        extra = {"timeout": timeout_s} if timeout_s is not None else {}
        return self._json(self._tried("POST", path, json=body if body is not None else {}, headers=headers, **extra))

    def patch(self, path: str, body: Json, *, etag: str) -> Json:
        """The resource after an update; refused when it changed since `etag` was read."""
        return self._json(self._tried("PATCH", path, json=body, headers={"If-Match": _quoted(etag)}))

    def delete(self, path: str, *, etag: str = "") -> Json:
        """What a delete answers."""
        headers = {"If-Match": _quoted(etag)} if etag else {}
        return self._json(self._tried("DELETE", path, headers=headers))

    def send(self, method: str, path: str, chunks: Iterable[bytes], *, headers: Mapping[str, str]) -> Json:
        """What an upload answers; the body is streamed and sent once.

        An address elsewhere, as the object store's, gets these headers alone and not the key.
        """
        request = self._http.build_request(method, path, content=chunks, headers=dict(headers), timeout=600.0)
        self._keep_key(request)
        with self._reachable():
            return self._json(self._http.send(request))

    @contextmanager
    def stream(
        self,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        silence_s: float = 600.0,
        body: Json | None = None,
    ) -> Iterator[httpx2.Response]:
        """An open answer whose body is read piece by piece; an address elsewhere does not get the key.

        With a `body` it is a POST of that JSON, else a GET.
        """
        query = dict(params) if params else None  # an empty one would take the path's own query away
        request = self._http.build_request(
            "GET" if body is None else "POST",
            path,
            headers=dict(headers or {}),
            params=query,
            json=body,
            timeout=silence_s,
        )
        self._keep_key(request)
        with self._reachable(), closing(self._http.send(request, stream=True)) as response:
            if response.status_code >= 400:
                response.read()
                raise problem(response)
            yield response

    def events(self, path: str, *, last_event_id: str = "", **params: str | int) -> Iterator[tuple[str, str, Json]]:
        """Server-sent events as (id, type, data)."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
        with self.stream(path, headers=headers, params=params, silence_s=_EVENTS_SILENCE_S) as response:
            yield from parse_events(response.iter_lines())

    def spoken(self, path: str, body: Json) -> Iterator[tuple[str, Json]]:
        """Server-sent events that answer a POST, as (type, data).

        Raises:
            ApiError: The gateway refuses, or tells of a fault in the middle of the answer.
        """
        headers = {"Accept": "text/event-stream"}
        with self.stream(path, headers=headers, body=body, silence_s=_EVENTS_SILENCE_S) as response:
            for _identity, kind, data in parse_events(response.iter_lines()):
                if kind == "error":
                    raise _error(data, int(data.get("status", 500)))
                yield kind, data

    def pause(self, attempt: int) -> None:
        """Wait before the next try, longer each time: 0.4 s before the second one, at most 5 s."""
        self._sleep(min(0.2 * 2**attempt, 5.0))

    def _keep_key(self, request: httpx2.Request) -> None:
        if _origin(request.url) != _origin(self._http.base_url):
            for ours in ("Authorization", "Accept"):
                request.headers.pop(ours, None)

    def _tried(self, method: str, path: str, **request: Any) -> httpx2.Response:
        for attempt in range(1, _TRIES + 1):
            try:
                response = self._http.request(method, path, **request)
            except httpx2.TransportError as fault:
                if attempt == _TRIES:
                    raise _unreachable(self.url, fault) from fault
                self._sleep(0.2 * 2**attempt)
                continue
            if response.status_code not in _AGAIN or attempt == _TRIES:
                break
            self._sleep(min(_retry_after(response) or 0.2 * 2**attempt, 10.0))
        return response

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except httpx2.TransportError as fault:
            raise _unreachable(self.url, fault) from fault

    def _json(self, response: httpx2.Response) -> Json:
        if response.status_code >= 400:
            raise problem(response)
        if not response.content:
            return {}
        answer: Json = response.json()
        return answer


def problem(response: httpx2.Response) -> ApiError:
    """The error that a problem+json answer describes; any other body becomes its detail."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    found = _error(body if isinstance(body, dict) else {}, response.status_code)
    found.detail = found.detail or response.text[:500]
    found.request_id = response.headers.get("X-Request-Id", "")
    found.retry_after_s = _retry_after(response)
    return found


def _error(body: Json, status: int) -> ApiError:
    violations = [one for one in body.get("errors") or [] if isinstance(one, dict)]
    return ApiError(
        status=status,
        reason=str(body.get("reason", "UNKNOWN")),
        detail=str(body.get("detail") or body.get("title") or ""),
        metadata=body.get("metadata") or {},
        errors=[FieldError(str(one.get("field", "")), str(one.get("description", ""))) for one in violations],
    )


def parse_events(lines: Iterable[str]) -> Iterator[tuple[str, str, Json]]:
    """Events out of the lines of a text/event-stream; comments (heartbeats) give nothing."""
    identity, kind, data = "", "message", ""
    for line in lines:
        if not line:
            if data:
                yield identity, kind, json.loads(data)
            kind, data = "message", ""
        elif line.startswith("id:"):
            identity = line[3:].strip()
        elif line.startswith("event:"):
            kind = line[6:].strip()
        elif line.startswith("data:"):
            data += line[5:].strip()


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _retry_after(response: httpx2.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.replace(".", "", 1).isdigit() else None


def _quoted(etag: str) -> str:
    return etag if etag.startswith('"') or etag == "*" else f'"{etag}"'


def _unreachable(url: str, fault: Exception) -> GatewayUnreachable:
    advice = "start it with `make run` or `tonewright up`, or name another address with --url"
    return GatewayUnreachable(f"nothing answers at {url} ({fault}); {advice}")
