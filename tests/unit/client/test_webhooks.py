"""A receiver takes what the platform signed, and nothing else."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from chassis.outbox import sign
from tonewright_client.webhooks import WebhookRefused, verified

SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()
SENT_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
BODY = b'{"type":"separation.succeeded","data":{"name":"artists/nova/separations/1"}}'


def test_what_the_platform_signed_is_taken() -> None:
    headers = {name.title(): value for name, value in sign(SECRET, "1", SENT_AT, BODY.decode()).items()}

    event = verified(SECRET, headers, BODY, now_s=SENT_AT.timestamp() + 60)

    assert event["type"] == "separation.succeeded"


def test_one_of_several_signatures_is_enough() -> None:
    headers = sign(SECRET, "1", SENT_AT, BODY.decode())
    headers["webhook-signature"] = f"v1,AAAA {headers['webhook-signature']}"

    assert verified(SECRET, headers, BODY, now_s=SENT_AT.timestamp())


@pytest.mark.parametrize(
    ("secret", "body", "later_s"),
    [
        ("whsec_" + base64.b64encode(b"x" * 24).decode(), BODY, 0),
        (SECRET, BODY.replace(b"succeeded", b"cancelled"), 0),
        (SECRET, BODY, 301),
        (SECRET, BODY, -301),
        ("whsec_?", BODY, 0),
    ],
    ids=["another secret", "a changed body", "old", "from the future", "no secret"],
)
def test_anything_else_is_refused(secret: str, body: bytes, later_s: float) -> None:
    headers = sign(SECRET, "1", SENT_AT, BODY.decode())

    with pytest.raises(WebhookRefused):
        verified(secret, headers, body, now_s=SENT_AT.timestamp() + later_s)


def test_a_message_without_a_signature_is_refused() -> None:
    with pytest.raises(WebhookRefused):
        verified(SECRET, {}, BODY)
