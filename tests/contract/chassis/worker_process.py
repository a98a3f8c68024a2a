"""A worker for kill tests: `python worker_process.py OWNER_URL APP_URL BROKER_URL LEASE_S`."""

from __future__ import annotations

import sys
import threading
import time

from chassis.clock import SystemClock
from chassis.db import artist_scope
from chassis.jobs import JobRunner, Progress
from chassis.queue import Queue
from tests.contract.chassis.world import Effect, Place, Separation, jobs_of


def main(owner_url: str, app_url: str, broker_url: str, lease_s: str) -> None:
    db, queue = Place(owner_url, app_url).open(), Queue(broker_url)
    jobs = jobs_of(db, SystemClock(), lease_s=float(lease_s), queue=queue)

    def handle(row: Separation, progress: Progress[Separation]) -> None:
        for step in range(10):
            progress.report(step * 10, "work")
            time.sleep(0.05)
        with db.transaction(artist_scope(row.artist)) as session:
            session.add(Effect(artist=row.artist, job=row.uid, fence=row.fence))
            jobs.finish(session, row.uid, row.fence, result="made")

    JobRunner(jobs, handle, slots=2, poll_s=1, queue=queue).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
