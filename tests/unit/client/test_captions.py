"""Captions and answers come word by word; a fault in the middle is an error."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.unit.client.fake_gateway import stream, transport_to
from tonewright_client.captions import Captions, Chat
from tonewright_client.errors import ApiError

RETRY: Any = {"retry": {"attempt": 2, "violations": [{"rule": "P4", "description": "no tag"}]}}
CAPTION: Any = {"caption": {"name": "artists/nova/captions/1", "text": "Warm pads. BPM: 96", "violations": []}}


def _event(kind: str, data: object) -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"


def test_a_caption_is_told_as_it_is_written() -> None:
    bodies: list[object] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        bodies.append(json.loads(request.content))
        assert request.method == "POST"
        events = [
            ("delta", {"delta": "Warm"}),
            ("retry", RETRY),
            ("delta", {"delta": "Warm pads."}),
            ("caption", CAPTION),
        ]
        return stream("".join(_event(kind, data) for kind, data in events))

    steps = list(Captions(transport_to(answer), "artists/nova").stream(asset="artists/nova/assets/1", hint="darker"))

    assert [step.delta for step in steps] == ["Warm", "", "Warm pads.", ""]
    assert steps[1].retry == RETRY["retry"]
    assert steps[-1].caption == CAPTION["caption"]
    assert bodies == [{"caption": {"asset": "artists/nova/assets/1", "hint": "darker"}}]


def test_a_fault_in_the_middle_is_an_error() -> None:
    problem = {"status": 503, "reason": "PROVIDER_UNAVAILABLE", "detail": "the model does not answer; try again"}
    text = _event("delta", {"delta": "Turn"}) + _event("error", problem)

    steps = Chat(transport_to(lambda _request: stream(text)), "artists/nova").stream([{"role": "USER", "content": "?"}])

    assert next(steps).delta == "Turn"
    with pytest.raises(ApiError, match="503 PROVIDER_UNAVAILABLE: the model does not answer"):
        next(steps)


def test_variants_are_asked_for_by_number() -> None:
    numbers: list[int] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        numbers.append(json.loads(request.content).get("variant", 0))
        return httpx2.Response(201, json={"name": str(len(numbers))})

    Captions(transport_to(answer), "artists/nova").variants(3, live_set="artists/nova/live-sets/1")

    assert numbers == [0, 1, 2]
