import contextlib
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from chassis import context, logs, tracing
from chassis.errors import Internal, Unavailable
from chassis.jobs.rows import CANCELLED, FAILED, RUNNING, SUCCEEDED, JobCancelled, JobMixin, Jobs, LeaseLost
from chassis.queue import Queue

log = logs.get_logger(__name__)

Row = TypeVar("Row", bound=JobMixin)
_TICK_S = 0.25  # how soon progress and cancellation are seen


class Progress(Generic[Row]):
    """How far one run is; the runner shows it to callers and keeps the lease alive from its own thread."""

    def __init__(self, row: Row) -> None:
        self.uid, self.fence, self.row = row.uid, row.fence, row
        self.percent, self.stage, self.eta_s = 0.0, "", None
        self.interrupt: Exception | None = None
        self.is_fresh = False
        self.beaten_at_s = time.monotonic()

    eta_s: float | None

    def report(self, percent: float, stage: str = "", eta_s: float | None = None) -> None:
        """Note the progress; raises JobCancelled or LeaseLost when the run must end. Call it often, it is cheap."""
        self.percent, self.stage, self.eta_s, self.is_fresh = percent, stage or self.stage, eta_s, True
        self.check()

    def check(self) -> None:
        """Nothing, or JobCancelled or LeaseLost when the run must end."""
        if self.interrupt is not None:
            raise self.interrupt


class JobRunner(Generic[Row]):
    """Runs the jobs of one table in threads of this process: a message wakes it, and it polls besides.

    Args:
        jobs: The rows.
        handle: Does the work and commits it with `jobs.finish`; it may be run again after any failure.
        slots: Jobs that run at once.
        poll_s: Seconds between looks at the rows without a message.
        queue: Where messages come from, None to poll only.
        topic: Name of the queue; that of `jobs` when empty.
    """

    def __init__(
        self,
        jobs: Jobs[Row],
        handle: Callable[[Row, Progress[Row]], None],
        *,
        slots: int = 2,
        poll_s: float = 5,
        queue: Queue | None = None,
        topic: str = "",
    ) -> None:
        self._jobs, self._handle, self._slots, self._poll_s = jobs, handle, slots, poll_s
        self._queue, self._topic = queue, topic or jobs.topic
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._runs: dict[str, Progress[Row]] = {}
        self._lock = threading.Lock()
        self._wake, self._stop, self._closed = threading.Event(), threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self.idle = threading.Event()

    def start(self) -> None:
        """Begin to claim and run jobs."""
        self._spawn("claim", self._claim_all)
        self._spawn("heartbeat", self._keep_leases)
        if self._queue is not None:
            queue = self._queue
            self._spawn("listen", lambda: queue.listen([self._topic], self._wake.set, self._stop))

    def stop(self, grace_s: float) -> None:
        """Claim no more, give running jobs the time to end, then hand the rest back."""
        self._stop.set()
        self._wake.set()
        for thread in self._threads[:1]:
            thread.join(timeout=1)  # a claim that is on its way must be seen below
        end = time.monotonic() + grace_s
        while self._runs and time.monotonic() < end:
            time.sleep(0.02)
        for run in list(self._runs.values()):
            run.interrupt = LeaseLost("the worker stops")
            with contextlib.suppress(LeaseLost, Unavailable):
                self._jobs.release(run.uid, run.fence)
        self._closed.set()
        for thread in self._threads:
            thread.join(timeout=1)

    def run_until_idle(self, timeout_s: float) -> bool:
        """Whether no job waits and none runs here, in time; for `--exit-when-idle` and tests."""
        return self.idle.wait(timeout_s)

    def _spawn(self, name: str, target: Callable[[], None]) -> None:
        # Daemons: a handler that hangs in foreign code must not keep a stopped process alive.
        thread = threading.Thread(target=target, name=f"{self._jobs.noun}-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _claim_all(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                while not self._stop.is_set() and self._claim_one():
                    pass
                if not self._runs and not self._jobs.count()[0]:
                    self.idle.set()
            except Unavailable as error:
                log.warning("claim_postponed", noun=self._jobs.noun, reason=error.reason)
            except Exception:
                log.exception("claim_failed", noun=self._jobs.noun)
            self._wake.wait(self._poll_s)

    def _claim_one(self) -> bool:
        runs = list(self._runs.values())
        # A job that lost a lease may take its worker down, so nothing else is put at risk beside it.
        if len(runs) >= self._slots or any(run.row.lost_leases for run in runs):
            return False
        row = self._jobs.claim(self._worker, idle=not runs)
        if row is None:
            return False
        self.idle.clear()
        run = Progress(row)
        with self._lock:
            self._runs[row.uid] = run
        threading.Thread(target=self._run, args=(run,), name=f"{self._jobs.noun}-{row.uid[-8:]}", daemon=True).start()
        return True

    def _run(self, run: Progress[Row]) -> None:
        with self._acting_for(run.row):
            began_s = time.monotonic()
            state = RUNNING
            try:
                state = self._outcome(run)
            except LeaseLost:
                log.warning("job_lease_lost", job=run.uid)
            except Unavailable as error:  # the row stays RUNNING; the sweeper takes it back
                log.warning("job_outcome_unsaved", job=run.uid, reason=error.reason)
            except Exception:
                log.exception("job_outcome_unsaved", job=run.uid)
            finally:
                with self._lock:
                    self._runs.pop(run.uid, None)
                run_s = time.monotonic() - began_s
                self._jobs.observe_run(run.row, state, run_s)
                facts = {"noun": self._jobs.noun, "state": state, "attempt": run.row.attempt, "run_s": run_s}
                log.info("job_run", job=run.uid, **facts)
                self._wake.set()

    def _outcome(self, run: Progress[Row]) -> str:
        try:
            self._handle(run.row, run)
        except LeaseLost:
            raise
        except Exception as error:
            state = self._jobs.fail(run.uid, run.fence, error)
            if state not in (CANCELLED,) and not isinstance(error, JobCancelled):
                level = log.error if state == FAILED else log.warning
                level("job_failed", job=run.uid, state=state, exc_info=error)
            return state
        with contextlib.suppress(LeaseLost):
            return self._jobs.fail(run.uid, run.fence, Internal("the handler ended without a result"))
        return SUCCEEDED

    @contextlib.contextmanager
    def _acting_for(self, row: Row) -> Iterator[None]:
        service = self._jobs.db.schema
        caller = context.Caller(service=service, principal=row.principal, artist=row.artist, role=context.Role.EDITOR)
        name = f"{service}.{self._jobs.noun}"
        request, span = context.in_request(row.request_id), tracing.span(name, row.trace_parent)
        with context.acting_as(caller), request, span:
            yield

    def _keep_leases(self) -> None:
        while not self._closed.wait(_TICK_S):
            for run in list(self._runs.values()):
                due = time.monotonic() - run.beaten_at_s >= self._jobs.lease_s / 3
                if (run.is_fresh or due) and run.interrupt is None:
                    self._beat(run)

    def _beat(self, run: Progress[Row]) -> None:
        run.is_fresh = False
        try:
            self._jobs.heartbeat(run.uid, run.fence, percent=run.percent, stage=run.stage, eta_s=run.eta_s)
            run.beaten_at_s = time.monotonic()
        except (LeaseLost, JobCancelled) as error:
            run.interrupt = error
        except Exception as error:
            if time.monotonic() - run.beaten_at_s > self._jobs.lease_s:
                run.interrupt = LeaseLost(f"no heartbeat of {run.uid} for {self._jobs.lease_s} s")
            log.warning("heartbeat_failed", job=run.uid, error=type(error).__name__)
