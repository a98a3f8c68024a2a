"""Tables of the datasets service; every row belongs to an artist."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.db import Json, Uid, UtcDateTime
from chassis.jobs import JobMixin
from chassis.requests import RequestsMixin

SCHEMA = "datasets"
Artist = sa.String(64)
Text = sa.String(255)


class Base(DeclarativeBase):
    """All tables of this service."""

    metadata = sa.MetaData(info={"schema": SCHEMA})


class TrainingItems(Base):
    """Training items."""

    __tablename__ = "training_items"
    __table_args__ = (
        sa.Index("ix_training_items_page", "artist", "create_time", "uid"),
        sa.Index("ix_training_items_state", "artist", "state", "create_time"),
        sa.Index("ix_training_items_audio", "artist", "audio_sha256"),
        sa.Index("ix_training_items_asset", "artist", "asset", "create_time"),
        sa.Index("ix_training_items_live_set", "artist", "live_set", "create_time"),
        sa.Index("ix_training_items_source", "artist", "caption_source", "create_time"),
    )

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(Artist)
    display_name: Mapped[str] = mapped_column(Text)
    audio: Mapped[dict[str, Any] | None] = mapped_column(Json)
    audio_sha256: Mapped[str] = mapped_column(sa.String(64), default="")
    caption: Mapped[str] = mapped_column(sa.Text)
    caption_revision: Mapped[int]
    live_set: Mapped[str] = mapped_column(sa.String(300))
    provenance: Mapped[dict[str, Any]] = mapped_column(Json)
    licence: Mapped[str] = mapped_column(Text)
    consent: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(sa.String(16))
    failure: Mapped[str] = mapped_column(sa.String(1000))
    last_export: Mapped[str] = mapped_column(sa.String(300))
    revision: Mapped[int]
    content_revision: Mapped[int]
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)
    update_time: Mapped[datetime] = mapped_column(UtcDateTime)
    asset: Mapped[str] = mapped_column(sa.String(300), default="")
    pcm_sha256: Mapped[str] = mapped_column(sa.String(64), default="")
    fingerprint: Mapped[bytes | None] = mapped_column(sa.LargeBinary, deferred=True)
    tempo_bpm: Mapped[float] = mapped_column(default=0.0)
    key: Mapped[str] = mapped_column(sa.String(64), default="")
    time_signature: Mapped[str] = mapped_column(sa.String(16), default="")
    source_caption: Mapped[str] = mapped_column(sa.String(300), default="")
    caption_source: Mapped[str] = mapped_column(sa.String(16), default="")
    caption_findings: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    proposal: Mapped[dict[str, Any] | None] = mapped_column(Json)
    search_text: Mapped[str] = mapped_column(sa.Text, default="")  # title and caption without capitals


class CaptionRevisions(Base):
    """Captions that items have or had."""

    __tablename__ = "caption_revisions"

    item_uid: Mapped[str] = mapped_column(sa.ForeignKey("training_items.uid", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    artist: Mapped[str] = mapped_column(Artist)
    caption: Mapped[str] = mapped_column(sa.Text)
    provenance: Mapped[dict[str, Any]] = mapped_column(Json)
    principal: Mapped[str] = mapped_column(Text)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)
    caption_source: Mapped[str] = mapped_column(sa.String(16), default="")
    source_caption: Mapped[str] = mapped_column(sa.String(300), default="")
    edit_uid: Mapped[str | None] = mapped_column(Uid)  # the edit of many that made it


class Exports(JobMixin, Base):
    """Exports; the row is also the job that lays the archive out."""

    __tablename__ = "exports"
    __table_args__ = (
        sa.Index("ix_exports_page", "artist", "create_time", "uid"),
        sa.Index("ix_exports_snapshot", "snapshot_uid"),
    )

    display_name: Mapped[str] = mapped_column(Text)
    export_format: Mapped[str] = mapped_column(sa.String(32))
    options: Mapped[dict[str, Any]] = mapped_column(Json)
    item_count: Mapped[int]
    duration_s: Mapped[float]
    chunk_count: Mapped[int]
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    file_name: Mapped[str] = mapped_column(Text, default="")
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    content_etag: Mapped[str] = mapped_column(sa.String(64), default="")
    snapshot_uid: Mapped[str | None] = mapped_column(sa.ForeignKey("snapshots.uid"))


class ExportSegments(Base):
    """Archives as byte ranges."""

    __tablename__ = "export_segments"
    __table_args__ = (sa.Index("ix_export_segments_object", "object_key"),)

    export_uid: Mapped[str] = mapped_column(sa.ForeignKey("exports.uid", ondelete="CASCADE"), primary_key=True)
    offset_bytes: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    artist: Mapped[str] = mapped_column(Artist)
    length_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    inline: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    object_key: Mapped[str | None] = mapped_column(sa.String(1024))
    object_offset_bytes: Mapped[int] = mapped_column(sa.BigInteger, default=0)


class HoldReleases(Base):
    """Holds on assets that are to be given back; a loop does it and removes the row."""

    __tablename__ = "hold_releases"

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(Artist)
    principal: Mapped[str] = mapped_column(Text)
    asset: Mapped[str] = mapped_column(sa.String(300))
    holder: Mapped[str] = mapped_column(sa.String(300))
    due_time: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    failures: Mapped[int] = mapped_column(default=0)


class Conversations(Base):
    """Conversations; their documents are objects."""

    __tablename__ = "conversations"
    __table_args__ = (
        sa.UniqueConstraint("artist", "conversation_id", name="uq_conversations_conversation_id"),
        sa.Index("ix_conversations_page", "artist", "create_time", "uid"),
    )

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(Artist)
    conversation_id: Mapped[str] = mapped_column(sa.String(36))
    display_name: Mapped[str] = mapped_column(Text)
    document_kind: Mapped[str] = mapped_column(sa.String(16))
    document_key: Mapped[str] = mapped_column(sa.String(1024))
    document_sha256: Mapped[str] = mapped_column(sa.String(64))
    document_size_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    turn_count: Mapped[int]
    generate_time: Mapped[datetime] = mapped_column(UtcDateTime)
    context: Mapped[dict[str, Any]] = mapped_column(Json)
    review_state: Mapped[str] = mapped_column(sa.String(16))
    batch: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(sa.String(32))
    report: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    enrichment: Mapped[dict[str, Any] | None] = mapped_column(Json)
    revision: Mapped[int]
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)
    update_time: Mapped[datetime] = mapped_column(UtcDateTime)


class TrainingFiles(Base):
    """Training files."""

    __tablename__ = "training_files"
    __table_args__ = (
        sa.UniqueConstraint("artist", "name_key", name="uq_training_files_name_key"),
        sa.Index("ix_training_files_page", "artist", "create_time", "uid"),
    )

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(Artist)
    display_name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(sa.String(1024))
    description: Mapped[str] = mapped_column(sa.Text)
    target_model: Mapped[str] = mapped_column(Text)
    profile: Mapped[dict[str, Any]] = mapped_column(Json)
    jsonl_header: Mapped[bool]
    archived: Mapped[bool] = mapped_column(default=False)
    current_version: Mapped[int] = mapped_column(default=0)  # 0: none yet
    newest_version: Mapped[int] = mapped_column(default=1)
    revision: Mapped[int] = mapped_column(default=1)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)
    update_time: Mapped[datetime] = mapped_column(UtcDateTime)


class TrainingFileVersions(JobMixin, Base):
    """Versions of training files; the row is also the job that builds it."""

    __tablename__ = "training_file_versions"
    __table_args__ = (sa.UniqueConstraint("training_file_uid", "sequence", name="uq_training_file_versions_sequence"),)

    training_file_uid: Mapped[str] = mapped_column(sa.ForeignKey("training_files.uid", ondelete="CASCADE"))
    sequence: Mapped[int]
    statistics: Mapped[dict[str, Any] | None] = mapped_column(Json)
    json_key: Mapped[str] = mapped_column(sa.String(1024), default="")
    json_size_bytes: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    json_sha256: Mapped[str] = mapped_column(sa.String(64), default="")
    jsonl_key: Mapped[str] = mapped_column(sa.String(1024), default="")
    jsonl_size_bytes: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    jsonl_sha256: Mapped[str] = mapped_column(sa.String(64), default="")


class TrainingFileMembers(Base):
    """Conversations inside training files, as they were when they were taken.

    A version holds the members with `added_in_version <= sequence` that were not removed by then (0: never).
    """

    __tablename__ = "training_file_members"
    __table_args__ = (
        sa.UniqueConstraint(
            "training_file_uid", "conversation_uid", "removed_in_version", name="uq_training_file_members_once"
        ),
        sa.Index("ix_training_file_members_conversation", "artist", "conversation_uid"),
    )

    training_file_uid: Mapped[str] = mapped_column(
        sa.ForeignKey("training_files.uid", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    artist: Mapped[str] = mapped_column(Artist)
    conversation_uid: Mapped[str] = mapped_column(Uid)
    conversation_id: Mapped[str] = mapped_column(sa.String(36))
    added_in_version: Mapped[int]
    removed_in_version: Mapped[int] = mapped_column(default=0)
    score: Mapped[float | None]
    quality_tier: Mapped[str] = mapped_column(sa.String(32))
    pair_count: Mapped[int]
    trainable_pair_count: Mapped[int]
    human_reviewed_count: Mapped[int]
    persona_key: Mapped[str] = mapped_column(sa.String(100))
    arc_key: Mapped[str] = mapped_column(sa.String(100))
    topic_key: Mapped[str] = mapped_column(sa.String(100))
    source_sha256: Mapped[str] = mapped_column(sa.String(64))
    json_key: Mapped[str] = mapped_column(sa.String(1024))
    jsonl_key: Mapped[str] = mapped_column(sa.String(1024))
    json_size_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    jsonl_size_bytes: Mapped[int] = mapped_column(sa.BigInteger)


class Requests(RequestsMixin, Base):
    """Which request made which resource."""
