"""A small service's tables, on either database, for the suites of the chassis ports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.clock import Clock
from chassis.db import Database, Json, Uid, UtcDateTime, artist_scope, migrate
from chassis.ids import new_uid
from chassis.jobs import JobMixin, Jobs
from chassis.outbox import OutboxMixin
from chassis.queue import Queue
from chassis.requests import RequestsMixin
from tools.backends import Postgres

SCHEMA = "trial"
MIGRATIONS = str(Path(__file__).parent / "migrations")


class Base(DeclarativeBase):
    pass


class Note(Base):  # a row of an artist
    __tablename__ = "notes"

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(sa.String(64))
    count: Mapped[int] = mapped_column(default=0)
    facts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)


class Separation(JobMixin, Base):
    __tablename__ = "separations"

    engine: Mapped[str] = mapped_column(sa.String(16), default="stub")
    result: Mapped[str | None]


class Effect(Base):  # what a job committed; two rows of one job would be a double result
    __tablename__ = "effects"

    id: Mapped[int] = mapped_column(primary_key=True)
    artist: Mapped[str] = mapped_column(sa.String(64))
    job: Mapped[str] = mapped_column(Uid)
    fence: Mapped[int]


class Request(RequestsMixin, Base):
    pass


class Event(OutboxMixin, Base):
    pass


@dataclass(frozen=True)
class Place:
    """Where a test's database is."""

    owner_url: str
    app_url: str

    def open(self) -> Database:
        return Database(self.app_url, SCHEMA)


def migrated_place(kind: str, folder: Path, postgres: Postgres | None) -> Place:
    """A new, migrated database."""
    if postgres is None:
        place = Place(f"sqlite:///{folder}/{kind}.db", f"sqlite:///{folder}/{kind}.db")
    else:
        made = postgres.create_database()
        place = Place(made.owner_url, made.app_url)
    migrate(place.owner_url, MIGRATIONS, SCHEMA, app_url=place.app_url)
    return place


def jobs_of(db: Database, clock: Clock, *, lease_s: float = 30, queue: Queue | None = None) -> Jobs[Separation]:
    return Jobs(db, Separation, clock, lease_s=lease_s, noun="separation", queue=queue)


def enqueue(jobs: Jobs[Separation], artist: str = "ada", **columns: Any) -> str:
    """The uid of a new job."""
    now = jobs.clock.now()
    row = Separation(uid=new_uid(), artist=artist, principal="p", create_time=now, update_time=now, **columns)
    with jobs.db.transaction(artist_scope(artist)) as session:
        jobs.enqueue(session, row)
    return row.uid


def read(jobs: Jobs[Separation], uid: str, artist: str = "ada") -> Separation:
    with jobs.db.transaction(artist_scope(artist), write=False) as session:
        return session.scalars(sa.select(Separation).where(Separation.uid == uid)).one()
