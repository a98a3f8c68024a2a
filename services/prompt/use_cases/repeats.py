"""Requests that may come twice."""

from __future__ import annotations

import json
from typing import Any

from chassis.context import Caller
from services.prompt.domain.ports import Store


def fingerprint(*parts: Any) -> str:
    """The text that tells two bodies of a request apart."""
    return json.dumps(parts, default=str, sort_keys=True)


def already_made(store: Store, caller: Caller, method: str, request_id: str, body: str) -> str | None:
    """The name that an earlier request with this id made; None for a new one, of which nothing is kept yet.

    Raises:
        RequestIdReused: The same id came with another body.
    """
    try:
        with store.of_artist(caller.artist) as transaction:
            known = transaction.once(caller, method, request_id, body, "")
            if known is None:
                raise _NewRequest
            return known
    except _NewRequest:
        return None


class _NewRequest(Exception):
    """Rolls the look-up back: the request is kept together with what it makes."""
