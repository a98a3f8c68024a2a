"""The tables of the prompt service."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from chassis.db import Json, Uid, UtcDateTime
from chassis.requests import RequestsMixin

SCHEMA = "prompt"
_ARTIST = sa.String(64)


class Base(DeclarativeBase):
    """The tables of this service."""

    metadata = sa.MetaData(info={"schema": SCHEMA})


class _Revised:
    """Columns of a row that changes: the etag follows the revision."""

    revision: Mapped[int] = mapped_column(sa.Integer, default=1)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)
    update_time: Mapped[datetime] = mapped_column(UtcDateTime)


class ArtistRow(_Revised, Base):
    """An artist; `artist` is its id and the tenant of every other row."""

    __tablename__ = "artists"

    artist: Mapped[str] = mapped_column(_ARTIST, primary_key=True)
    display_name: Mapped[str] = mapped_column(sa.String(200))
    description: Mapped[str] = mapped_column(sa.Text)
    delete_time: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class _OfArtist:
    @declared_attr
    def artist(self) -> Mapped[str]:
        """The tenant."""
        return mapped_column(_ARTIST, sa.ForeignKey("artists.artist", ondelete="CASCADE"), primary_key=True)


class ProfileRow(_OfArtist, _Revised, Base):
    """The one profile of an artist."""

    __tablename__ = "profiles"

    display_name: Mapped[str] = mapped_column(sa.String(200))
    notes: Mapped[str] = mapped_column(sa.Text)
    master_schema: Mapped[dict[str, Any]] = mapped_column(Json)
    master_schema_sha256: Mapped[str] = mapped_column(sa.String(64))


class MemberRow(_OfArtist, _Revised, Base):
    """A principal's role on an artist."""

    __tablename__ = "members"
    __table_args__ = (
        sa.UniqueConstraint("artist", "principal", name="members_principal"),
        sa.Index("members_by_principal", "principal", "create_time"),
    )

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    principal: Mapped[str] = mapped_column(sa.String(255))
    role: Mapped[str] = mapped_column(sa.String(16))
    display_name: Mapped[str] = mapped_column(sa.String(200))


class LiveSetRow(_OfArtist, _Revised, Base):
    """A Live Set and its summary."""

    __tablename__ = "live_sets"
    __table_args__ = (
        sa.Index("live_sets_by_time", "artist", "create_time", "uid"),
        sa.Index("live_sets_by_file", "artist", "sha256"),
    )

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    display_name: Mapped[str] = mapped_column(sa.String(200))
    project_name: Mapped[str] = mapped_column(sa.String(200))
    file_name: Mapped[str] = mapped_column(sa.String(255))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    summary: Mapped[dict[str, Any]] = mapped_column(Json)
    # Names in one case, for finding.
    search_text: Mapped[str] = mapped_column(sa.Text, default="")
    delete_time: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class CaptionRow(_OfArtist, Base):
    """A caption; never changes."""

    __tablename__ = "captions"
    __table_args__ = (
        sa.Index("captions_by_time", "artist", "create_time", "uid"),
        sa.Index("captions_by_live_set", "artist", "live_set", "create_time", "uid"),
        sa.Index("captions_by_asset", "artist", "asset", "create_time", "uid"),
        sa.Index("captions_by_version", "artist", "prompt_version"),
    )

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    text: Mapped[str] = mapped_column(sa.Text)
    violations: Mapped[list[dict[str, str]]] = mapped_column(Json)
    warnings: Mapped[list[dict[str, str]]] = mapped_column(Json)
    provenance: Mapped[dict[str, Any]] = mapped_column(Json)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)
    # From the provenance, to be found by: resource names, empty when there was none.
    live_set: Mapped[str] = mapped_column(sa.String(255), default="")
    asset: Mapped[str] = mapped_column(sa.String(255), default="")
    prompt_version: Mapped[str] = mapped_column(sa.String(64), default="")


class PromptTemplateRow(_OfArtist, _Revised, Base):
    """A version of the instruction; only its state changes."""

    __tablename__ = "prompt_templates"
    __table_args__ = (
        sa.Index("prompt_templates_by_time", "artist", "create_time", "version"),
        sa.CheckConstraint("state IN ('draft', 'approved', 'retired')", name="prompt_templates_state"),
    )

    version: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    display_name: Mapped[str] = mapped_column(sa.String(200))
    instruction: Mapped[str] = mapped_column(sa.Text)
    temperature: Mapped[float] = mapped_column(sa.Float(53))
    max_tokens: Mapped[int] = mapped_column(sa.Integer)
    state: Mapped[str] = mapped_column(sa.String(16))
    creator: Mapped[str] = mapped_column(sa.String(255))
    approver: Mapped[str] = mapped_column(sa.String(255))
    approve_time: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RequestRow(RequestsMixin, Base):
    """Which request made which resource."""
