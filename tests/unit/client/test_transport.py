"""Problems become errors, retries are safe, events are parsed."""

from __future__ import annotations

import httpx2
import pytest

from tonewright_client import Tonewright
from tonewright_client.errors import ApiError
from tonewright_client.transport import Transport, parse_events, problem


def _transport(handler: httpx2.MockTransport) -> Transport:
    transport = Transport("http://gateway", "twk_test", sleep=lambda _s: None)
    transport._http = httpx2.Client(base_url="http://gateway", transport=handler)
    return transport


def test_a_problem_keeps_reason_violations_and_retry_after() -> None:
    body = {
        "status": 503,
        "reason": "DEPENDENCY_UNAVAILABLE",
        "detail": "the database does not answer",
        "metadata": {"dependency": "database"},
        "errors": [{"field": "a.b", "description": "is missing"}],
    }
    error = problem(httpx2.Response(503, json=body, headers={"Retry-After": "2", "X-Request-Id": "r1"}))

    assert (error.reason, error.retry_after_s, error.request_id) == ("DEPENDENCY_UNAVAILABLE", 2.0, "r1")
    assert error.errors[0].field == "a.b"
    assert "the database does not answer" in str(error)


def test_an_answer_that_is_no_problem_is_still_an_error() -> None:
    error = problem(httpx2.Response(502, text="bad gateway"))

    assert (error.status, error.reason, error.detail) == (502, "UNKNOWN", "bad gateway")


def test_a_create_is_tried_again_under_the_same_key() -> None:
    keys: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        keys.append(request.headers["Idempotency-Key"])
        return httpx2.Response(503, json={}) if len(keys) == 1 else httpx2.Response(201, json={"name": "a"})

    assert _transport(httpx2.MockTransport(answer)).post("/v1/artists", {}) == {"name": "a"}
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_a_refusal_is_not_tried_again() -> None:
    calls: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        calls.append(request.method)
        return httpx2.Response(409, json={"reason": "REQUEST_ID_REUSED", "detail": "another body"})

    with pytest.raises(ApiError, match="REQUEST_ID_REUSED"):
        _transport(httpx2.MockTransport(answer)).post("/v1/artists", {})
    assert calls == ["POST"]


def test_bytes_sent_to_an_object_store_go_without_the_key() -> None:
    got: dict[str, httpx2.Headers] = {}

    def answer(request: httpx2.Request) -> httpx2.Response:
        got[request.url.host] = request.headers
        return httpx2.Response(200)

    transport = _transport(httpx2.MockTransport(answer))
    transport._http.headers["Authorization"] = "Bearer twk_test"
    for address in ("http://store/bucket/key?X-Amz-Signature=1", "/v1/artists/a/uploads/b/content"):
        transport.send("PUT", address, iter([b"bytes"]), headers={"Content-Type": "audio/wav", "Content-Length": "5"})

    assert "Authorization" not in got["store"]
    assert got["store"]["Content-Length"] == "5"
    assert got["gateway"]["Authorization"] == "Bearer twk_test"


def test_events_keep_their_ids_and_heartbeats_give_nothing() -> None:
    lines = [": beat", "", "id: 7", "event: progress", 'data: {"done": false}', "", 'data: {"done": true}', ""]

    assert list(parse_events(lines)) == [("7", "progress", {"done": False}), ("7", "message", {"done": True})]


def test_lists_go_on_to_their_last_page() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.params.get("page_token") == "next":
            return httpx2.Response(200, json={"artists": [{"name": "artists/b"}], "next_page_token": ""})
        return httpx2.Response(200, json={"artists": [{"name": "artists/a"}], "next_page_token": "next"})

    client = Tonewright("http://gateway", "twk_test")
    client.transport.close()
    client.transport = _transport(httpx2.MockTransport(answer))

    assert [artist["name"] for artist in client.artists()] == ["artists/a", "artists/b"]
