"""Signatures of webhooks by Standard Webhooks, checked over the exact bytes.

Source: spec, webhooks of the provider; the test vector of its Appendix D.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import datetime

from chassis.errors import PermissionDenied

TOLERANCE_S = 300
_MOST_SIGNATURES = 20


class WebhookRefused(PermissionDenied):
    """The webhook was not signed by the provider, or too long ago."""

    REASON = "WEBHOOK_REFUSED"


def check_age(headers: Mapping[str, str], now: datetime) -> str:
    """The webhook's id, if it was signed within five minutes of now; WebhookRefused otherwise."""
    event_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not event_id or len(event_id) > 255 or not event_id.isprintable():
        raise WebhookRefused("the webhook has no webhook-id of 1 to 255 characters")
    is_number = stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12
    if not is_number or abs(now.timestamp() - int(stamp)) > TOLERANCE_S:
        raise WebhookRefused(f"the webhook was not signed within {TOLERANCE_S} s of now; check both clocks")
    return event_id


def is_signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether one of the signatures was made with the secret, over id, timestamp and the body's bytes."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    signed = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}.".encode() + body
    right = base64.b64encode(hmac.digest(key, signed, "sha256"))
    fits = False
    for entry in headers.get("webhook-signature", "").split(" ")[:_MOST_SIGNATURES]:
        version, _, given = entry.partition(",")
        # All are compared, each in constant time.
        fits |= version == "v1" and hmac.compare_digest(right, given.encode())
    return fits
