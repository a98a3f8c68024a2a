"""Runs at a provider in SQL: what trainings and generations have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from chassis.db import artist_scope, system_scope
from chassis.errors import NotFound
from services.datasets.domain.ports import RequestKey
from services.datasets.domain.provider_runs import ProviderRun, RunState
from services.datasets.store.shared import Ground, changed_meanwhile, earlier, recorded
from services.datasets.store.training_tables import Generations, TrainingEvents, Trainings

RunT = TypeVar("RunT", bound=ProviderRun)
RowT = TypeVar("RowT", bound=Trainings | Generations)
_OPEN = (RunState.SUBMITTING.value, RunState.QUEUED.value, RunState.RUNNING.value)
_SHARED = tuple(field.name for field in fields(ProviderRun))


class SqlRuns(Generic[RowT, RunT]):
    """Runs of one kind, of all artists, in SQL.

    Args:
        ground: What stores stand on.
        row: Their table.
        to_run: The run that a row holds.
        to_columns: A run's own columns, beside those that all runs have.
        absent: The error where there is none of that uid.
    """

    def __init__(
        self,
        ground: Ground,
        row: type[RowT],
        to_run: Callable[[RowT], RunT],
        to_columns: Callable[[RunT], dict[str, Any]],
        absent: Callable[[str], NotFound],
    ) -> None:
        self._ground, self._absent = ground, absent
        self._row: type[RowT] = row
        self._to_run: Callable[[RowT], RunT] = to_run
        self._to_columns = to_columns

    def get(self, artist: str, uid: str) -> RunT:
        """The run, or its NotFound."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return self._to_run(self._found(session, artist, uid))

    def replayed(self, artist: str, key: RequestKey) -> RunT | None:
        """What an earlier request of this key made."""
        with self._ground.db.transaction(artist_scope(artist)) as session:
            name = recorded(session, key, self._ground.clock)
            return self._to_run(self._found(session, artist, name.rpartition("/")[2])) if name else None

    def insert(self, session: Session, run: RunT, name: str, key: RequestKey) -> RunT:
        """The stored run; a repeat gives what the first request made."""
        if made := earlier(session, key, name, self._ground.clock):
            return self._to_run(self._found(session, run.artist, made.rpartition("/")[2]))
        session.add(self._row(**self._columns(run)))
        return run

    def replace(self, before: RunT, after: RunT) -> RunT:
        """The run changed, if it still is as before; EtagMismatch otherwise."""
        row, columns = self._row, self._columns(after)
        columns["revision"] = before.revision + 1
        for kept in ("uid", "artist", "create_time"):
            columns.pop(kept)
        same = sa.update(row).where(row.artist == before.artist, row.uid == before.uid, row.revision == before.revision)
        changed = same.values(columns).returning(row)
        with self._ground.db.transaction(artist_scope(before.artist)) as session:
            found = session.scalars(changed, execution_options={"synchronize_session": False}).one_or_none()
            if found is None:
                raise changed_meanwhile(f"run {before.uid}")
            return self._to_run(found)

    def due(self, now: datetime, limit: int) -> list[RunT]:
        """Unfinished runs that want to be looked at, of all artists, longest waiting first."""
        row = self._row
        wanted = sa.select(row).where(row.state.in_(_OPEN), row.check_time <= now)
        with self._ground.db.transaction(system_scope("runs"), write=False) as session:
            rows = session.scalars(wanted.order_by(row.check_time, row.uid).limit(limit))
            return [self._to_run(found) for found in rows]

    def by_provider_id(self, provider_id: str) -> RunT | None:
        """The run that has this id at the provider."""
        if not provider_id:
            return None
        return self._one(self._row.provider_id == provider_id)

    def unfinished(self) -> tuple[int, datetime | None]:
        """How many runs have not ended, and the oldest last news of those that the provider has."""
        row = self._row
        oldest = sa.func.min(sa.func.coalesce(row.news_time, row.create_time, type_=row.create_time.type))
        counted = sa.select(sa.func.count(), oldest).where(row.state.in_(_OPEN))
        with self._ground.db.transaction(system_scope("runs"), write=False) as session:
            count, since = session.execute(counted).one()
            return int(count), since

    def known_ids(self, provider_ids: Any) -> set[str]:
        """Those of the provider's ids that belong to a run."""
        row = self._row
        with self._ground.db.transaction(system_scope("runs"), write=False) as session:
            return set(session.scalars(sa.select(row.provider_id).where(row.provider_id.in_(list(provider_ids)))))

    def _one(self, condition: sa.ColumnElement[bool]) -> RunT | None:
        wanted = sa.select(self._row).where(condition).order_by(self._row.create_time).limit(1)
        with self._ground.db.transaction(system_scope("runs"), write=False) as session:
            found = session.scalars(wanted).one_or_none()
            return self._to_run(found) if found is not None else None

    def _found(self, session: Session, artist: str, uid: str) -> RowT:
        row = self._row
        found = session.scalars(sa.select(row).where(row.artist == artist, row.uid == uid)).one_or_none()
        if found is None:
            raise self._absent(uid)
        return found

    def _columns(self, run: RunT) -> dict[str, Any]:
        shared = {name: getattr(run, name) for name in _SHARED}
        return {**shared, "state": run.state.value, **self._to_columns(run)}


def shared_fields(row: Trainings | Generations) -> dict[str, Any]:
    """The fields of a run that every row of one has."""
    return {name: getattr(row, name) for name in _SHARED} | {"state": RunState(row.state)}


class SqlWebhookEvents:
    """Webhooks whose news is kept, in SQL."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def seen(self, event_id: str) -> bool:
        """Whether the event was remembered."""
        with self._ground.db.transaction(system_scope("webhooks"), write=False) as session:
            return session.get(TrainingEvents, event_id) is not None

    def remember(self, event_id: str, run: ProviderRun, now: datetime) -> None:
        """Keep the event's id; a repeat changes nothing."""
        with self._ground.db.transaction(system_scope("webhooks")) as session:
            insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
            row = {"uid": event_id, "artist": run.artist, "run_uid": run.uid, "create_time": now}
            session.execute(insert(TrainingEvents).values(row).on_conflict_do_nothing())

    def purge(self, before: datetime) -> None:
        """Forget events that are older: their signatures are refused for their age."""
        with self._ground.db.transaction(system_scope("webhooks")) as session:
            session.execute(sa.delete(TrainingEvents).where(TrainingEvents.create_time < before))
