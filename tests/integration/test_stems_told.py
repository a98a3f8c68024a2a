"""Ends of separations reach a receiver, through real processes."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.integration.stems_house import StemsHouse
from tests.material.webhook_receiver import Receiver, receiving
from tonewright.stems.v1 import stems_pb2 as stems
from tonewright_client.webhooks import verified

pytestmark = pytest.mark.usefixtures("as_ada")
SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four bytes or more").decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.mark.timeout(120)
def test_each_end_is_told_once_after_a_restart_of_the_service_too(receiver: Receiver, tmp_path: Path) -> None:
    hook = stems.Webhook(url=receiver.url, secret=SECRET)
    frames = np.random.default_rng(1).standard_normal((44100, 2)).astype(np.float32) * 0.1
    environment = {"TONEWRIGHT_STEMS_WEBHOOK_ALLOW_PRIVATE": "1"}
    receiver.statuses = [500]

    with StemsHouse(tmp_path, environment).running() as house, house.worker():
        asset = house.upload(frames)
        done = house.finished(house.separate(asset, webhook=hook))
        house.put_bytes(asset, b"no audio")
        failed = house.finished(house.separate(asset, webhook=hook, stem_set=stems.STEM_SET_TWO_STEMS))
    # The service may have stopped before it told of them; the next one does.
    with StemsHouse(tmp_path, environment).running() as house:
        stopped = house.separate(house.upload(frames), webhook=hook, output_format=stems.OUTPUT_FORMAT_WAV_FLOAT)
        house.stems.CancelSeparation(stems.CancelSeparationRequest(name=stopped))
        wait_for(receiver, 4)
        time.sleep(2)

    told = [verified(SECRET, headers, body.encode()) for headers, body in receiver.got]
    ids = [headers["webhook-id"] for headers, _ in receiver.got]
    assert sorted({(event["type"], event["data"]["name"]) for event in told}) == [
        ("separation.cancelled", stopped),
        ("separation.failed", failed.name),
        ("separation.succeeded", done.name),
    ]
    assert (len(ids), len(set(ids))) == (4, 3)


def wait_for(receiver: Receiver, count: int) -> None:
    end = time.monotonic() + 30
    while len(receiver.got) < count and time.monotonic() < end:
        time.sleep(0.1)
