"""Separations publish chunks and tell webhooks of their end."""

import sqlalchemy as sa
from alembic import op

from chassis.db import Json, Uid, UtcDateTime, enable_rls

revision = "0003"
down_revision = "0002"

_UNTOLD = sa.text("webhook_url IS NOT NULL AND end_event IS NULL")
_WITH_CHUNKS = sa.text("publish_chunks AND chunks_gone_time IS NULL")


def upgrade():
    # The release before this one writes rows without these columns.
    op.add_column("separations", sa.Column("publish_chunks", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("separations", sa.Column("chunks_gone_time", UtcDateTime))
    op.add_column("separations", sa.Column("webhook_url", sa.Text))
    op.add_column("separations", sa.Column("webhook_secret", sa.String(255)))
    op.add_column("separations", sa.Column("end_event", Uid))
    op.create_index("separations_untold", "separations", ["end_time"], sqlite_where=_UNTOLD, postgresql_where=_UNTOLD)
    op.create_index(
        "separations_with_chunks", "separations", ["end_time"], sqlite_where=_WITH_CHUNKS, postgresql_where=_WITH_CHUNKS
    )
    op.create_table(
        "chunks",
        sa.Column("artist", sa.String(64), primary_key=True),
        sa.Column("separation", Uid, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("offset_frames", sa.BigInteger, nullable=False),
        sa.Column("frame_count", sa.Integer, nullable=False),
        sa.Column("rate_hz", sa.Integer, nullable=False),
        sa.Column("parts", Json, nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("secret", sa.String(255), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("not_before", UtcDateTime, nullable=False),
        sa.Column("last_error", sa.String(255)),
        sa.Column("create_time", UtcDateTime, nullable=False),
    )
    op.create_index("ix_outbox_artist", "outbox", ["artist"])
    op.create_index("ix_outbox_state", "outbox", ["state"])
    for table in ("chunks", "outbox"):
        enable_rls(op, table)


def downgrade():
    op.drop_table("outbox")
    op.drop_table("chunks")
    op.drop_index("separations_with_chunks", "separations")
    op.drop_index("separations_untold", "separations")
    for column in ("end_event", "webhook_secret", "webhook_url", "chunks_gone_time", "publish_chunks"):
        op.drop_column("separations", column)
