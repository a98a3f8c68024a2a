"""Tables, and the way from a row to what the rules speak of."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.db import Json, UtcDateTime, declarative_base, etag_of
from chassis.jobs import JobMixin
from chassis.requests import RequestsMixin
from services.stems.domain import (
    Attempt,
    Failure,
    Order,
    OutputFormat,
    Parameters,
    Priority,
    Result,
    Selection,
    Separation,
    State,
    Stem,
    StemSet,
    Times,
)

if TYPE_CHECKING:

    class Base(DeclarativeBase):
        """The tables of the stems service."""
else:
    Base = declarative_base("stems")


class SeparationRow(JobMixin, Base):
    """A separation and the job that makes it."""

    __tablename__ = "separations"
    __table_args__ = (
        sa.Index("separations_by_time", "artist", "create_time", "uid"),
        sa.Index("separations_by_content", "artist", "content_key"),
        sa.Index("separations_deleted", "delete_time"),
    )

    asset: Mapped[str] = mapped_column(sa.String(300))
    model: Mapped[str] = mapped_column(sa.String(128))
    engine: Mapped[str] = mapped_column(sa.String(32))
    selection: Mapped[dict[str, Any]] = mapped_column(Json)
    output_format: Mapped[str] = mapped_column(sa.String(16))
    parameters: Mapped[dict[str, Any]] = mapped_column(Json)
    labels: Mapped[dict[str, str]] = mapped_column(Json)
    content_key: Mapped[str] = mapped_column(sa.String(64))
    result: Mapped[dict[str, Any] | None] = mapped_column(Json)
    delete_time: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ResultRow(Base):
    """What came out of some content; at most one per artist and content key."""

    __tablename__ = "results"

    artist: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    content_key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    result: Mapped[dict[str, Any]] = mapped_column(Json)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)


class RequestRow(RequestsMixin, Base):
    """Which request made which separation."""


def to_row(separation: Separation) -> SeparationRow:
    """A new row."""
    order = separation.order
    return SeparationRow(
        uid=separation.uid,
        artist=separation.artist,
        principal=separation.principal,
        state=separation.state.value,
        priority=order.priority.value,
        progress_percent=100.0 if separation.state is State.SUCCEEDED else 0.0,
        asset=order.asset,
        model=order.model,
        engine=separation.engine,
        selection={
            "stem_set": order.selection.stem_set.value,
            "target_stem": order.selection.target_stem,
            "wanted_stems": list(order.selection.wanted_stems),
        },
        output_format=order.output_format.value,
        parameters={
            "overlap": order.parameters.overlap,
            "shifts": order.parameters.shifts,
            "seed": order.parameters.seed,
        },
        labels=dict(order.labels),
        content_key=separation.content_key,
        result=plain_result(separation.result) if separation.result else None,
        create_time=separation.times.created,
        update_time=separation.times.updated,
        end_time=separation.times.ended,
    )


def to_separation(row: SeparationRow) -> Separation:
    """What the row says."""
    failed = row.state == State.FAILED
    return Separation(
        uid=row.uid,
        artist=row.artist,
        principal=row.principal,
        order=_order(row),
        engine=row.engine,
        content_key=row.content_key,
        state=State(row.state),
        times=Times(row.create_time, row.update_time, row.start_time, row.end_time),
        attempt=Attempt(
            progress_percent=row.progress_percent,
            stage=row.stage if row.state == State.RUNNING else "",
            eta_s=row.eta_s,
            attempt=row.attempt,
            fence=row.fence,
            worker=row.lease_owner or "",
            lease_expires_at=row.lease_expires_at,
            lost_leases=row.lost_leases,
            failures=row.failures,
        ),
        result=result_of(row.result) if row.result and row.state == State.SUCCEEDED else None,
        failure=Failure(row.error_reason or "INTERNAL", row.error_message or "") if failed else None,
        etag=etag_of(row.uid, row.state, row.fence, row.update_time.isoformat()),
    )


def _order(row: SeparationRow) -> Order:
    chosen = row.selection
    selection = Selection(StemSet(chosen["stem_set"]), chosen["target_stem"], tuple(chosen["wanted_stems"]))
    return Order(
        asset=row.asset,
        model=row.model,
        selection=selection,
        output_format=OutputFormat(row.output_format),
        parameters=Parameters(**row.parameters),
        priority=Priority(row.priority),
        labels=dict(row.labels),
    )


def plain_result(result: Result) -> dict[str, Any]:
    """The result as JSON."""
    return {
        "stems": [{"stem": stem.stem, "asset": stem.asset} for stem in result.stems],
        "output_gain_db": result.output_gain_db,
        "real_time_factor": result.real_time_factor,
        "made_by": result.made_by,
    }


def result_of(plain: dict[str, Any]) -> Result:
    """The result that the JSON says."""
    stems = tuple(Stem(**stem) for stem in plain["stems"])
    return Result(stems, plain["output_gain_db"], plain["real_time_factor"], plain["made_by"])
