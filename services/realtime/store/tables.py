"""The tables and their translation into the domain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.db import Json, Uid, UtcDateTime, declarative_base, etag_of
from chassis.requests import RequestsMixin
from services.realtime.domain.graph import Graph
from services.realtime.domain.performance import Performance, Source, SourceMode, State, Stems, StemsState

if TYPE_CHECKING:

    class Base(DeclarativeBase):
        """Base of the service's tables."""

else:
    Base = declarative_base("realtime")


class RequestRow(RequestsMixin, Base):
    """Which request made which performance."""


class TicketRow(Base):
    """A ticket, by the hash of its secret."""

    __tablename__ = "tickets"

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    artist: Mapped[str] = mapped_column(sa.String(64))
    performance: Mapped[str] = mapped_column(Uid)
    principal: Mapped[str] = mapped_column(sa.String(255))
    expire_time: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    use_time: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PerformanceRow(Base):
    """One performance."""

    __tablename__ = "performances"
    __table_args__ = (
        sa.Index("performances_by_age", "artist", "create_time", "uid"),
        sa.Index("performances_by_state", "state", "lease_expires_at"),
    )

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(sa.String(64))
    principal: Mapped[str] = mapped_column(sa.String(255))
    display_name: Mapped[str] = mapped_column(sa.String(200))
    session: Mapped[str] = mapped_column(sa.String(300))
    engine: Mapped[str] = mapped_column(sa.String(32))
    graph: Mapped[dict[str, Any]] = mapped_column(Json)
    source_asset: Mapped[str] = mapped_column(sa.String(300))
    source_mode: Mapped[str] = mapped_column(sa.String(16))
    skip_stem_extraction: Mapped[bool]
    state: Mapped[str] = mapped_column(sa.String(16))
    stems: Mapped[dict[str, Any]] = mapped_column(Json)
    loop_frames: Mapped[int] = mapped_column(sa.BigInteger)
    epoch: Mapped[int] = mapped_column(sa.BigInteger)
    playhead_frames: Mapped[int] = mapped_column(sa.BigInteger)
    revision: Mapped[int] = mapped_column(sa.BigInteger)
    fence: Mapped[int] = mapped_column(sa.BigInteger)
    lease_owner: Mapped[str] = mapped_column(sa.String(128))
    lease_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    checkpoint_time: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error_reason: Mapped[str] = mapped_column(sa.String(64))
    error_message: Mapped[str] = mapped_column(sa.Text)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)
    update_time: Mapped[datetime] = mapped_column(UtcDateTime)
    end_time: Mapped[datetime | None] = mapped_column(UtcDateTime)


def graph_columns(graph: Graph) -> dict[str, Any]:
    """The graph as it is stored."""
    return {"knobs": dict(graph.knobs), "overlay": graph.overlay}


def source_columns(performance: Performance) -> dict[str, Any]:
    """Source, stems and what follows from them, as they are stored."""
    stems = performance.stems
    return {
        "source_asset": performance.source.asset,
        "source_mode": performance.source.mode.value,
        "skip_stem_extraction": performance.source.skip_stem_extraction,
        "stems": {
            "state": stems.state.value,
            "vocals": stems.vocals,
            "instruments": stems.instruments,
            "separation": stems.separation,
            "error_reason": stems.error_reason,
            "error_message": stems.error_message,
        },
        "epoch": performance.epoch,
        "loop_frames": performance.loop_frames,
        "playhead_frames": performance.playhead_frames,
    }


def to_row(performance: Performance) -> PerformanceRow:
    """A new row."""
    return PerformanceRow(
        uid=performance.uid,
        artist=performance.artist,
        principal=performance.principal,
        display_name=performance.display_name,
        session=performance.session,
        engine=performance.graph.engine,
        graph=graph_columns(performance.graph),
        state=performance.state.value,
        revision=performance.revision,
        fence=performance.fence,
        lease_owner=performance.lease_owner,
        lease_expires_at=performance.lease_expires_at,
        checkpoint_time=performance.checkpoint_time,
        error_reason=performance.error_reason,
        error_message=performance.error_message,
        create_time=performance.create_time,
        update_time=performance.update_time,
        end_time=performance.end_time,
        **source_columns(performance),
    )


def to_domain(row: PerformanceRow) -> Performance:
    """The performance that the row keeps."""
    return Performance(
        uid=row.uid,
        artist=row.artist,
        principal=row.principal,
        display_name=row.display_name,
        session=row.session,
        graph=Graph(row.engine, row.graph["knobs"], row.graph["overlay"]),
        source=Source(row.source_asset, SourceMode(row.source_mode), row.skip_stem_extraction),
        state=State(row.state),
        stems=_stems(row.stems),
        loop_frames=row.loop_frames,
        epoch=row.epoch,
        playhead_frames=row.playhead_frames,
        revision=row.revision,
        fence=row.fence,
        lease_owner=row.lease_owner,
        lease_expires_at=row.lease_expires_at,
        checkpoint_time=row.checkpoint_time,
        error_reason=row.error_reason,
        error_message=row.error_message,
        create_time=row.create_time,
        update_time=row.update_time,
        end_time=row.end_time,
        etag=etag_of(row.uid, row.revision, row.state, row.stems, row.epoch, row.update_time),
    )


def _stems(columns: Mapping[str, Any]) -> Stems:
    return Stems(**{**columns, "state": StemsState(columns["state"])})
