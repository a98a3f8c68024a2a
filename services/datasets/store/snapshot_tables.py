"""Tables of snapshots and of the files inside exports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Json, Uid, UtcDateTime
from services.datasets.store.tables import Artist, Base, Text

Name = sa.String(300)


class Snapshots(Base):
    """Frozen datasets."""

    __tablename__ = "snapshots"
    __table_args__ = (sa.Index("ix_snapshots_page", "artist", "create_time", "uid"),)

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(Artist)
    principal: Mapped[str] = mapped_column(Text)
    display_name: Mapped[str] = mapped_column(Text)
    item_count: Mapped[int]
    duration_s: Mapped[float]
    content_sha256: Mapped[str] = mapped_column(sa.String(64))
    findings: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    implicit: Mapped[bool]
    revision: Mapped[int]
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)
    update_time: Mapped[datetime] = mapped_column(UtcDateTime)


class SnapshotMembers(Base):
    """Training items as they were when their snapshot was made."""

    __tablename__ = "snapshot_members"
    __table_args__ = (
        sa.UniqueConstraint("snapshot_uid", "item_uid", name="uq_snapshot_members_item"),
        sa.Index("ix_snapshot_members_item", "artist", "item_uid"),
        sa.Index("ix_snapshot_members_asset", "artist", "asset"),
        sa.Index("ix_snapshot_members_live_set", "artist", "live_set"),
    )

    snapshot_uid: Mapped[str] = mapped_column(sa.ForeignKey("snapshots.uid", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    artist: Mapped[str] = mapped_column(Artist)
    item_uid: Mapped[str] = mapped_column(Uid)
    display_name: Mapped[str] = mapped_column(Text)
    asset: Mapped[str] = mapped_column(Name)
    audio: Mapped[dict[str, Any]] = mapped_column(Json)
    caption: Mapped[str] = mapped_column(sa.Text)
    caption_revision: Mapped[int]
    content_revision: Mapped[int]
    caption_source: Mapped[str] = mapped_column(sa.String(16))
    provenance: Mapped[dict[str, Any]] = mapped_column(Json)
    live_set: Mapped[str] = mapped_column(Name)
    live_set_sha256: Mapped[str] = mapped_column(sa.String(64))
    licence: Mapped[str] = mapped_column(Text)
    consent: Mapped[dict[str, Any]] = mapped_column(Json)
    tempo_bpm: Mapped[float]
    key: Mapped[str] = mapped_column(sa.String(64))
    time_signature: Mapped[str] = mapped_column(sa.String(16))


class ExportFiles(Base):
    """Files of finished archives."""

    __tablename__ = "export_files"

    export_uid: Mapped[str] = mapped_column(sa.ForeignKey("exports.uid", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    artist: Mapped[str] = mapped_column(Artist)
    path: Mapped[str] = mapped_column(sa.String(1024))
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    crc32: Mapped[int] = mapped_column(sa.BigInteger)
    item_uid: Mapped[str] = mapped_column(sa.String(32))
    conversion: Mapped[str] = mapped_column(Text)
    start_s: Mapped[float]
    duration_s: Mapped[float]
    rate_hz: Mapped[int]
    channels: Mapped[int]
    text: Mapped[str] = mapped_column(sa.Text)
