"""Who is calling and on whose behalf, for the length of a request, a job or a performance."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from chassis.errors import Unauthenticated


class Role(enum.StrEnum):
    """What a principal may do at an artist; each role includes those below it."""

    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"

    def allows(self, needed: Role) -> bool:
        """Whether this role includes the needed one."""
        ranks = list(Role)
        return ranks.index(self) <= ranks.index(needed)


@dataclass(frozen=True, slots=True)
class Caller:
    """The calling service and the person it acts for, at one artist."""

    service: str
    principal: str
    artist: str  # "-" when the call concerns no single artist
    role: Role
    operator: bool = False


@dataclass(slots=True)
class ResponseFlags:
    """What a response says beside its message."""

    replayed: bool = False
    is_served: bool = False  # of a response this process gives; what its peers answer does not colour it


_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)
_request_id: ContextVar[str] = ContextVar("request_id", default="")
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
_flags: ContextVar[ResponseFlags | None] = ContextVar("response_flags", default=None)


def caller() -> Caller:
    """The current caller; raises `Unauthenticated` where there is none."""
    found = _caller.get()
    if found is None:
        raise Unauthenticated("no caller is known here; wrap the work in `acting_as(...)`")
    return found


@contextmanager
def acting_as(caller: Caller) -> Iterator[None]:
    """Do the work inside on behalf of the caller."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)


def request_id() -> str:
    """The id of the current request, empty outside of one."""
    return _request_id.get()


@contextmanager
def in_request(
    request_id: str | None = None, *, deadline: float | None = None, is_served: bool = False
) -> Iterator[ResponseFlags]:
    """Run as one request: its id goes into logs and calls, its deadline bounds calls, its response flags are its own.

    Args:
        request_id: As the caller sent it; a fresh one when empty.
        deadline: On the monotonic clock of the event loop, seconds.
        is_served: Whether the flags go out with a response of this process.
    """
    flags = ResponseFlags(is_served=is_served)
    tokens = _request_id.set(request_id or uuid.uuid4().hex), _flags.set(flags), _deadline.set(deadline)
    try:
        yield flags
    finally:
        _request_id.reset(tokens[0])
        _flags.reset(tokens[1])
        _deadline.reset(tokens[2])


def deadline() -> float | None:
    """When the current request's time is up, on the monotonic clock."""
    return _deadline.get()


def response_flags() -> ResponseFlags:
    """Flags of the current response; in a client, of the calls made in this context."""
    found = _flags.get()
    if found is None:
        found = ResponseFlags()
        _flags.set(found)
    return found


def mark_replayed() -> None:
    """Say that the response repeats the result of an earlier request."""
    response_flags().replayed = True
