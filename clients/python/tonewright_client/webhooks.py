"""For receivers of webhooks: whether a message is the platform's."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time
from collections.abc import Mapping

from tonewright_client.transport import Json

_TOLERANCE_S = 300.0


class WebhookRefused(Exception):
    """The message is not signed with this secret, was changed, or is old."""


def verified(secret: str, headers: Mapping[str, str], body: bytes, *, now_s: float | None = None) -> Json:
    """The event in a webhook's body, once its signature is checked.

    The same event may come more than once: `webhook-id` is the same then.

    Args:
        secret: As given when the separation was started, `whsec_…`.
        headers: Of the request; upper and lower case are alike.
        body: The request's body, byte for byte.
        now_s: Seconds since 1970; default: now. A message is good for five minutes.

    Raises:
        WebhookRefused: Answer 401 and drop it.

    Source: Standard Webhooks 1.0, "Verifying webhook authenticity".
    """
    given = {name.lower(): value for name, value in headers.items()}
    identity, sent, signatures = (given.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not sent.isdecimal() or abs((time.time() if now_s is None else now_s) - int(sent)) > _TOLERANCE_S:
        raise WebhookRefused("the message is older than five minutes, or from the future")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as fault:
        raise WebhookRefused("the secret is not `whsec_` and base64") from fault
    digest = hmac.digest(key, f"{identity}.{sent}.".encode() + body, "sha256")
    wanted = b"v1," + base64.b64encode(digest)
    if not any(hmac.compare_digest(wanted, one.encode()) for one in signatures.split(" ")):
        raise WebhookRefused("no signature fits: the message is not the platform's, or was changed")
    event: Json = json.loads(body)
    return event
