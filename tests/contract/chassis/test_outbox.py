"""Webhook events on both databases, sent to a real HTTP server."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from chassis.db import Database, artist_scope
from chassis.outbox import RETRIES_S, Outbox
from chassis.testing import FakeClock
from tests.contract.chassis.world import Event
from tests.material.webhook_receiver import Receiver, receiving

SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes or so").decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def outbox(db: Database, clock: FakeClock) -> Iterator[Outbox[Event]]:
    opened = Outbox(db, Event, clock, allow_private=True)
    yield opened
    opened.close()


def add(db: Database, outbox: Outbox[Event], url: str) -> str:
    with db.transaction(artist_scope("ada")) as session:
        return outbox.add(session, artist="ada", url=url, secret=SECRET, kind="separation.succeeded", data={"n": 1})


def event(db: Database) -> Event:
    with db.transaction(artist_scope("ada"), write=False) as session:
        return session.scalars(sa.select(Event)).one()


def test_an_event_arrives_once_with_a_signature_that_holds(
    db: Database, outbox: Outbox[Event], receiver: Receiver, clock: FakeClock
) -> None:
    uid = add(db, outbox, receiver.url)

    assert (outbox.deliver_due(), outbox.deliver_due()) == (1, 0)
    [(headers, body)] = receiver.got
    signed = f"{uid}.{int(clock.now().timestamp())}.{body}".encode()
    expected = hmac.digest(b"a secret of 24 bytes or so", signed, "sha256")
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"
    assert (headers["webhook-id"], headers["path"]) == (uid, "/hook?x=1")
    assert headers["host"] == f"localhost:{receiver.server_port}"
    assert json.loads(body) == {
        "type": "separation.succeeded",
        "timestamp": clock.now().isoformat(),
        "data": {"n": 1},
    }
    assert event(db).state == "DELIVERED"


def test_a_receiver_that_fails_is_asked_again_later(
    db: Database, outbox: Outbox[Event], receiver: Receiver, clock: FakeClock
) -> None:
    add(db, outbox, receiver.url)
    receiver.statuses = [500, 302]  # a redirect is not followed

    assert outbox.deliver_due() == 1
    assert (event(db).last_error, event(db).not_before) == ("HTTP 500", clock.now() + timedelta(seconds=5))
    clock.advance(5)
    assert outbox.deliver_due() == 1
    assert event(db).last_error == "HTTP 302"
    assert outbox.deliver_due() == 0
    clock.advance(300)
    assert outbox.deliver_due() == 1
    assert (event(db).state, event(db).attempt, event(db).last_error) == ("DELIVERED", 3, None)


def test_a_receiver_that_never_answers_well_ends_dead(db: Database, outbox: Outbox[Event], clock: FakeClock) -> None:
    add(db, outbox, "http://localhost:9/")

    for _ in range(len(RETRIES_S) + 1):
        assert outbox.deliver_due() == 1
        clock.advance(86400)

    assert (event(db).state, event(db).attempt) == ("DEAD", 10)
    assert outbox.deliver_due() == 0


def test_a_receiver_that_is_gone_is_left_alone(db: Database, outbox: Outbox[Event], receiver: Receiver) -> None:
    add(db, outbox, receiver.url)
    receiver.statuses = [410]

    outbox.deliver_due()

    assert event(db).state == "DEAD"


def test_a_private_receiver_is_never_connected(db: Database, receiver: Receiver, clock: FakeClock) -> None:
    guarded = Outbox(db, Event, clock)
    add(db, guarded, receiver.url.replace("http:", "https:"))

    guarded.deliver_due()

    assert receiver.got == []
    assert (event(db).last_error or "").startswith("WebhookUrlRefused")
    guarded.close()


def test_an_event_of_a_dead_sender_is_sent_by_another(
    db: Database, outbox: Outbox[Event], receiver: Receiver, clock: FakeClock
) -> None:
    add(db, outbox, receiver.url)
    outbox._claim()  # and nothing more

    assert outbox.deliver_due() == 0
    clock.advance(61)
    assert outbox.deliver_due() == 1
    assert len(receiver.got) == 1
