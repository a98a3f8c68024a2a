"""Tables of what is done to many captions: runs that write them, edits that change them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Json, Uid, UtcDateTime
from chassis.jobs import JobMixin
from services.datasets.store.tables import Artist, Base


class CaptionRuns(JobMixin, Base):
    """Caption runs; the row is also the job that writes the captions."""

    __tablename__ = "caption_runs"
    __table_args__ = (sa.Index("ix_caption_runs_page", "artist", "create_time", "uid"),)

    prompt_version: Mapped[str] = mapped_column(sa.String(255), default="")
    hint: Mapped[str] = mapped_column(sa.String(300), default="")
    rewrite_generated: Mapped[bool] = mapped_column(default=False)
    item_count: Mapped[int]
    accepted_count: Mapped[int] = mapped_column(default=0)
    proposed_count: Mapped[int] = mapped_column(default=0)
    skipped_count: Mapped[int] = mapped_column(default=0)
    failed_count: Mapped[int] = mapped_column(default=0)
    cost_usd_micros: Mapped[int] = mapped_column(sa.BigInteger, default=0)


class CaptionRunEntries(Base):
    """Items of a caption run and what became of each."""

    __tablename__ = "caption_run_entries"

    run_uid: Mapped[str] = mapped_column(sa.ForeignKey("caption_runs.uid", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    artist: Mapped[str] = mapped_column(Artist)
    item_uid: Mapped[str] = mapped_column(Uid)
    outcome: Mapped[str] = mapped_column(sa.String(16), default="")
    caption: Mapped[str] = mapped_column(sa.String(300), default="")
    error_code: Mapped[str] = mapped_column(sa.String(32), default="")
    error_reason: Mapped[str] = mapped_column(sa.String(64), default="")
    error_message: Mapped[str] = mapped_column(sa.Text, default="")


class CaptionEdits(Base):
    """Edits of many captions that may be asked for again, with the items that they are about."""

    __tablename__ = "caption_edits"

    uid: Mapped[str] = mapped_column(Uid, primary_key=True)
    artist: Mapped[str] = mapped_column(Artist)
    item_uids: Mapped[list[Any]] = mapped_column(Json)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
