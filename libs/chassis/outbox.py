import asyncio
import base64
import contextlib
import hmac
import ipaddress
import json
import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import httpx2
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.clock import Clock
from chassis.db import Database, Uid, UtcDateTime, system_scope
from chassis.errors import InvalidArgument, Unavailable
from chassis.ids import new_uid
from chassis.logs import get_logger

log = get_logger(__name__)

# Seconds before each repeat, as Standard Webhooks recommends; after the last one the event is dead.
RETRIES_S = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
_LEASE = timedelta(seconds=60)


class WebhookUrlRefused(InvalidArgument):
    """The URL is no https address of a public host."""

    REASON = "WEBHOOK_URL_REFUSED"


class OutboxMixin:
    """Columns of a service's webhook outbox: one row per event and receiver."""

    __tablename__ = "outbox"

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(sa.String(64), index=True)
    url: Mapped[str] = mapped_column(sa.Text)
    secret: Mapped[str] = mapped_column(sa.String(255))
    body: Mapped[str] = mapped_column(sa.Text)
    state: Mapped[str] = mapped_column(sa.String(16), default="PENDING", index=True)  # DELIVERED, DEAD
    attempt: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(sa.String(255))
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)


Row = TypeVar("Row", bound=OutboxMixin)


def sign(secret: str, uid: str, sent_at: datetime, body: str) -> dict[str, str]:
    """The Standard Webhooks headers of a message; the secret is `whsec_` and base64."""
    key, seconds = base64.b64decode(secret.removeprefix("whsec_")), str(int(sent_at.timestamp()))
    digest = hmac.digest(key, f"{uid}.{seconds}.{body}".encode(), "sha256")
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": uid, "webhook-timestamp": seconds, "webhook-signature": signature}


def public_address(url: str, *, allow_private: bool = False) -> str:
    """The IP address to connect to for this URL; WebhookUrlRefused unless every address of the host is public."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise WebhookUrlRefused("webhook URL has no valid port; use https://host/path") from error
    schemes = ("https", "http") if allow_private else ("https",)
    if parts.scheme not in schemes or not parts.hostname or parts.username or parts.password:
        raise WebhookUrlRefused("webhook URL is not https://host/path without credentials")
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise WebhookUrlRefused(f"webhook host {parts.hostname!r} is not known; check its name") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not allow_private and not all(_is_public(address) for address in addresses):
        raise WebhookUrlRefused(f"webhook host {parts.hostname!r} has a private address; use a public host")
    return str(addresses[0])


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
    return bool(inner.is_global and not inner.is_multicast and not address.is_multicast)


class Outbox(Generic[Row]):
    """Sends events to webhooks at least once, with backoff; `allow_private` is for tests alone."""

    def __init__(self, db: Database, row: type[Row], clock: Clock, *, allow_private: bool = False) -> None:
        self._db, self._row, self._clock, self._allow_private = db, row, clock, allow_private
        self._client = httpx2.Client(timeout=10, follow_redirects=False, trust_env=False)

    def add(self, session: Session, *, artist: str, url: str, secret: str, kind: str, data: Mapping[str, Any]) -> str:
        """The id of a new event, sent soon after the session commits."""
        now = self._clock.now()
        body = json.dumps({"type": kind, "timestamp": now.isoformat(), "data": dict(data)}, separators=(",", ":"))
        times = {"create_time": now, "not_before": now}
        event = self._row(uid=new_uid(), artist=artist, url=url, secret=secret, body=body, **times)  # type: ignore[call-arg]
        session.add(event)
        return event.uid

    def deliver_due(self) -> int:
        """The number of events that were tried now."""
        tried = 0
        while (event := self._claim()) is not None:
            self._settle(event, self._post(event))
            tried += 1
        return tried

    async def loop(self, stop: asyncio.Event) -> None:
        """Deliver what is due every second until `stop`, for App.loops."""
        while not stop.is_set():
            try:
                await asyncio.to_thread(self.deliver_due)
            except Unavailable as error:
                log.warning("deliveries_postponed", reason=error.reason)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1)

    def _claim(self) -> Row | None:
        row, now = self._row, self._clock.now()
        due = (row.state == "PENDING", row.not_before <= now)
        oldest = sa.select(row.uid).where(*due).order_by(row.not_before).limit(1).with_for_update(skip_locked=True)
        taken = sa.update(row).where(row.uid == oldest.scalar_subquery(), *due)
        taken = taken.values(attempt=row.attempt + 1, not_before=now + _LEASE)
        with self._db.transaction(system_scope("outbox")) as session:
            options = {"synchronize_session": False}
            return session.scalars(taken.returning(row), execution_options=options).one_or_none()

    def _post(self, event: Row) -> str | None:
        try:
            # The address that was checked is the one connected to: a second look-up could give another.
            address = public_address(event.url, allow_private=self._allow_private)
            url = httpx2.URL(event.url)
            headers = {"host": url.netloc.decode(), "content-type": "application/json"}
            headers |= sign(event.secret, event.uid, self._clock.now(), event.body)
            sni = {"sni_hostname": url.host}
            target = url.copy_with(host=address)
            with self._client.stream("POST", target, content=event.body, headers=headers, extensions=sni) as answer:
                return None if answer.is_success else f"HTTP {answer.status_code}"
        except (httpx2.HTTPError, WebhookUrlRefused) as error:
            return f"{type(error).__name__}: {error}"[:255]

    def _settle(self, event: Row, error: str | None) -> None:
        values: dict[str, Any] = {"state": "DELIVERED", "last_error": None}
        if error is not None:
            left = RETRIES_S[event.attempt - 1 :]
            values = {"state": "PENDING" if left and error != "HTTP 410" else "DEAD", "last_error": error}
            values["not_before"] = self._clock.now() + timedelta(seconds=left[0] if left else 0)
            log.warning("webhook_failed", event_id=event.uid, attempt=event.attempt, state=values["state"])
        held = sa.update(self._row).where(self._row.uid == event.uid, self._row.attempt == event.attempt)
        with self._db.transaction(system_scope("outbox")) as session:
            session.execute(held.values(values), execution_options={"synchronize_session": False})

    def close(self) -> None:
        """Close the HTTP client."""
        self._client.close()
