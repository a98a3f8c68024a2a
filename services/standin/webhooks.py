"""Signed webhooks, as Standard Webhooks lays them out; repeated a few times until they are taken."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import uuid
from collections.abc import Mapping
from typing import Any

import httpx2

from chassis.clock import Clock
from chassis.logs import get_logger

log = get_logger(__name__)
_WAITS_S = (0.0, 0.5, 2.0, 8.0, 30.0)


def signed(secret: str, event_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """Headers of a webhook that is signed now."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{event_id}.{seconds}.".encode() + body, "sha256")
    return {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


class Sender:
    """Sends webhooks of one provider."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._secret, self._clock = secret, clock
        self.stopped = threading.Event()

    def send(self, url: str, record: Mapping[str, Any]) -> bool:
        """Whether the receiver took it; tried a few times, with the same id."""
        event_id, body = f"msg_{uuid.uuid4().hex}", json.dumps(record).encode()
        for wait_s in _WAITS_S:
            if self.stopped.wait(wait_s):
                return False
            headers = signed(self._secret, event_id, int(self._clock.now().timestamp()), body)
            try:
                answer = httpx2.post(url, content=body, headers=headers, timeout=5, trust_env=False)
            except httpx2.HTTPError as error:
                log.info("webhook_not_taken", error=type(error).__name__)
                continue
            if answer.is_success:
                return True
            log.info("webhook_refused", status=answer.status_code)
        return False
