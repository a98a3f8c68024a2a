"""Tables, and the way from a row to what the rules speak of."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.db import Json, Uid, UtcDateTime, declarative_base, etag_of
from chassis.jobs import JobMixin
from chassis.outbox import OutboxMixin
from chassis.requests import RequestsMixin
from services.stems.domain import (
    Attempt,
    Chunk,
    ChunkPart,
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
    Webhook,
)

if TYPE_CHECKING:

    class Base(DeclarativeBase):
        """The tables of the stems service."""
else:
    Base = declarative_base("stems")


_UNTOLD = sa.text("webhook_url IS NOT NULL AND end_event IS NULL")
_WITH_CHUNKS = sa.text("publish_chunks AND chunks_gone_time IS NULL")


class SeparationRow(JobMixin, Base):
    """A separation and the job that makes it."""

    __tablename__ = "separations"
    __table_args__ = (
        sa.Index("separations_by_time", "artist", "create_time", "uid"),
        sa.Index("separations_by_content", "artist", "content_key"),
        sa.Index("separations_deleted", "delete_time"),
        sa.Index("separations_untold", "end_time", sqlite_where=_UNTOLD, postgresql_where=_UNTOLD),
        sa.Index("separations_with_chunks", "end_time", sqlite_where=_WITH_CHUNKS, postgresql_where=_WITH_CHUNKS),
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
    publish_chunks: Mapped[bool] = mapped_column(server_default=sa.false())
    chunks_gone_time: Mapped[datetime | None] = mapped_column(UtcDateTime)
    webhook_url: Mapped[str | None] = mapped_column(sa.Text)
    webhook_secret: Mapped[str | None] = mapped_column(sa.String(255))
    end_event: Mapped[str | None] = mapped_column(Uid)  # of the outbox, once the end is told


class ResultRow(Base):
    """What came out of some content; at most one per artist and content key."""

    __tablename__ = "results"

    artist: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    content_key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    result: Mapped[dict[str, Any]] = mapped_column(Json)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)


class ChunkRow(Base):
    """A stretch of a separation's stems that can be played."""

    __tablename__ = "chunks"

    artist: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    separation: Mapped[str] = mapped_column(Uid, primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset_frames: Mapped[int] = mapped_column(sa.BigInteger)
    frame_count: Mapped[int]
    rate_hz: Mapped[int]
    parts: Mapped[list[dict[str, str]]] = mapped_column(Json)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)


class RequestRow(RequestsMixin, Base):
    """Which request made which separation."""


class OutboxRow(OutboxMixin, Base):
    """Events of ended separations on their way to webhooks."""


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
        selection=_plain_selection(order.selection),
        output_format=order.output_format.value,
        parameters=_plain_parameters(order.parameters),
        labels=dict(order.labels),
        publish_chunks=order.publish_chunks,
        webhook_url=order.webhook.url if order.webhook else None,
        webhook_secret=order.webhook.secret if order.webhook else None,
        chunks_gone_time=separation.times.ended,  # what was remembered has none
        content_key=separation.content_key,
        result=plain_result(separation.result) if separation.result else None,
        create_time=separation.times.created,
        update_time=separation.times.updated,
        end_time=separation.times.ended,
    )


def _plain_selection(selection: Selection) -> dict[str, Any]:
    plain: dict[str, Any] = {"stem_set": selection.stem_set.value, "target_stem": selection.target_stem}
    plain["wanted_stems"] = list(selection.wanted_stems)
    return plain | {"include_residual": True} if selection.include_residual else plain


def _plain_parameters(parameters: Parameters) -> dict[str, Any]:
    # What the release before this one does not know is left out where it says nothing: it reads these rows too.
    plain = asdict(parameters)
    return plain if parameters.deterministic else {key: plain[key] for key in plain if key != "deterministic"}


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
    selection = Selection(
        StemSet(chosen["stem_set"]),
        chosen["target_stem"],
        tuple(chosen["wanted_stems"]),
        chosen.get("include_residual", False),
    )
    return Order(
        asset=row.asset,
        model=row.model,
        selection=selection,
        output_format=OutputFormat(row.output_format),
        parameters=Parameters(**row.parameters),
        priority=Priority(row.priority),
        labels=dict(row.labels),
        publish_chunks=row.publish_chunks,
        webhook=Webhook(row.webhook_url, row.webhook_secret or "") if row.webhook_url else None,
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


def to_chunk_row(separation: Separation, chunk: Chunk, now: datetime) -> ChunkRow:
    """A new row for a chunk of the separation."""
    return ChunkRow(
        artist=separation.artist,
        separation=separation.uid,
        position=chunk.index,
        offset_frames=chunk.offset_frames,
        frame_count=chunk.frame_count,
        rate_hz=chunk.rate_hz,
        parts=[asdict(part) for part in chunk.parts],
        create_time=now,
    )


def to_chunk(row: ChunkRow) -> Chunk:
    """What the row says."""
    parts = tuple(ChunkPart(**part) for part in row.parts)
    return Chunk(row.position, row.offset_frames, row.frame_count, row.rate_hz, parts)
