"""The end of a separation, told to a real HTTP receiver."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from chassis.context import acting_as, in_request
from chassis.db import artist_scope
from chassis.outbox import Outbox
from chassis.testing.data import sqlite_database
from services.stems.domain import Order, Separation, Webhook
from services.stems.store import Base, OutboxRow
from tests.material.webhook_receiver import Receiver, receiving
from tests.unit.stems.house import ADA, ARTIST, StemsHouse

KEY = b"a key of twenty-four bytes or more"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path) -> Iterator[StemsHouse]:
    db = sqlite_database(tmp_path, Base)
    with acting_as(ADA), in_request():
        house = StemsHouse(db, tmp_path)
        yield house
    house.outbox.close()
    db.close()


def ended(house: StemsHouse, receiver: Receiver) -> Separation:
    frames = np.random.default_rng(1).standard_normal((4000, 2)).astype(np.float32) * 0.1
    order = Order(house.assets.add(frames).name, webhook=Webhook(receiver.url, SECRET))
    house.separations.create(ARTIST, order, "", b"")
    done = house.run_one()
    assert done is not None
    house.separations.tell_ends()
    return done


def test_the_end_arrives_once_and_its_signature_holds(house: StemsHouse, receiver: Receiver) -> None:
    done = ended(house, receiver)

    house.separations.tell_ends()
    tried = [house.outbox.deliver_due() for _ in range(2)]

    [(headers, body)] = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    expected = base64.b64encode(hmac.digest(KEY, signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert tried == [1, 0]
    assert done.result is not None
    assert json.loads(body)["type"] == "separation.succeeded"
    assert json.loads(body)["data"] == {
        "name": done.name,
        "operation": f"artists/{ARTIST}/operations/separations-{done.uid}",
        "state": "SUCCEEDED",
        "stems": [{"stem": stem.stem, "asset": stem.asset} for stem in done.result.stems],
    }


def test_a_remembered_outcome_is_told_too(house: StemsHouse, receiver: Receiver) -> None:
    first = ended(house, receiver)
    again = house.separations.create(ARTIST, first.order, "", b"")

    house.separations.tell_ends()
    house.outbox.deliver_due()

    told = [json.loads(body)["data"] for _, body in receiver.got]
    assert [data["name"] for data in told] == [first.name, again.name]
    assert told[0]["stems"] == told[1]["stems"]


def test_a_receiver_that_fails_hears_of_it_again_with_the_same_id(house: StemsHouse, receiver: Receiver) -> None:
    ended(house, receiver)
    receiver.statuses = [500]

    tried = [house.outbox.deliver_due()]
    house.clock.advance(5)
    tried.append(house.outbox.deliver_due())

    assert tried == [1, 1]
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len({headers["webhook-signature"] for headers, _ in receiver.got}) == 2
    assert len({body for _, body in receiver.got}) == 1


def test_nothing_is_sent_to_a_private_address_by_default(house: StemsHouse, receiver: Receiver) -> None:
    ended(house, receiver)
    strict = Outbox(house.db, OutboxRow, house.clock)

    strict.deliver_due()
    strict.close()

    assert receiver.got == []
    with house.db.transaction(artist_scope(ARTIST), write=False) as session:
        [row] = session.scalars(sa.select(OutboxRow)).all()
    assert (row.state, (row.last_error or "").partition(":")[0]) == ("PENDING", "WebhookUrlRefused")
