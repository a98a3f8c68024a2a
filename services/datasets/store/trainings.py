"""Trainings and generations in SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.db import artist_scope
from chassis.ids import format_name
from chassis.paging import Page
from services.datasets.domain.costs import Past
from services.datasets.domain.findings import Finding, Severity
from services.datasets.domain.generations import Generation, GenerationNotFound, Sampling
from services.datasets.domain.ports import RequestKey
from services.datasets.domain.provider_runs import RunState
from services.datasets.domain.training_parameters import TrainingParameters
from services.datasets.domain.training_ports import Spent, TrainingFilter
from services.datasets.domain.trainings import NAME, Training, TrainingNotFound
from services.datasets.store.provider_runs import SqlRuns, shared_fields
from services.datasets.store.shared import Ground
from services.datasets.store.snapshot_tables import SnapshotMembers
from services.datasets.store.training_tables import Generations, Trainings

_DAY = timedelta(days=1)
_OWN = (
    "display_name",
    "export",
    "snapshot_uid",
    "snapshot_sha256",
    "destination",
    "create_destination",
    "archive_url",
    "trainer",
    "expected_cost_usd_micros",
    "cost_usd_micros",
    "predict_time_s",
    "version",
    "weights_uri",
    "log_tail",
    "log_size",
    "epoch",
    "step",
)


class SqlTrainings(SqlRuns[Trainings, Training]):
    """Trainings of all artists, in SQL."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground, Trainings, to_training, _training_columns, _no_training)

    def add(self, training: Training, key: RequestKey, allow: Callable[[Spent], None]) -> Training:
        """The stored training; a repeat gives what the first one made. `allow` raises when too much is spent."""
        with self._ground.db.transaction(artist_scope(training.artist)) as session:
            _one_at_a_time(session, training.artist)
            made = self.insert(session, training, training.name, key)
            if made.uid == training.uid:
                allow(self._spent(session, training.artist, besides=training.uid))
            return made

    def page(self, artist: str, wanted: TrainingFilter, *, size: int, token: str) -> Page[Training]:
        """Trainings, newest first."""
        chosen = sa.select(Trainings).where(Trainings.artist == artist)
        used = {
            SnapshotMembers.item_uid: wanted.item_uid,
            SnapshotMembers.asset: wanted.asset,
            SnapshotMembers.live_set: wanted.live_set,
        }
        for column, value in used.items():
            if value:
                members = sa.select(SnapshotMembers.snapshot_uid).where(
                    SnapshotMembers.artist == artist, column == value
                )
                chosen = chosen.where(Trainings.snapshot_uid.in_(members))
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            rows, following = self._ground.pager.page(
                session,
                chosen,
                order=(Trainings.create_time, Trainings.uid),
                size=size,
                token=token,
                filter=f"trainings/{artist}/{wanted.item_uid}/{wanted.asset}/{wanted.live_set}",
            )
            return Page([to_training(row) for row in rows], following)

    def by_input(self, archive_url: str) -> Training | None:
        """The training with this input."""
        return self._one(Trainings.archive_sha256 == _digest(archive_url))

    def past(self, artist: str, model_version: str, limit: int, *, paid: bool) -> list[Past]:
        """Trainings of the base model that have ended well, newest first; only those that cost something, or all."""
        wanted = sa.select(Trainings.steps, Trainings.predict_time_s).where(
            Trainings.artist == artist,
            Trainings.model_version == model_version,
            Trainings.state == RunState.SUCCEEDED.value,
            Trainings.predict_time_s > 0,
            Trainings.cost_usd_micros >= int(paid),
        )
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            rows = session.execute(wanted.order_by(Trainings.create_time.desc()).limit(limit))
            return [Past(steps, predict_time_s) for steps, predict_time_s in rows]

    def spent(self, artist: str) -> Spent:
        """What trainings of the artist cost."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return self._spent(session, artist)

    def _spent(self, session: Session, artist: str, *, besides: str = "") -> Spent:
        known = Trainings.state.in_([RunState.SUCCEEDED.value, RunState.FAILED.value, RunState.CANCELLED.value])
        larger = sa.case(
            (Trainings.cost_usd_micros > Trainings.expected_cost_usd_micros, Trainings.cost_usd_micros),
            else_=Trainings.expected_cost_usd_micros,
        )
        charge = sa.case((known, Trainings.cost_usd_micros), else_=larger)
        total = sa.func.coalesce(sa.func.sum(charge), 0)
        chosen = sa.select(total).where(Trainings.artist == artist, Trainings.uid != besides)
        today = chosen.where(Trainings.create_time > self._ground.clock.now() - _DAY)
        return Spent(int(session.scalar(today) or 0), int(session.scalar(chosen) or 0))


class SqlGenerations(SqlRuns[Generations, Generation]):
    """Generations of all artists, in SQL."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground, Generations, to_generation, _generation_columns, _no_generation)

    def add(self, generation: Generation, key: RequestKey) -> Generation:
        """The stored generation; a repeat gives what the first one made."""
        with self._ground.db.transaction(artist_scope(generation.artist)) as session:
            return self.insert(session, generation, generation.name, key)

    def page(self, artist: str, training: str, *, size: int, token: str) -> Page[Generation]:
        """Generations, newest first; of one training, if named."""
        chosen = sa.select(Generations).where(Generations.artist == artist)
        if training:
            chosen = chosen.where(Generations.training_uid == training)
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            rows, following = self._ground.pager.page(
                session,
                chosen,
                order=(Generations.create_time, Generations.uid),
                size=size,
                token=token,
                filter=f"generations/{artist}/{training}",
            )
            return Page([to_generation(row) for row in rows], following)


def to_training(row: Trainings) -> Training:
    """The training that a row holds."""
    return Training(
        **shared_fields(row),
        **{name: getattr(row, name) for name in _OWN},
        parameters=TrainingParameters(**row.parameters),
        findings=tuple(
            Finding(kept["reason"], kept["message"], kept["training_item"], Severity(kept["severity"]))
            for kept in row.findings
        ),
    )


def to_generation(row: Generations) -> Generation:
    """The generation that a row holds."""
    return Generation(
        **shared_fields(row),
        training=format_name(NAME, artist=row.artist, training=row.training_uid),
        version=row.version,
        sampling=Sampling(**row.sampling),
        output_url=row.output_url,
        deliveries=row.deliveries,
        asset=row.asset,
    )


def _training_columns(training: Training) -> dict[str, Any]:
    return {
        **{name: getattr(training, name) for name in _OWN},
        "archive_sha256": _digest(training.archive_url),
        "model_version": training.parameters.model_version,
        "parameters": asdict(training.parameters),
        "steps": training.parameters.steps,
        "findings": [asdict(finding) for finding in training.findings],
    }


def _generation_columns(generation: Generation) -> dict[str, Any]:
    return {
        "training_uid": generation.training.rpartition("/")[2],
        "version": generation.version,
        "sampling": asdict(generation.sampling),
        "output_url": generation.output_url,
        "deliveries": generation.deliveries,
        "asset": generation.asset,
    }


def _one_at_a_time(session: Session, artist: str) -> None:
    # SQLite has one writer; on Postgres two requests could both see the budget before either has taken of it.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"trainings/{artist}", 2))))


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _no_training(uid: str) -> TrainingNotFound:
    return TrainingNotFound(f"training {uid!r} does not exist")


def _no_generation(uid: str) -> GenerationNotFound:
    return GenerationNotFound(f"generation {uid!r} does not exist")
