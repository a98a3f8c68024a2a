from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis import context, tracing
from chassis.db import artist_scope, etag_of
from chassis.errors import InvalidArgument
from chassis.ids import new_uid
from chassis.jobs import JobMixin, JobRunner, Jobs, Progress
from chassis.objects import open_store
from chassis.paging import page_size
from chassis.testing import FakeClock
from chassis.testing.data import sqlite_database


class Base(DeclarativeBase):
    pass


class Take(JobMixin, Base):
    __tablename__ = "takes"

    name: Mapped[str | None] = mapped_column(sa.String(10))


def test_etags_differ_with_their_parts() -> None:
    assert etag_of("a", 1) == etag_of("a", 1)
    assert len({etag_of("a", 1), etag_of("a", "1"), etag_of("a1"), etag_of("a", 1, None)}) == 4


def test_page_sizes_have_a_default_and_an_end() -> None:
    assert [page_size(size) for size in (0, 1, 1000, 5000)] == [50, 1, 1000, 1000]
    with pytest.raises(InvalidArgument):
        page_size(-1)


@pytest.mark.parametrize("url", ["http://x", "s3://", "gs://bucket"])
def test_an_unknown_store_url_is_named(url: str) -> None:
    with pytest.raises(ValueError, match="file:///"):
        open_store(url)


def test_a_job_that_lost_a_lease_runs_alone(tmp_path: Path) -> None:
    db, clock = sqlite_database(tmp_path, Base), FakeClock()
    jobs = Jobs(db, Take, clock, noun="take")
    running: list[Progress[Take]] = []
    runner = JobRunner(jobs, lambda _row, progress: running.append(progress), slots=4)
    now = clock.now()
    with db.transaction(artist_scope("a")) as session:
        for lost in (0, 1, 0):
            facts = {"artist": "a", "principal": "p", "create_time": now, "update_time": now, "lost_leases": lost}
            jobs.enqueue(session, Take(uid=new_uid(), **facts))

    runner._spawn = lambda *_args: None  # type: ignore[method-assign]
    runner._run = lambda run: None  # type: ignore[method-assign]

    assert [runner._claim_one() for _ in range(3)] == [True, True, False]
    runner._runs.clear()
    assert [runner._claim_one() for _ in range(2)] == [True, False]
    assert [run.row.lost_leases for run in runner._runs.values()] == [1]
    db.close()


def test_a_job_runs_in_the_trace_and_under_the_request_id_of_who_asked(tmp_path: Path) -> None:
    db, clock = sqlite_database(tmp_path, Base), FakeClock()
    jobs = Jobs(db, Take, clock, noun="take")
    met: list[tuple[str, str]] = []
    now = clock.now()
    facts = {"artist": "a", "principal": "p", "create_time": now, "update_time": now}

    def handle(row: Take, progress: Progress[Take]) -> None:
        here = tracing.current()
        met.append((context.request_id(), here.trace_id if here else ""))
        with db.transaction(artist_scope("a")) as session:
            jobs.finish(session, row.uid, progress.fence)

    with context.in_request("asked-1"), tracing.span("ask") as asked, db.transaction(artist_scope("a")) as session:
        jobs.enqueue(session, Take(uid=new_uid(), **facts))
    row = jobs.claim("worker")
    assert row is not None

    JobRunner(jobs, handle)._run(Progress(row))

    assert met == [("asked-1", asked.trace_id)]
    db.close()
