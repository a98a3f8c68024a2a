"""Tickets: what opens a socket, once and for a short time."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.errors import Unauthenticated

TICKET_LIFE = timedelta(seconds=60)
RESUME_LIFE = timedelta(hours=1)
# A server that goes away may take a resume token and end before the client has the next one.
RESUME_REPEAT = timedelta(seconds=60)


class TicketInvalid(Unauthenticated):
    """The ticket is unknown, used or too old."""

    REASON = "TICKET_INVALID"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the database knows of a ticket; the secret itself is with the client alone."""

    digest: str
    artist: str
    performance: str  # uid
    principal: str
    expire_time: datetime


def new_secret(kind: str) -> str:
    """A fresh secret that says what it is: `ticket` or `resume`."""
    return f"tw{kind[0]}_{secrets.token_urlsafe(32)}"


def repeat_of(secret: str) -> timedelta:
    """How long after its first use a secret still opens the socket."""
    return RESUME_REPEAT if secret.startswith("twr_") else timedelta()


def digest_of(secret: str) -> str:
    """The form in which a secret is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()
