"""Tables of audio that was made anew."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Json, UtcDateTime
from services.datasets.store.tables import Artist, Base


class RenderedAudio(Base):
    """Files that were made anew, one row each; those with one key are one recording."""

    __tablename__ = "rendered_audio"
    __table_args__ = (
        sa.Index("ix_rendered_audio_object_key", "artist", "object_key"),
        sa.Index("ix_rendered_audio_use_time", "use_time"),
    )

    artist: Mapped[str] = mapped_column(Artist, primary_key=True)
    content_key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    piece: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    piece_count: Mapped[int]
    object_key: Mapped[str] = mapped_column(sa.String(300))
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    crc32: Mapped[int] = mapped_column(sa.BigInteger)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    media_type: Mapped[str] = mapped_column(sa.String(64))
    start_frame: Mapped[int] = mapped_column(sa.BigInteger)
    frames: Mapped[int] = mapped_column(sa.BigInteger)
    rate_hz: Mapped[int]
    channels: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    create_time: Mapped[datetime] = mapped_column(UtcDateTime)
    use_time: Mapped[datetime] = mapped_column(UtcDateTime)
