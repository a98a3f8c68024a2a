"""Separations over HTTP: what they take, and their chunks while they run."""

from __future__ import annotations

import base64
from typing import Any

import httpx2
import pytest
from google.longrunning import operations_pb2

from chassis.status import rich_status
from services.stems.domain import ModelNotFound
from tests.unit.gateway.conftest import Backend, Gateway
from tests.unit.gateway.test_streams import A, events
from tonewright.operations.v1 import operations_pb2 as view
from tonewright.stems.v1 import stems_pb2

SEPARATION = f"{A}/separations/1"
EVENTS = f"{SEPARATION}/events"
SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()


def separation(state: str, etag: str) -> stems_pb2.WatchSeparationResponse:
    made = stems_pb2.Separation(name="artists/nova/separations/1", state=view.State.Value(f"STATE_{state}"), etag=etag)
    return stems_pb2.WatchSeparationResponse(separation=made)


def chunk(index: int) -> stems_pb2.WatchSeparationResponse:
    key = f"artists/nova/stems/chunks/1/{index}-drums.flac"
    part = stems_pb2.StemChunkPart(stem="drums", object_key=key, media_type="audio/flac")
    return stems_pb2.WatchSeparationResponse(
        chunk=stems_pb2.StemChunk(index=index, offset_frames=index * 100, frame_count=100, rate_hz=44100, parts=[part])
    )


def watched(backend: Backend) -> None:
    """A separation with three chunks that has ended, as the service tells it from any chunk on."""

    def answers(request: stems_pb2.WatchSeparationRequest) -> list[Any]:
        told = [chunk(index) for index in range(request.first_chunk, 3)] if request.include_chunks else []
        return [separation("RUNNING", "e1"), *told, separation("SUCCEEDED", "e2")]

    backend.on("WatchSeparation", answers)


async def test_what_a_separation_takes_reaches_the_service(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("CreateSeparation", operations_pb2.Operation(name="artists/nova/operations/separations-1"))
    body = {
        "asset": "artists/nova/assets/1", "include_residual": True, "publish_chunks": True, "output_format": "MP3",
        "parameters": {"deterministic": True}, "webhook": {"url": "https://example.com", "secret": SECRET},
    }  # fmt: skip

    answer = await http.post(f"{A}/separations", json=body)

    assert answer.status_code == 202
    [request] = backend.requests("CreateSeparation")
    asked = request.separation
    assert (asked.include_residual, asked.publish_chunks, asked.parameters.deterministic) == (True, True, True)
    assert (asked.output_format, asked.webhook.secret) == (stems_pb2.OUTPUT_FORMAT_MP3, SECRET)


async def test_the_secret_of_a_webhook_is_no_part_of_an_answer(http: httpx2.AsyncClient, backend: Backend) -> None:
    hook = stems_pb2.Webhook(url="https://example.com", secret=SECRET)
    backend.on("GetSeparation", stems_pb2.Separation(name="artists/nova/separations/1", webhook=hook))

    told = (await http.get(SEPARATION)).json()

    assert told["webhook"] == {"url": "https://example.com"}


async def test_a_batch_tells_each_outcome(http: httpx2.AsyncClient, backend: Backend) -> None:
    refused = operations_pb2.Operation(done=True, error=rich_status(ModelNotFound("kazoo", ["dsp-stub"]), "stems"))
    made = operations_pb2.Operation(name="artists/nova/operations/separations-1")
    backend.on("BatchCreateSeparations", stems_pb2.BatchCreateSeparationsResponse(operations=[made, refused]))
    item = {"separation": {"asset": "artists/nova/assets/1"}}

    answer = await http.post(
        f"{A}/separations:batchCreate", json={"requests": [item, item]}, headers={"idempotency-key": "k"}
    )

    operations = answer.json()["operations"]
    assert answer.status_code == 200
    assert [operation["name"] for operation in operations] == [made.name, ""]
    assert operations[1]["error"]["reason"] == "MODEL_NOT_FOUND"
    [request] = backend.requests("BatchCreateSeparations")
    assert (request.parent, request.request_id, len(request.requests)) == ("artists/nova", "k", 2)


async def test_chunks_are_told_with_links_that_play(gateway: Gateway) -> None:
    watched(gateway.backend)
    gateway.objects.put("artists/nova/stems/chunks/1/0-drums.flac", b"fLaC-and-more", media_type="audio/flac")

    found = events((await gateway.client().get(f"{EVENTS}?include_chunks=true")).text)
    part = found[1]["data"]["chunk"]["parts"][0]
    played = await gateway.client(None).get(part["url"])
    some = await gateway.client(None).get(part["url"], headers={"range": "bytes=0-3"})

    assert [event["event"] for event in found] == ["separation", "chunk", "chunk", "chunk", "separation"]
    assert [event["data"]["chunk"]["index"] for event in found[1:4]] == [0, 1, 2]
    assert set(part) == {"stem", "media_type", "url"}
    assert part["url"].endswith("/0-drums.flac")
    assert (played.status_code, played.content, played.headers["content-type"]) == (200, b"fLaC-and-more", "audio/flac")
    assert (some.status_code, some.content) == (206, b"fLaC")


async def test_chunks_are_told_to_those_who_ask(gateway: Gateway) -> None:
    watched(gateway.backend)

    found = events((await gateway.client().get(EVENTS)).text)

    assert [event["event"] for event in found] == ["separation", "separation"]


@pytest.mark.parametrize("last", range(4))
async def test_a_reconnect_goes_on_after_the_last_event(gateway: Gateway, last: int) -> None:
    watched(gateway.backend)
    http, path = gateway.client(), f"{EVENTS}?include_chunks=true"
    whole = events((await http.get(path)).text)

    resumed = events((await http.get(path, headers={"last-event-id": whole[last]["id"]})).text)

    assert [event["id"] for event in resumed] == [event["id"] for event in whole[last + 1 :]]


async def test_a_reconnect_after_the_end_is_over(gateway: Gateway) -> None:
    watched(gateway.backend)
    whole = events((await gateway.client().get(f"{EVENTS}?include_chunks=true")).text)
    gateway.backend.on("WatchSeparation", [separation("SUCCEEDED", "e2")])

    answer = await gateway.client().get(EVENTS, headers={"last-event-id": whole[-1]["id"]})

    assert (answer.status_code, answer.content) == (204, b"")


async def test_the_first_chunk_can_be_chosen(gateway: Gateway) -> None:
    watched(gateway.backend)

    found = events((await gateway.client().get(f"{EVENTS}?include_chunks=true&first_chunk=2")).text)
    wrong = await gateway.client().get(f"{EVENTS}?first_chunk=-1")

    assert [event["data"]["chunk"]["index"] for event in found if event["event"] == "chunk"] == [2]
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "query.first_chunk")


async def test_a_link_to_a_chunk_that_is_gone_says_so(gateway: Gateway) -> None:
    watched(gateway.backend)
    found = events((await gateway.client().get(f"{EVENTS}?include_chunks=true")).text)

    answer = await gateway.client(None).get(found[1]["data"]["chunk"]["parts"][0]["url"])

    assert (answer.status_code, answer.json()["reason"]) == (403, "LINK_EXPIRED")


async def test_a_ticket_opens_the_events_of_one_separation(gateway: Gateway) -> None:
    watched(gateway.backend)
    gateway.backend.on("GetSeparation", stems_pb2.Separation(name="artists/nova/separations/1"))
    ticket = (await gateway.client().post(f"{EVENTS}:ticket")).json()
    browser = gateway.client(None)

    opened = await browser.get(f"{ticket['url']}&include_chunks=true")
    elsewhere = await browser.get(f"{A}/separations/2/events?ticket={ticket['ticket']}")

    assert len(events(opened.text)) == 5
    assert elsewhere.json()["reason"] == "TICKET_INVALID"


async def test_an_operation_shows_a_separation_that_ended(http: httpx2.AsyncClient, backend: Backend) -> None:
    operation = operations_pb2.Operation(name="artists/nova/operations/separations-1", done=True)
    operation.metadata.Pack(view.OperationMetadata(state=view.STATE_SUCCEEDED))
    operation.response.Pack(stems_pb2.Separation(webhook=stems_pb2.Webhook(url="https://example.com")))
    backend.on("GetOperation", operation)

    told = (await http.get(f"{A}/operations/separations-1")).json()

    assert told["response"]["webhook"] == {"url": "https://example.com"}
