"""Separations are followed across lost connections, started in batches and downloaded once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest

from tests.unit.client.fake_gateway import NAME, chunk, separation, stream, told, told_chunk, transport_to
from tonewright_client.errors import ApiError, GatewayUnreachable
from tonewright_client.models import Separation
from tonewright_client.separations import Separations, engine_label

ERROR = 'event: error\ndata: {"status": 503, "reason": "DEPENDENCY_UNAVAILABLE"}\n\n'


def test_following_takes_up_a_lost_connection_after_the_last_chunk() -> None:
    streams: list[str | None] = [
        told("RUNNING", 10) + told_chunk(0) + told_chunk(1),
        None,
        told("RUNNING", 10) + told_chunk(1) + told_chunk(2) + told("SUCCEEDED", 100),
    ]
    asked: list[tuple[str, str]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/events"):
            return httpx2.Response(200, json=separation("QUEUED"))
        asked.append((request.url.query.decode(), request.headers.get("Last-Event-ID", "")))
        text = streams.pop(0)
        if text is None:
            raise httpx2.ReadError("the line is cut")
        return stream(text)

    events = list(Separations(transport_to(answer), "artists/nova").follow(NAME, chunks=True))

    assert [event.chunk["index"] for event in events if event.chunk] == [0, 1, 2]
    assert [event.separation["state"] for event in events if not event.chunk] == ["RUNNING", "SUCCEEDED"]
    assert asked[0] == ("include_chunks=true&first_chunk=0", "")
    assert asked[1:] == [("include_chunks=true&first_chunk=2", "c1")] * 2


def test_chunks_of_one_that_has_ended_come_before_its_end() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/events"):
            return httpx2.Response(200, json=separation("SUCCEEDED", 100))
        return stream(told_chunk(3) + told_chunk(4) + told("SUCCEEDED", 100))

    events = list(Separations(transport_to(answer), "artists/nova").follow(NAME, chunks=True, first_chunk=3))

    assert [event.chunk["index"] if event.chunk else None for event in events] == [3, 4, None]


def test_a_stream_that_tells_a_fault_is_opened_again() -> None:
    streams = [told("RUNNING", 10) + ERROR, told("SUCCEEDED", 100)]

    events = list(Separations(transport_to(lambda _request: stream(streams.pop(0))), "artists/nova").follow(NAME))

    assert [event.separation["progress_percent"] for event in events] == [10, 100]


def test_following_ends_with_a_refusal() -> None:
    calls: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        calls.append(request.method)
        return httpx2.Response(404, json={"reason": "SEPARATION_NOT_FOUND", "detail": "there is none"})

    with pytest.raises(ApiError, match="SEPARATION_NOT_FOUND"):
        list(Separations(transport_to(answer), "artists/nova").follow(NAME))
    assert len(calls) == 1


def test_following_gives_up_when_nothing_answers() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no route", request=request)

    with pytest.raises(GatewayUnreachable):
        list(Separations(transport_to(answer), "artists/nova").follow(NAME))


def test_a_batch_is_one_request_with_one_operation_for_each_order() -> None:
    bodies: list[dict[str, Any]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        bodies.append(json.loads(request.content))
        return httpx2.Response(200, json={"operations": [{"name": "a"}, {"name": "b"}]})

    orders: Any = [{"asset": "one", "output_format": "MP3"}, {"asset": "two"}]
    operations = Separations(transport_to(answer), "artists/nova").start_batch(orders)

    assert [operation["name"] for operation in operations] == ["a", "b"]
    assert bodies == [{"requests": [{"separation": order} for order in orders]}]


def test_a_chunk_is_fetched_from_its_links_without_the_key(tmp_path: Path) -> None:
    headers: list[httpx2.Headers] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        headers.append(request.headers)
        return httpx2.Response(200, content=b"flac")

    found = Separations(transport_to(answer), "artists/nova").download_chunk(chunk(7), tmp_path)

    assert found == {"vocals": tmp_path / "000007-vocals.flac"}
    assert found["vocals"].read_bytes() == b"flac"
    assert "Authorization" not in headers[0]


def test_a_stem_that_is_there_already_is_not_downloaded_again(tmp_path: Path) -> None:
    paths: list[str] = []
    contents = {"a": b"drums", "b": b"voice"}

    def answer(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.path)
        asset = request.url.path.split("/")[5]
        if request.url.path.endswith("/content"):
            return httpx2.Response(200, content=contents[asset])
        return httpx2.Response(200, json={"sha256": hashlib.sha256(contents[asset]).hexdigest()})

    (tmp_path / "drums.mp3").write_bytes(b"drums")
    (tmp_path / "lead_vox.mp3").write_bytes(b"an older one")
    stems = [
        {"stem": "drums", "asset": "artists/nova/assets/a"},
        {"stem": "lead/vox", "asset": "artists/nova/assets/b"},
    ]
    made = cast(Separation, separation("SUCCEEDED", 100, stems=stems, output_format="MP3"))

    found = Separations(transport_to(answer), "artists/nova").download(made, tmp_path)

    assert found == {"drums": tmp_path / "drums.mp3", "lead/vox": tmp_path / "lead_vox.mp3"}
    assert found["lead/vox"].read_bytes() == b"voice"
    assert [path for path in paths if path.endswith("/content")] == ["/v1/artists/nova/assets/b/content"]


def test_the_stub_is_called_one() -> None:
    assert engine_label(cast(Separation, separation("SUCCEEDED"))) == "stub (signal processing, no model)"
    assert engine_label(cast(Separation, separation("SUCCEEDED", engine="demucs"))) == "demucs"
