from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import context, tracing
from chassis.clock import Clock
from chassis.db import Database, Uid, UtcDateTime, system_scope
from chassis.errors import Aborted, AppError, Cancelled, Code, Unavailable
from chassis.logs import get_logger
from chassis.metrics import counter, gauge, histogram
from chassis.queue import Queue

log = get_logger(__name__)

QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED = "QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"
MAX_FAILURES, MAX_LOST_LEASES = 3, 10
_PATIENCE, _URGENT = timedelta(minutes=10), 10  # a job of lower priority that waited so long has this one
_CALLERS_FAULT = (Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION, Code.NOT_FOUND, Code.DATA_LOSS, Code.OUT_OF_RANGE)
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)


class LeaseLost(Aborted):
    """Another worker may have this job by now; what this one made must be dropped."""

    REASON = "LEASE_LOST"


class JobCancelled(Cancelled):
    """Somebody asked to cancel this job."""

    REASON = "JOB_CANCELLED"


class JobMixin:
    """Columns of a job: the row is the truth, and only the holder of its newest fence may change it."""

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(sa.String(64), index=True)
    principal: Mapped[str] = mapped_column(sa.String(255))
    state: Mapped[str] = mapped_column(sa.String(16), default=QUEUED, index=True)
    priority: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None] = mapped_column(sa.String(255))
    lease_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lost_leases: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    failure_signature: Mapped[str | None] = mapped_column(sa.String(255))
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)  # a failed job waits a little
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    progress_percent: Mapped[float] = mapped_column(default=0.0)
    stage: Mapped[str] = mapped_column(sa.String(64), default="")
    eta_s: Mapped[float | None]
    error_reason: Mapped[str | None] = mapped_column(sa.String(64))
    error_message: Mapped[str | None] = mapped_column(sa.Text)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)
    update_time: Mapped[datetime] = mapped_column(UtcDateTime)
    start_time: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_time: Mapped[datetime | None] = mapped_column(UtcDateTime)
    trace_parent: Mapped[str | None] = mapped_column(sa.String(64))
    request_id: Mapped[str | None] = mapped_column(sa.String(128))  # of the request that asked for it


Row = TypeVar("Row", bound=JobMixin)
_CLEAN: dict[str, Any] = dict.fromkeys(("failure_signature", "end_time", "not_before", "error_reason", "error_message"))
_CLEAN |= {"state": QUEUED, "failures": 0, "lost_leases": 0, "cancel_requested": False, "progress_percent": 0.0}
_IDLE = {"lease_owner": None, "lease_expires_at": None, "eta_s": None}


class Jobs(Generic[Row]):
    """The job rows of one table: enqueue, claim, keep, finish.

    Args:
        db: The service's database.
        row: The table, a class with JobMixin.
        clock: Where times come from.
        lease_s: Seconds that a worker's claim holds without a heartbeat.
        noun: What a job makes, as `separation`; labels metrics.
        queue: Where workers are woken, None to leave them polling.
        topic: Name of the queue, `<service>.<noun>s` when empty.
    """

    def __init__(
        self,
        db: Database,
        row: type[Row],
        clock: Clock,
        *,
        lease_s: float = 30,
        noun: str = "job",
        queue: Queue | None = None,
        topic: str = "",
    ) -> None:
        self.db, self.row, self.clock, self.lease_s, self.noun = db, row, clock, lease_s, noun
        self.queue, self.topic = queue, topic or f"{db.schema}.{noun}s"
        labels = ("noun", "engine", "state")
        prefix = f"tonewright_{db.schema}_job"
        self._waits = histogram(f"{prefix}_wait_seconds", "Time from creation to the first claim", labels, _SECONDS)
        self._runs = histogram(f"{prefix}_run_seconds", "Time from claim to the end of the run", labels, _SECONDS)
        self._depth = gauge(f"{prefix}_queue_items", "Jobs that wait for a worker", ("noun",))
        self._unfinished = gauge(f"{prefix}_unfinished_items", "Jobs that wait for a worker or run", ("noun",))
        self._oldest = gauge(f"{prefix}_oldest_wait_seconds", "How long the oldest job in the queue waits", ("noun",))
        self._lost = counter(f"{prefix}_lost_leases_total", "Leases that ran out under a worker", ("noun",))

    def enqueue(self, session: Session, row: Row) -> Row:
        """Add the row to the session and wake a worker once it is committed."""
        row.trace_parent = row.trace_parent or tracing.traceparent()
        row.request_id = row.request_id or context.request_id() or None
        session.add(row)
        self.db.after_commit(session, self.announce)
        return row

    def announce(self) -> None:
        """Wake a worker."""
        if self.queue is not None:
            self.queue.announce(self.topic)

    def claim(self, worker: str, *, idle: bool = True) -> Row | None:
        """The eligible row whose turn it is, now running under a new fence; None if there is none.

        First the highest priority (what waited long rises, unless a low one runs), then the artist with the fewest
        running rows, then the oldest. What lost a lease goes to an idle worker, and is passed for a lease's length.
        """
        row, now = self.row, self.clock.now()
        eligible = [row.state == QUEUED, sa.or_(row.not_before.is_(None), row.not_before <= now)]
        fits = sa.true() if idle else row.lost_leases == 0
        eligible.append(sa.or_(fits, row.update_time <= now - timedelta(seconds=self.lease_s)))
        running = sa.select(row.artist, sa.func.count().label("runs")).where(row.state == RUNNING).group_by(row.artist)
        busy = running.subquery()
        low = sa.select(row.uid).where(row.state == RUNNING, row.priority < _URGENT).correlate(None).exists()
        rises = sa.and_(row.priority < _URGENT, row.create_time <= now - _PATIENCE, ~low, fits)
        rank, runs = sa.case((rises, _URGENT), else_=row.priority), sa.func.coalesce(busy.c.runs, 0)
        oldest = sa.select(row.uid).outerjoin(busy, busy.c.artist == row.artist).where(*eligible).limit(1)
        oldest = oldest.order_by(rank.desc(), runs, row.create_time, row.uid).with_for_update(of=row, skip_locked=True)
        claimed = (
            sa.update(row)
            .where(row.uid == oldest.scalar_subquery(), row.state == QUEUED, fits)
            .values(
                state=RUNNING,
                fence=row.fence + 1,
                attempt=row.attempt + 1,
                lease_owner=worker,
                lease_expires_at=now + timedelta(seconds=self.lease_s),
                start_time=sa.func.coalesce(row.start_time, now, type_=UtcDateTime()),
                update_time=now,
            )
            .returning(row)
        )
        with self.db.transaction(system_scope("claim")) as session:
            found = session.scalars(claimed, execution_options={"synchronize_session": False}).one_or_none()
        if found is not None and found.attempt == 1:
            waited_s = (now - found.create_time).total_seconds()
            self._waits.labels(self.noun, self._engine(found), RUNNING).observe(max(0.0, waited_s))
        return found

    def heartbeat(
        self, uid: str, fence: int, *, percent: float = 0, stage: str = "", eta_s: float | None = None
    ) -> None:
        """Hold the lease for another while and show the progress.

        Raises:
            LeaseLost: The fence is no longer the newest, or the job is not running.
            JobCancelled: Somebody asked to cancel it.
        """
        now = self.clock.now()
        values: dict[str, Any] = {"lease_expires_at": now + timedelta(seconds=self.lease_s), "update_time": now}
        values |= {"progress_percent": percent, "stage": stage, "eta_s": eta_s}
        with self.db.transaction(system_scope("heartbeat")) as session:
            held = self._held(uid, fence).values(values).returning(self.row.cancel_requested)
            cancel = session.scalars(held, execution_options={"synchronize_session": False}).one_or_none()
        if cancel is None:
            raise LeaseLost(f"the lease on {self.noun} {uid} is lost")
        if cancel:
            raise JobCancelled(f"{self.noun} {uid} was cancelled")

    def finish(self, session: Session, uid: str, fence: int, **columns: Any) -> None:
        """Commit the result with the caller's transaction: SUCCEEDED with these columns, or LeaseLost."""
        now = self.clock.now()
        ended = {"state": SUCCEEDED, "progress_percent": 100.0, "end_time": now, "update_time": now}
        self._change(session, uid, fence, {**_IDLE, **ended, "error_reason": None, "error_message": None, **columns})

    def fail(self, uid: str, fence: int, error: BaseException) -> str:
        """The state after a run that raised: a caller's fault fails at once, the same error three times, too.

        What is unavailable is tried again without counting; a cancelled job is CANCELLED.
        """
        with self.db.transaction(system_scope("fail")) as session:
            row = session.scalars(sa.select(self.row).where(self.row.uid == uid).with_for_update()).one()
            values = self._after_failure(row, error)
            self._change(session, uid, fence, {**_IDLE, **values, "update_time": self.clock.now()})
        return str(values["state"])

    def release(self, uid: str, fence: int) -> None:
        """Hand the job back unfinished and uncounted, for another worker to begin again."""
        values = {**_IDLE, "state": QUEUED, "update_time": self.clock.now()}
        with self.db.transaction(system_scope("release")) as session:
            self._change(session, uid, fence, values)
            self.db.after_commit(session, self.announce)

    def request_cancel(self, session: Session, artist: str | None, uid: str) -> Row | None:
        """The row after the request: CANCELLED if it waited, soon to be if it runs, as it was if it had ended.

        None if there is no such row; `artist` None is for operators, in a system scope.
        """
        now, where = self.clock.now(), [self.row.uid == uid]
        if artist is not None:
            where.append(self.row.artist == artist)
        waiting = sa.update(self.row).where(*where, self.row.state == QUEUED)
        if not _count(session, waiting.values({**_IDLE, "state": CANCELLED, "end_time": now, "update_time": now})):
            running = sa.update(self.row).where(*where, self.row.state == RUNNING)
            _count(session, running.values(cancel_requested=True, update_time=now))
        found = sa.select(self.row).where(*where).execution_options(populate_existing=True)
        return session.scalars(found).one_or_none()

    def retry(self, session: Session, uid: str) -> bool:
        """Whether a FAILED or CANCELLED job was queued again with a clean record (for operators)."""
        ended = sa.update(self.row).where(self.row.uid == uid, self.row.state.in_((FAILED, CANCELLED)))
        self.db.after_commit(session, self.announce)
        return bool(_count(session, ended.values({**_CLEAN, "update_time": self.clock.now()})))

    def sweep(self) -> int:
        """Take back expired leases; gives the number of rows that wait for a worker."""
        row, now = self.row, self.clock.now()
        lost = [row.state == RUNNING, row.lease_expires_at < now]
        gone = {**_IDLE, "update_time": now, "lost_leases": row.lost_leases + 1}
        message = f"the worker was lost {MAX_LOST_LEASES} times while it ran this {self.noun}"
        dead = {**gone, "state": FAILED, "end_time": now, "error_reason": "WORKER_LOST", "error_message": message}
        with self.db.transaction(system_scope("sweep")) as session:
            cancelled = sa.update(row).where(*lost, row.cancel_requested)
            _count(session, cancelled.values({**gone, "state": CANCELLED, "end_time": now}))
            ended = _count(session, sa.update(row).where(*lost, row.lost_leases + 1 >= MAX_LOST_LEASES).values(dead))
            back = _count(session, sa.update(row).where(*lost).values({**gone, "state": QUEUED}))
        self._lost.labels(self.noun).inc(ended + back)
        if back:
            log.warning("leases_expired", noun=self.noun, count=back)
        return self.show()

    def count(self) -> tuple[int, int, datetime | None]:
        """How many rows are queued, how many are queued or running, and since when the oldest is queued."""
        row, queued = self.row, self.row.state == QUEUED
        counts = sa.func.count().filter(queued), sa.func.count(), sa.func.min(row.update_time).filter(queued)
        unfinished = sa.select(*counts).where(row.state.in_((QUEUED, RUNNING)))
        with self.db.transaction(system_scope("count"), write=False) as session:
            return session.execute(unfinished).one()

    def show(self) -> int:
        """Set the metrics, alike in every process; gives the number of rows that wait for a worker."""
        waiting, unfinished, since = self.count()
        self._depth.labels(self.noun).set(waiting)
        self._unfinished.labels(self.noun).set(unfinished)
        self._oldest.labels(self.noun).set(max(0.0, (self.clock.now() - since).total_seconds()) if since else 0.0)
        return waiting

    def observe_run(self, row: Row, state: str, run_s: float) -> None:
        """Count one run that ended in that state."""
        self._runs.labels(self.noun, self._engine(row), state).observe(run_s)

    def _engine(self, row: Row) -> str:
        return str(getattr(row, "engine", ""))

    def _held(self, uid: str, fence: int) -> sa.Update:
        return sa.update(self.row).where(self.row.uid == uid, self.row.fence == fence, self.row.state == RUNNING)

    def _change(self, session: Session, uid: str, fence: int, values: dict[str, Any]) -> None:
        if not _count(session, self._held(uid, fence).values(values)):
            raise LeaseLost(f"the lease on {self.noun} {uid} is lost")

    def _after_failure(self, row: Row, error: BaseException) -> dict[str, Any]:
        now = self.clock.now()
        if isinstance(error, JobCancelled):
            return {"state": CANCELLED, "end_time": now}
        reason = error.reason if isinstance(error, AppError) else "INTERNAL"
        message = error.message if isinstance(error, AppError) else f"the {self.noun} failed; the log has the details"
        told = {"error_reason": reason, "error_message": message}
        if isinstance(error, Unavailable):
            return {**told, "state": QUEUED, "not_before": now + timedelta(seconds=error.retry_after_s or 2)}
        signature = f"{type(error).__module__}.{type(error).__qualname__}:{reason}"[:255]
        failures = row.failures + 1 if row.failure_signature == signature else 1
        counted = {**told, "failures": failures, "failure_signature": signature}
        if failures >= MAX_FAILURES or (isinstance(error, AppError) and error.CODE in _CALLERS_FAULT):
            return {**counted, "state": FAILED, "end_time": now}
        return {**counted, "state": QUEUED, "not_before": now + timedelta(seconds=2 ** (failures - 1))}


def _count(session: Session, change: sa.Update) -> int:
    result = session.execute(change, execution_options={"synchronize_session": False})
    return int(result.rowcount)  # type: ignore[attr-defined]
