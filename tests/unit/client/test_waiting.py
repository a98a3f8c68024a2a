"""Waiting for long work outlives the processes that serve it."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from tonewright_client.collections import Operations
from tonewright_client.transport import Transport

NAME = "artists/nova/operations/separations-1"


def _operation(percent: float, *, done: bool = False) -> dict[str, Any]:
    metadata = {"progress_percent": percent, "stage": "split", "state": "SUCCEEDED" if done else "RUNNING"}
    return {
        "name": NAME,
        "done": done,
        "metadata": metadata,
        "error": None,
        "response": {"name": "made"} if done else {},
    }


def _event(kind: str, data: dict[str, Any], identity: str) -> str:
    return f"event: {kind}\nid: {identity}\ndata: {json.dumps(data)}\n\n"


def test_a_stream_that_reports_a_fault_is_followed_again_where_it_broke() -> None:
    problem = {"status": 503, "reason": "DEPENDENCY_UNAVAILABLE", "detail": "stems cannot be reached"}
    streams = [
        _event("progress", _operation(10), "a") + f"event: error\ndata: {json.dumps(problem)}\n\n",
        _event("done", _operation(100, done=True), "b"),
    ]
    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/events"):
            return httpx2.Response(200, json=_operation(10))
        seen.append(request.headers.get("Last-Event-ID", ""))
        return httpx2.Response(200, text=streams.pop(0), headers={"content-type": "text/event-stream"})

    transport = Transport("http://gateway", "twk_test", sleep=lambda _s: None)
    transport._http = httpx2.Client(base_url="http://gateway", transport=httpx2.MockTransport(answer))

    percents: list[float] = []

    def told(percent: float, _stage: str) -> None:
        percents.append(percent)

    made = Operations(transport, "artists/nova").wait(_operation(0), on_progress=told)  # type: ignore[arg-type]

    assert made == {"name": "made"}
    assert percents[0] == 10
    assert seen == ["", "a"]
