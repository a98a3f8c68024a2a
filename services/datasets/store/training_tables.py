"""Tables of trainings and generations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Json, Uid, UtcDateTime
from services.datasets.store import snapshot_tables  # noqa: F401  (trainings refer to its tables)
from services.datasets.store.tables import Artist, Base, Text


class RunMixin:
    """Columns of work that a provider does; changes compare and set `revision`."""

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(Artist)
    principal: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(sa.String(16))
    provider_status: Mapped[str] = mapped_column(sa.String(32))
    provider_id: Mapped[str] = mapped_column(sa.String(128), index=True)
    webhook_url: Mapped[str] = mapped_column(sa.Text)
    attempt_time: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int]
    cancel_requested: Mapped[bool]
    check_time: Mapped[datetime] = mapped_column(UtcDateTime)
    checks: Mapped[int]
    misses: Mapped[int]
    news_time: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error_reason: Mapped[str] = mapped_column(sa.String(64))
    error_message: Mapped[str] = mapped_column(sa.Text)
    revision: Mapped[int]
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)
    update_time: Mapped[datetime] = mapped_column(UtcDateTime)
    end_time: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Trainings(RunMixin, Base):
    """Trainings of models at a provider."""

    __tablename__ = "trainings"
    __table_args__ = (
        sa.Index("ix_trainings_page", "artist", "create_time", "uid"),
        sa.Index("ix_trainings_due", "state", "check_time"),
        sa.Index("ix_trainings_snapshot", "snapshot_uid"),
    )

    display_name: Mapped[str] = mapped_column(Text)
    export: Mapped[str] = mapped_column(sa.String(300))
    snapshot_uid: Mapped[str] = mapped_column(sa.ForeignKey("snapshots.uid"))
    snapshot_sha256: Mapped[str] = mapped_column(sa.String(64))
    destination: Mapped[str] = mapped_column(Text)
    create_destination: Mapped[bool]
    archive_url: Mapped[str] = mapped_column(sa.Text)
    archive_sha256: Mapped[str] = mapped_column(sa.String(64), index=True)  # of the address, to find it by
    trainer: Mapped[str] = mapped_column(sa.String(300))
    model_version: Mapped[str] = mapped_column(sa.String(32))
    parameters: Mapped[dict[str, Any]] = mapped_column(Json)
    steps: Mapped[int] = mapped_column(sa.BigInteger)
    expected_cost_usd_micros: Mapped[int] = mapped_column(sa.BigInteger)
    cost_usd_micros: Mapped[int] = mapped_column(sa.BigInteger)
    predict_time_s: Mapped[float]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    version: Mapped[str] = mapped_column(sa.String(300))
    weights_uri: Mapped[str] = mapped_column(sa.Text)
    log_tail: Mapped[str] = mapped_column(sa.Text)
    log_size: Mapped[int] = mapped_column(sa.BigInteger)
    epoch: Mapped[int]
    step: Mapped[int] = mapped_column(sa.BigInteger)


class Generations(RunMixin, Base):
    """Music from trained versions."""

    __tablename__ = "generations"
    __table_args__ = (
        sa.Index("ix_generations_page", "artist", "create_time", "uid"),
        sa.Index("ix_generations_due", "state", "check_time"),
        sa.Index("ix_generations_training", "training_uid"),
    )

    training_uid: Mapped[str] = mapped_column(sa.ForeignKey("trainings.uid"))
    version: Mapped[str] = mapped_column(sa.String(300))
    sampling: Mapped[dict[str, Any]] = mapped_column(Json)
    output_url: Mapped[str] = mapped_column(sa.Text)
    deliveries: Mapped[int]
    asset: Mapped[str] = mapped_column(sa.String(300))


class TrainingEvents(Base):
    """Webhooks that were taken; a repeat of one changes nothing."""

    __tablename__ = "training_events"

    uid: Mapped[str] = mapped_column(sa.String(255), primary_key=True)  # the sender's id of the event
    artist: Mapped[str] = mapped_column(Artist)
    run_uid: Mapped[str] = mapped_column(Uid)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
