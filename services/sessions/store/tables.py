from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.db import Json, Uid, UtcDateTime, declarative_base
from chassis.requests import RequestsMixin

SCHEMA = "sessions"

if TYPE_CHECKING:

    class Base(DeclarativeBase):
        """Base of the service's tables."""
else:
    Base = declarative_base(SCHEMA)


class UploadRow(Base):
    """The arrival of one file."""

    __tablename__ = "uploads"

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(sa.String(64), index=True)
    state: Mapped[str] = mapped_column(sa.String(16))
    display_name: Mapped[str] = mapped_column(sa.String(200))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    media_type: Mapped[str] = mapped_column(sa.String(128))
    asset_uid: Mapped[str] = mapped_column(sa.String(32))
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)
    expire_time: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (sa.Index("ix_uploads_state_expire_time", "state", "expire_time"),)


class AssetRow(Base):
    """One recording of an artist."""

    __tablename__ = "assets"

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(sa.String(64))
    display_name: Mapped[str] = mapped_column(sa.String(200))
    state: Mapped[str] = mapped_column(sa.String(16))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    crc32: Mapped[int] = mapped_column(sa.BigInteger)
    media_type: Mapped[str] = mapped_column(sa.String(128))
    frames: Mapped[int] = mapped_column(sa.BigInteger)
    rate_hz: Mapped[int] = mapped_column(sa.Integer)
    channels: Mapped[int] = mapped_column(sa.Integer)
    pcm_sha256: Mapped[str] = mapped_column(sa.String(64))
    loudness_lufs: Mapped[float | None] = mapped_column(sa.Double)
    peak: Mapped[float] = mapped_column(sa.Double)
    analysis: Mapped[dict[str, Any] | None] = mapped_column(Json)
    fingerprint: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    version: Mapped[int] = mapped_column(sa.BigInteger)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)
    update_time: Mapped[datetime] = mapped_column(UtcDateTime)
    delete_time: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        sa.UniqueConstraint("artist", "sha256", name="uq_assets_artist_sha256"),
        sa.Index("ix_assets_artist_create_time_uid", "artist", "create_time", "uid"),
        sa.Index("ix_assets_state_delete_time", "state", "delete_time"),
    )


class HoldRow(Base):
    """One use of an asset by another resource."""

    __tablename__ = "holds"

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(sa.String(64))
    asset_uid: Mapped[str] = mapped_column(Uid, sa.ForeignKey("assets.uid", name="fk_holds_asset_uid"))
    holder: Mapped[str] = mapped_column(sa.String(300))
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        sa.UniqueConstraint("asset_uid", "holder", name="uq_holds_asset_uid_holder"),
        sa.Index("ix_holds_artist_holder", "artist", "holder"),
    )


class SessionRow(Base):
    """A saved session; its states are its revisions."""

    __tablename__ = "sessions"

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(sa.String(64))
    display_name: Mapped[str] = mapped_column(sa.String(210))
    state: Mapped[str] = mapped_column(sa.String(16))
    revision: Mapped[int] = mapped_column(sa.BigInteger)
    copied_from: Mapped[str] = mapped_column(sa.String(300))
    version: Mapped[int] = mapped_column(sa.BigInteger)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)
    update_time: Mapped[datetime] = mapped_column(UtcDateTime)
    delete_time: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        sa.Index("ix_sessions_artist_create_time_uid", "artist", "create_time", "uid"),
        sa.Index("ix_sessions_state_delete_time", "state", "delete_time"),
    )


class RevisionRow(Base):
    """One saved state in a session's history."""

    __tablename__ = "revisions"

    session_uid: Mapped[str] = mapped_column(
        Uid, sa.ForeignKey("sessions.uid", name="fk_revisions_session_uid"), primary_key=True
    )
    number: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    artist: Mapped[str] = mapped_column(sa.String(64), index=True)
    # Canonical JSON as text: a JSON column would lose the number forms and refuse U+0000.
    snapshot: Mapped[str] = mapped_column(sa.Text, deferred=True)
    snapshot_version: Mapped[int] = mapped_column(sa.Integer)
    snapshot_bytes: Mapped[int] = mapped_column(sa.Integer)
    audio: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    signature: Mapped[str] = mapped_column(sa.String(64))
    principal: Mapped[str] = mapped_column(sa.String(255))
    restored_from: Mapped[int] = mapped_column(sa.BigInteger)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)


class RequestRow(RequestsMixin, Base):
    """Which request made which resource."""
