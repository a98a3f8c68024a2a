"""Takes runs from their wish to their end at a provider: once each, whatever fails on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from chassis.clock import Clock
from chassis.errors import EtagMismatch
from chassis.logs import get_logger
from services.datasets.domain.provider_failures import SubmissionFailed
from services.datasets.domain.provider_runs import (
    Patience,
    ProviderAway,
    ProviderRefused,
    ProviderRun,
    ProviderThrottled,
    ProviderUnsure,
    RunState,
    Told,
    ended,
    missed,
)
from services.datasets.domain.training_ports import RunStore

log = get_logger(__name__)
RunT = TypeVar("RunT", bound=ProviderRun)
_CHANGES = 50  # a run has few who change it at once
# Looks at the provider's list while a submission is in doubt.
_LOOKS = 6


class Kind(Protocol[RunT]):
    """What is particular to one kind of run."""

    noun: str

    def prepare(self, run: RunT) -> RunT:
        """The run with all that it needs checked and looked up, before it is handed over."""
        ...

    def start(self, run: RunT) -> Told:
        """Hand it over."""
        ...

    def find(self, run: RunT) -> Told | None:
        """What the provider may have made of an earlier try."""
        ...

    def look(self, run: RunT) -> Told | None:
        """How it stands; None if the provider does not know it."""
        ...

    def stop(self, run: RunT) -> Told | None:
        """How it stands after the wish to stop it; None if the provider does not know it."""
        ...

    def told(self, run: RunT, told: Told, now: datetime) -> RunT:
        """The run after the provider's news."""
        ...

    def finish(self, run: RunT) -> RunT | None:
        """The run after work of ours that its news asked for; None if there is none."""
        ...

    def counted(self, outcome: str) -> None:
        """Count one submission that came to this."""
        ...

    def has_ended(self, run: RunT) -> None:
        """Count one end."""
        ...


def changed(store: RunStore[RunT], run: RunT, change: Callable[[RunT], RunT | None]) -> RunT:
    """The run after a change of what it is now; None from `change` leaves it. Who comes second looks again."""
    current = run
    for _ in range(_CHANGES):
        after = change(current)
        if after is None or after == current:
            return current
        try:
            return store.replace(current, after)
        except EtagMismatch:
            current = store.get(run.artist, run.uid)
    raise EtagMismatch(f"run {run.uid} changes faster than it can be written; repeat the request")


def cancel_wish(run: RunT, now: datetime) -> RunT | None:
    """The run after somebody wants it stopped: at once if it was never handed over, else by the provider."""
    if run.state.is_final:
        return None
    if run.state is RunState.SUBMITTING and run.attempt_time is None and not run.provider_id:
        return ended(replace(run, cancel_requested=True), RunState.CANCELLED, now)
    return replace(run, cancel_requested=True, check_time=now, update_time=now)


class Course(Generic[RunT]):
    """Looks after the runs of one kind; one process at a time, and every change is compared and set."""

    def __init__(self, store: RunStore[RunT], kind: Kind[RunT], clock: Clock, patience: Patience) -> None:
        self._store, self._kind, self._clock, self._patience = store, kind, clock, patience

    def due(self, limit: int) -> list[RunT]:
        """Runs that want to be looked at now."""
        return self._store.due(self._clock.now(), limit)

    def step(self, run: RunT) -> RunT:
        """The run after the next thing there is to do for it."""
        try:
            if run.is_in_doubt:
                after = self._resolve(run)
            elif run.state is RunState.SUBMITTING:
                after = self._submit(run)
            else:
                after = self._follow(run)
        except (ProviderAway, ProviderUnsure, ProviderRefused) as error:
            # A refusal here, as of a token that was taken back, ends nothing: the run may go on there.
            after = self._later(run, error)
        except EtagMismatch:
            return run  # somebody else was faster; it is looked at again
        if after.state.is_final and not run.state.is_final:
            log.info("provider_run_ended", noun=self._kind.noun, run=run.uid, state=after.state.value)
        return after

    def hear(self, run: RunT, told: Told) -> RunT:
        """The run after news of the provider; what is no news changes nothing."""
        return self._change(run, lambda now_kept: self._kind.told(now_kept, told, self._clock.now()))

    def _submit(self, run: RunT) -> RunT:
        if run.cancel_requested:
            return self._change(run, lambda kept: cancel_wish(kept, self._clock.now()))
        try:
            ready = self._kind.prepare(run)
        except ProviderRefused as refused:
            return self._fail(run, refused)
        now = self._clock.now()
        # From here on the provider may have it: this is kept before a single byte is sent.
        begun = self._store.replace(
            run, replace(ready, attempt_time=now, attempts=run.attempts + 1, update_time=now, check_time=now)
        )
        return self._hand_over(begun)

    def _hand_over(self, begun: RunT) -> RunT:
        try:
            told = self._kind.start(begun)
        except ProviderThrottled as throttled:
            self._kind.counted("throttled")
            return self._not_taken(begun, throttled.retry_after_s)
        except ProviderAway:
            self._kind.counted("away")
            return self._not_taken(begun, self._patience.poll_s(begun.attempts))
        except ProviderRefused as refused:
            self._kind.counted("refused")
            return self._fail(begun, refused)
        except ProviderUnsure as unsure:
            self._kind.counted("unsure")
            log.warning("submission_in_doubt", noun=self._kind.noun, run=begun.uid, fault=str(unsure)[:200])
            now = self._clock.now()
            # The wait begins with the end of the try: what was sent last may still be on its way.
            return self._change(begun, lambda kept: self._in_doubt(kept, now) if kept.is_in_doubt else None)
        self._kind.counted("taken")
        return self.hear(begun, told)

    def _in_doubt(self, run: RunT, now: datetime) -> RunT:
        wait = timedelta(seconds=self._patience.doubt_s / _LOOKS)
        return replace(run, attempt_time=now, check_time=now + wait, update_time=now)

    def _not_taken(self, run: RunT, wait_s: float) -> RunT:
        now = self._clock.now()

        def back(kept: RunT) -> RunT | None:
            if not kept.is_in_doubt:
                return None
            return replace(kept, attempt_time=None, check_time=now + timedelta(seconds=wait_s), update_time=now)

        return self._change(run, back)

    def _resolve(self, run: RunT) -> RunT:
        """Look whether the provider took it; only when that is answered long after, it is handed over again."""
        asked = self._clock.now()
        found = self._kind.find(run)
        if found is not None:
            self._kind.counted("found")
            log.info("submission_found", noun=self._kind.noun, run=run.uid, provider_id=found.id)
            return self.hear(run, found)
        assert run.attempt_time is not None
        if (asked - run.attempt_time).total_seconds() < self._patience.doubt_s:
            wait = timedelta(seconds=self._patience.doubt_s / _LOOKS)
            return self._change(run, lambda kept: replace(kept, check_time=asked + wait) if kept.is_in_doubt else None)
        return self._change(run, lambda kept: self._untaken(kept, asked) if kept.is_in_doubt else None)

    def _untaken(self, run: RunT, now: datetime) -> RunT:
        if run.cancel_requested:
            return ended(run, RunState.CANCELLED, now)
        if run.attempts >= self._patience.max_attempts:
            text = f"the provider took none of {run.attempts} submissions; look at its status page, then start again"
            return ended(run, RunState.FAILED, now, SubmissionFailed(text))
        return replace(run, attempt_time=None, check_time=now, update_time=now)

    def _follow(self, run: RunT) -> RunT:
        finished = self._kind.finish(run)
        if finished is not None:
            return self._change(run, lambda kept: finished if kept.revision == run.revision else None)
        told = self._kind.stop(run) if run.cancel_requested else self._kind.look(run)
        if told is None:
            now = self._clock.now()
            return self._change(run, lambda kept: missed(kept, now, self._patience, noun=self._kind.noun))
        return self.hear(run, told)

    def _later(self, run: RunT, error: Exception) -> RunT:
        log.warning("provider_away", noun=self._kind.noun, run=run.uid, fault=str(error)[:200])
        wait_s = self._patience.poll_s(run.checks)
        if isinstance(error, ProviderThrottled):
            wait_s = max(wait_s, error.retry_after_s)
        now = self._clock.now()
        return self._change(
            run, lambda kept: replace(kept, check_time=now + timedelta(seconds=wait_s), checks=kept.checks + 1)
        )

    def _fail(self, run: RunT, refused: ProviderRefused) -> RunT:
        now = self._clock.now()
        return self._change(run, lambda kept: ended(kept, RunState.FAILED, now, refused.error))

    def _change(self, run: RunT, change: Callable[[RunT], RunT | None]) -> RunT:
        was_open = True

        def guarded(kept: RunT) -> RunT | None:
            nonlocal was_open
            was_open = not kept.state.is_final
            return change(kept) if was_open else None

        after = changed(self._store, run, guarded)
        if was_open and after.state.is_final:
            self._kind.has_ended(after)
        return after
