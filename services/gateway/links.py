"""Signed links and event tickets: short-lived rights to one thing, for clients that can send no headers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chassis.clock import Clock
from chassis.context import Caller, Role
from services.gateway.errors import LinkExpired, LinkUnknown, TicketInvalid

_ALGORITHM = "HS256"
_LINK, _TICKET = "link", "ticket"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a link or ticket allows: reading one thing as the person who made it."""

    target: str  # a resource name for links, a path for tickets
    caller: Caller


class Signer:
    """Makes and checks links and tickets.

    Args:
        secret: What the key is derived from, the same in every gateway of an installation.
        clock: Source of time.
    """

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._key = HKDF(SHA256(), 32, salt=None, info=b"tonewright gateway links").derive(secret)
        self._clock = clock

    def link(self, target: str, caller: Caller, ttl_s: int) -> str:
        """A token that reads `target` until its time is over."""
        return self._sign(_LINK, target, caller, ttl_s)

    def ticket(self, path: str, caller: Caller, ttl_s: int) -> str:
        """A token that opens the event stream at `path` until its time is over."""
        return self._sign(_TICKET, path, caller, ttl_s)

    def open_link(self, token: str) -> Grant:
        """What a link allows.

        Raises:
            LinkExpired: Its time is over.
            LinkUnknown: We did not make it.
        """
        try:
            claims = self._check(_LINK, token)
        except jwt.ExpiredSignatureError as error:
            raise LinkExpired("this link has expired; ask for a new one") from error
        except jwt.PyJWTError as error:
            raise LinkUnknown("this link is not one of ours or was changed; ask for a new one") from error
        return _grant(claims)

    def open_ticket(self, token: str, path: str) -> Grant:
        """What a ticket allows at this path.

        Raises:
            TicketInvalid: It is expired, not ours, or for another path.
        """
        try:
            grant = _grant(self._check(_TICKET, token))
        except jwt.PyJWTError as error:
            raise TicketInvalid("the ticket is expired or not one of ours; ask for a new one") from error
        if grant.target != path:
            raise TicketInvalid("the ticket is for another stream; ask for one of this stream")
        return grant

    def _sign(self, use: str, target: str, caller: Caller, ttl_s: int) -> str:
        claims = {
            "use": use,
            "tgt": target,
            "sub": caller.principal,
            "art": caller.artist,
            "exp": self._clock.now() + timedelta(seconds=ttl_s),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def _check(self, use: str, token: str) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            self._key,
            algorithms=[_ALGORITHM],
            options={"require": ["exp", "use", "tgt", "sub", "art"], "verify_exp": False},
        )
        if claims["use"] != use:
            raise jwt.InvalidTokenError(use)
        # Checked here and not by the library, so that time comes from our clock.
        if float(claims["exp"]) <= self._clock.now().timestamp():
            raise jwt.ExpiredSignatureError
        return claims


def _grant(claims: dict[str, Any]) -> Grant:
    caller = Caller(service="gateway", principal=str(claims["sub"]), artist=str(claims["art"]), role=Role.VIEWER)
    return Grant(target=str(claims["tgt"]), caller=caller)
