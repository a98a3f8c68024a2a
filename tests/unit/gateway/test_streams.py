from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
from google.longrunning import operations_pb2

from chassis.context import Caller, Role
from chassis.errors import Unavailable
from services.gateway.streams import event
from tests.unit.gateway.conftest import Backend, Gateway
from tonewright.operations.v1 import operations_pb2 as view
from tonewright.prompt.v1 import prompt_pb2

A = "/v1/artists/nova"
OPERATION = f"{A}/operations/separations-1"
CALLER = Caller("gateway", "ada", "nova", Role.OWNER)


def operation(percent: float, state: str = "RUNNING") -> operations_pb2.Operation:
    made = operations_pb2.Operation(name="artists/nova/operations/separations-1", done=state == "SUCCEEDED")
    made.metadata.Pack(view.OperationMetadata(state=view.State.Value(f"STATE_{state}"), progress_percent=percent))
    return made


def scripted(*steps: operations_pb2.Operation) -> Any:
    """Answers one after the other, the last one for ever."""
    left = list(steps)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


def events(text: str) -> list[dict[str, Any]]:
    """The events of a stream."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
        if "data" in fields:
            found.append({**fields, "data": json.loads(fields["data"])})
    return found


def quick(gateway: Gateway) -> None:
    object.__setattr__(gateway.tools.settings, "event_poll_s", 0.01)
    object.__setattr__(gateway.tools.settings, "heartbeat_s", 0.02)


async def test_operation_is_followed_to_its_end(gateway: Gateway) -> None:
    quick(gateway)
    steps = operation(0), operation(50), operation(50), operation(100, "SUCCEEDED")
    gateway.backend.on("GetOperation", scripted(*steps))

    answer = await gateway.client().get(f"{OPERATION}/events")

    found = events(answer.text)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [e["event"] for e in found] == ["progress", "progress", "done"]
    assert [e["data"]["metadata"]["progress_percent"] for e in found] == [0, 50, 100]
    assert len({e["id"] for e in found}) == 3


async def test_last_event_id_resumes_without_a_repeat(gateway: Gateway) -> None:
    quick(gateway)
    gateway.backend.on("GetOperation", scripted(operation(50), operation(100, "SUCCEEDED")))
    first = events((await gateway.client().get(f"{OPERATION}/events")).text)
    gateway.backend.on("GetOperation", scripted(operation(50), operation(100, "SUCCEEDED")))

    resumed = await gateway.client().get(f"{OPERATION}/events", headers={"last-event-id": first[0]["id"]})
    over = await gateway.client().get(f"{OPERATION}/events", headers={"last-event-id": first[-1]["id"]})

    assert [e["event"] for e in events(resumed.text)] == ["done"]
    assert over.status_code == 204


async def test_silence_is_broken_by_comments(gateway: Gateway) -> None:
    quick(gateway)
    gateway.backend.on("GetOperation", scripted(*[operation(1)] * 9, operation(100, "SUCCEEDED")))

    answer = await gateway.client().get(f"{OPERATION}/events")

    assert ": still here" in answer.text


async def test_service_that_goes_away_ends_the_stream_with_a_problem(gateway: Gateway) -> None:
    quick(gateway)
    left: list[Any] = [operation(1), Unavailable("gone")]
    gateway.backend.on("GetOperation", lambda request: left.pop(0))

    found = events((await gateway.client().get(f"{OPERATION}/events")).text)

    assert found[-1]["event"] == "error"
    assert found[-1]["data"]["status"] == 503


async def test_streams_end_when_the_process_stops(gateway: Gateway) -> None:
    quick(gateway)
    gateway.backend.on("GetOperation", operation(1))

    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(gateway.client().get(f"{OPERATION}/events"))
        await asyncio.sleep(0.05)
        gateway.tools.stopping.set()

    assert [e["event"] for e in events(reading.result().text)] == ["progress"]


async def test_ticket_opens_one_stream_for_a_while(gateway: Gateway) -> None:
    quick(gateway)
    gateway.backend.on("GetOperation", operation(100, "SUCCEEDED"))
    ticket = (await gateway.client().post(f"{OPERATION}/events:ticket")).json()
    browser = gateway.client(None)

    opened = await browser.get(ticket["url"])
    elsewhere = await browser.get(f"{A}/operations/separations-2/events?ticket={ticket['ticket']}")
    reading = await browser.get(f"{OPERATION}?ticket={ticket['ticket']}")
    gateway.clock.advance(301)
    late = await browser.get(ticket["url"])

    assert opened.status_code == 200
    assert (elsewhere.status_code, elsewhere.json()["reason"]) == (401, "TICKET_INVALID")
    assert reading.status_code == 401
    assert late.status_code == 401


async def test_answers_of_a_stream_become_named_events(http: httpx2.AsyncClient, backend: Backend) -> None:
    steps = [
        prompt_pb2.StreamCaptionResponse(delta="warm "),
        prompt_pb2.StreamCaptionResponse(delta="house"),
        prompt_pb2.StreamCaptionResponse(caption=prompt_pb2.Caption(text="warm house")),
    ]
    backend.on("StreamCaption", lambda request: steps)

    answer = await http.post(f"{A}/captions:stream", json={"caption": {"hints": {"tempo_bpm": 120}}})

    found = events(answer.text)
    assert [e["event"] for e in found] == ["delta", "delta", "caption"]
    assert found[0]["data"] == {"delta": "warm "}
    assert found[2]["data"]["caption"]["text"] == "warm house"


async def test_an_answer_that_is_being_made_may_be_finished_when_the_process_stops(
    http: httpx2.AsyncClient, gateway: Gateway
) -> None:
    gateway.backend.on("StreamCaption", lambda request: [prompt_pb2.StreamCaptionResponse(delta=w) for w in "abc"])
    gateway.tools.stopping.set()

    found = events((await http.post(f"{A}/captions:stream", json={"caption": {}})).text)

    assert [e["data"]["delta"] for e in found] == ["a", "b", "c"]


async def test_stream_that_fails_at_once_is_an_ordinary_problem(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("StreamCaption", lambda request: [Unavailable("down")])

    assert (await http.post(f"{A}/captions:stream", json={"caption": {}})).status_code == 503


async def test_stream_that_fails_later_says_so_in_an_event(http: httpx2.AsyncClient, backend: Backend) -> None:
    steps = [prompt_pb2.StreamCaptionResponse(delta="a"), Unavailable("down")]
    backend.on("StreamCaption", lambda request: steps)

    found = events((await http.post(f"{A}/captions:stream", json={"caption": {}})).text)

    assert [e["event"] for e in found] == ["delta", "error"]
    assert found[1]["data"]["reason"] == "UNAVAILABLE"


def test_event_is_one_block() -> None:
    assert event({"a": "x\ny"}, name="n", identity="1") == b'event: n\nid: 1\ndata: {"a":"x\\ny"}\n\n'
