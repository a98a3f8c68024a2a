"""Audio that was made anew for datasets."""

import sqlalchemy as sa
from alembic import op

from chassis.db import Json, UtcDateTime, enable_rls

revision = "0006"
down_revision = "0005"


def upgrade():
    op.create_table(
        "rendered_audio",
        sa.Column("artist", sa.String(64), primary_key=True),
        sa.Column("content_key", sa.String(64), primary_key=True),
        sa.Column("piece", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("piece_count", sa.Integer, nullable=False),
        sa.Column("object_key", sa.String(300), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("crc32", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(64), nullable=False),
        sa.Column("start_frame", sa.BigInteger, nullable=False),
        sa.Column("frames", sa.BigInteger, nullable=False),
        sa.Column("rate_hz", sa.Integer, nullable=False),
        sa.Column("channels", sa.Integer, nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("create_time", UtcDateTime(), nullable=False),
        sa.Column("use_time", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_rendered_audio_object_key", "rendered_audio", ["artist", "object_key"])
    op.create_index("ix_rendered_audio_use_time", "rendered_audio", ["use_time"])
    enable_rls(op, "rendered_audio")


def downgrade():
    op.drop_table("rendered_audio")
