"""Caption runs in SQL; their rows are jobs."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.db import artist_scope
from chassis.jobs import Jobs, LeaseLost
from chassis.paging import Page
from services.datasets.domain.caption_runs import CaptionRun, CaptionRunNotFound, Entry, Outcome
from services.datasets.domain.exports import JobState
from services.datasets.domain.items import TrainingItem
from services.datasets.domain.ports import RequestKey
from services.datasets.store.caption_run_tables import CaptionRunEntries, CaptionRuns
from services.datasets.store.items import replaced
from services.datasets.store.shared import Ground, earlier, recorded

_PLAIN = (
    "artist",
    "uid",
    "principal",
    "create_time",
    "update_time",
    "item_count",
    "prompt_version",
    "hint",
    "rewrite_generated",
    "accepted_count",
    "proposed_count",
    "skipped_count",
    "failed_count",
    "cost_usd_micros",
    "progress_percent",
    "stage",
    "attempt",
    "eta_s",
    "end_time",
)
_ROWS = 1000  # entries of one statement


class SqlCaptionRuns:
    """Caption runs with what became of each item, in SQL."""

    def __init__(self, ground: Ground, jobs: Jobs[CaptionRuns]) -> None:
        self._ground, self._jobs = ground, jobs

    def add(self, run: CaptionRun, item_uids: Sequence[str], key: RequestKey) -> CaptionRun:
        """The stored run, queued; a repeat gives what the first one made."""
        with self._ground.db.transaction(artist_scope(run.artist)) as session:
            if name := earlier(session, key, run.name, self._ground.clock):
                return _to_run(_row(session, run.artist, name.rpartition("/")[2]))
            row = CaptionRuns(**{name: getattr(run, name) for name in _PLAIN}, state=run.state.value)
            self._jobs.enqueue(session, row)
            session.flush()
            entries = [
                {"run_uid": run.uid, "position": place, "artist": run.artist, "item_uid": uid}
                for place, uid in enumerate(item_uids, start=1)
            ]
            for start in range(0, len(entries), _ROWS):
                session.execute(sa.insert(CaptionRunEntries), entries[start : start + _ROWS])
            return _to_run(row)

    def replayed(self, artist: str, key: RequestKey) -> CaptionRun | None:
        """What an earlier request of this key made."""
        with self._ground.db.transaction(artist_scope(artist)) as session:
            name = recorded(session, key, self._ground.clock)
            return _to_run(_row(session, artist, name.rpartition("/")[2])) if name else None

    def get(self, artist: str, uid: str) -> CaptionRun:
        """The run, or CaptionRunNotFound."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return _to_run(_row(session, artist, uid))

    def page(self, artist: str, *, size: int, token: str) -> Page[CaptionRun]:
        """Runs, newest first."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            rows, following = self._ground.pager.page(
                session,
                sa.select(CaptionRuns).where(CaptionRuns.artist == artist),
                order=(CaptionRuns.create_time, CaptionRuns.uid),
                size=size,
                token=token,
                filter=f"caption-runs/{artist}",
            )
            return Page([_to_run(row) for row in rows], following)

    def entries(self, artist: str, uid: str, *, only_open: bool = False) -> list[Entry]:
        """Its items in order."""
        wanted = sa.select(CaptionRunEntries).where(
            CaptionRunEntries.artist == artist, CaptionRunEntries.run_uid == uid
        )
        if only_open:
            wanted = wanted.where(CaptionRunEntries.outcome == "")
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return [_to_entry(row) for row in session.scalars(wanted.order_by(CaptionRunEntries.position))]

    def settle(
        self,
        run: CaptionRun,
        fence: int,
        entry: Entry,
        *,
        cost_usd_micros: int = 0,
        change: tuple[TrainingItem, TrainingItem] | None = None,
    ) -> None:
        """Commit what became of an item together with the item itself."""
        counted = getattr(CaptionRuns, f"{entry.outcome.value.lower()}_count")
        with self._ground.db.transaction(artist_scope(run.artist)) as session:
            held = session.execute(
                sa.update(CaptionRuns)
                .where(CaptionRuns.uid == run.uid, CaptionRuns.fence == fence, CaptionRuns.state == "RUNNING")
                .values(
                    {
                        counted: counted + 1,
                        CaptionRuns.cost_usd_micros: CaptionRuns.cost_usd_micros + cost_usd_micros,
                        CaptionRuns.update_time: self._ground.clock.now(),
                    }
                ),
                execution_options={"synchronize_session": False},
            )
            if not held.rowcount:  # type: ignore[attr-defined]
                raise LeaseLost(f"the lease on caption run {run.uid} is lost")
            session.execute(
                sa.update(CaptionRunEntries)
                .where(CaptionRunEntries.run_uid == run.uid, CaptionRunEntries.position == entry.position)
                .values(
                    outcome=entry.outcome.value,
                    caption=entry.caption,
                    error_code=entry.error_code,
                    error_reason=entry.error_reason[:64],
                    error_message=entry.error_message[:1000],
                )
            )
            if change is not None:
                replaced(session, self._ground, *change)

    def finish(self, run: CaptionRun, fence: int) -> None:
        """Commit that every item was looked at; LeaseLost if another worker has the run."""
        with self._ground.db.transaction(artist_scope(run.artist)) as session:
            self._jobs.finish(session, run.uid, fence, stage="")

    def cancel(self, artist: str, uid: str) -> CaptionRun:
        """The run after the wish to stop it."""
        with self._ground.db.transaction(artist_scope(artist)) as session:
            row = self._jobs.request_cancel(session, artist, uid)
            if row is None:
                raise _unknown(uid)
            return _to_run(row)


def _row(session: Session, artist: str, uid: str) -> CaptionRuns:
    row = session.scalars(
        sa.select(CaptionRuns).where(CaptionRuns.artist == artist, CaptionRuns.uid == uid)
    ).one_or_none()
    if row is None:
        raise _unknown(uid)
    return row


def _unknown(uid: str) -> CaptionRunNotFound:
    return CaptionRunNotFound(f"caption run {uid!r} does not exist")


def _to_run(row: CaptionRuns) -> CaptionRun:
    return CaptionRun(
        **{name: getattr(row, name) for name in _PLAIN},
        state=JobState(row.state),
        error_reason=row.error_reason or "",
        error_message=row.error_message or "",
    )


def _to_entry(row: CaptionRunEntries) -> Entry:
    return Entry(
        row.position,
        row.item_uid,
        Outcome(row.outcome),
        row.caption,
        row.error_code,
        row.error_reason,
        row.error_message,
    )
