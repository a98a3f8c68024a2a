"""Work that a provider does for us and bills: where it stands, what the provider tells of it, what can go wrong."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from chassis.errors import AppError
from services.datasets.domain.provider_failures import ProviderLostRun

LOG_TAIL_BYTES = 16 << 10
# One answer that does not know a run may come from a lagging copy, or to a token of another account.
MISSES_UNTIL_LOST = 3


class ProviderAway(Exception):
    """No connection came about: the provider has certainly not seen the request."""


class ProviderThrottled(ProviderAway):
    """The provider took nothing and wants to be asked again later."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ProviderUnsure(Exception):
    """The request was sent and the answer is missing or says nothing: the provider may have taken it or not."""


class ProviderRefused(Exception):
    """The provider understood the request and will not do it, or what it names cannot be used."""

    def __init__(self, error: AppError) -> None:
        super().__init__(error.message)
        self.error = error


class RunState(enum.StrEnum):
    """Where a run stands; it only moves forward."""

    SUBMITTING = "SUBMITTING"  # kept here; the provider may have taken it or not
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    LOST = "LOST"

    @property
    def is_final(self) -> bool:
        """Whether it will not change any more."""
        return self not in (RunState.SUBMITTING, RunState.QUEUED, RunState.RUNNING)

    @property
    def rank(self) -> int:
        """Grows on the way from submission to an end."""
        return min(list(RunState).index(self), 3)


# The provider's words; `aborted` is a deadline that passed before the start.
STATES = {
    "starting": RunState.QUEUED,
    "processing": RunState.RUNNING,
    "succeeded": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
    "canceled": RunState.CANCELLED,
    "aborted": RunState.FAILED,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider says of one run.

    Attributes:
        id: The provider's id.
        status: The provider's word.
        input: What it was given.
        output: What came of it; None before.
        error: Why it failed.
        logs: All it has written.
        predict_time_s: Seconds that are billed; 0 while unknown.
        create_time: When the provider took it.
        start_time: When it began to compute.
    """

    id: str
    status: str
    input: Mapping[str, Any] = field(default_factory=dict)
    output: Any = None
    error: str = ""
    logs: str = ""
    predict_time_s: float = 0.0
    create_time: datetime | None = None
    start_time: datetime | None = None

    @property
    def state(self) -> RunState:
        """Where it stands in our words; an unknown word is work going on."""
        return STATES.get(self.status, RunState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRun:
    """A run as it is kept.

    Attributes:
        provider_id: The provider's id; empty until it is known to have one.
        attempt_time: Since when it is unclear whether the provider took it; None before a submission and after.
        attempts: Submissions so far.
        cancel_requested: Whether somebody wants it stopped.
        check_time: When the loop looks at it next.
        checks: Looks at it in its present status; they become rarer.
        misses: Answers in a row that did not know it.
        news_time: When the provider last told anything.
        revision: Grows with every change; changes are compared and set.
    """

    artist: str
    uid: str
    principal: str
    create_time: datetime
    update_time: datetime
    check_time: datetime
    webhook_url: str = ""
    state: RunState = RunState.SUBMITTING
    provider_status: str = ""
    provider_id: str = ""
    attempt_time: datetime | None = None
    attempts: int = 0
    cancel_requested: bool = False
    checks: int = 0
    misses: int = 0
    news_time: datetime | None = None
    end_time: datetime | None = None
    error_reason: str = ""
    error_message: str = ""
    revision: int = 1

    @property
    def is_in_doubt(self) -> bool:
        """Whether the provider may have taken it without our knowing its id."""
        return self.state is RunState.SUBMITTING and self.attempt_time is not None and not self.provider_id

    @property
    def etag(self) -> str:
        """Changes with every change."""
        return f"{self.revision}-{self.uid[-12:]}"


Run = TypeVar("Run", bound=ProviderRun)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the loop waits for what.

    Attributes:
        doubt_s: From an unclear submission until the provider's list is believed that it was not taken.
        poll_min_s: Between the first looks at a run.
        poll_max_s: Between later ones.
        max_attempts: Submissions that came to nothing before a run has failed.
        lost_s: Without news, until a run that the provider does not know is lost.
    """

    doubt_s: float = 120.0
    poll_min_s: float = 5.0
    poll_max_s: float = 60.0
    max_attempts: int = 5
    lost_s: float = 600.0

    def poll_s(self, checks: int) -> float:
        """Wait before the next look after so many."""
        return min(self.poll_max_s, self.poll_min_s * 2.0 ** min(checks, 16))


def ended(run: Run, state: RunState, now: datetime, error: AppError | None = None) -> Run:
    """The run at its end, with the error of one that failed."""
    return replace(
        run,
        state=state,
        end_time=now,
        update_time=now,
        attempt_time=None,
        error_reason=error.reason if error else "",
        error_message=error.message[:2000] if error else "",
    )


def heard(run: Run, told: Told, now: datetime, patience: Patience) -> Run:
    """The run after news: its id, status and state, never backwards; the caller adds what is its own."""
    state = told.state if told.state.rank > run.state.rank else run.state
    checks = 0 if told.status != run.provider_status else run.checks + 1
    known = told.state.rank >= run.state.rank
    return replace(
        run,
        provider_id=told.id,
        provider_status=told.status if known else run.provider_status,
        state=state,
        attempt_time=None,
        checks=checks,
        misses=0,
        news_time=now,
        check_time=now + timedelta(seconds=patience.poll_s(checks)),
        update_time=now,
    )


def missed(run: Run, now: datetime, patience: Patience, *, noun: str) -> Run:
    """The run after an answer that did not know it: lost after some of them and some time."""
    silence_s = (now - (run.news_time or run.create_time)).total_seconds()
    if run.misses + 1 >= MISSES_UNTIL_LOST and silence_s >= patience.lost_s:
        text = f"the provider does not know {run.provider_id} any more; look at its website, then start another {noun}"
        return ended(replace(run, misses=run.misses + 1), RunState.LOST, now, ProviderLostRun(text))
    wait = timedelta(seconds=patience.poll_s(run.misses))
    return replace(run, misses=run.misses + 1, check_time=now + wait, update_time=now)


def tail(text: str, limit: int = LOG_TAIL_BYTES) -> str:
    """The end of a text in at most so many bytes of UTF-8, from the beginning of a line where there is one."""
    encoded = text.replace("\x00", "").encode()
    if len(encoded) <= limit:
        return encoded.decode()
    cut = encoded[-limit:].decode(errors="ignore")
    head, newline, rest = cut.partition("\n")
    return rest if newline and rest else head
