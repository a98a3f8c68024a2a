"""Performances, their tickets, and the requests that made them."""

import sqlalchemy as sa
from alembic import op

from chassis.db import Json, Uid, UtcDateTime, enable_rls

revision = "0001"
down_revision = None


def upgrade():
    op.create_table(
        "performances",
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("session", sa.String(300), nullable=False),
        sa.Column("engine", sa.String(32), nullable=False),
        sa.Column("graph", Json, nullable=False),
        sa.Column("source_asset", sa.String(300), nullable=False),
        sa.Column("source_mode", sa.String(16), nullable=False),
        sa.Column("skip_stem_extraction", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("stems", Json, nullable=False),
        sa.Column("loop_frames", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("playhead_frames", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("lease_owner", sa.String(128), nullable=False),
        sa.Column("lease_expires_at", UtcDateTime),
        sa.Column("checkpoint_time", UtcDateTime),
        sa.Column("error_reason", sa.String(64), nullable=False),
        sa.Column("error_message", sa.Text, nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
        sa.Column("update_time", UtcDateTime, nullable=False),
        sa.Column("end_time", UtcDateTime),
    )
    op.create_index("performances_by_age", "performances", ["artist", "create_time", "uid"])
    op.create_index("performances_by_state", "performances", ["state", "lease_expires_at"])
    op.create_table(
        "tickets",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("performance", Uid, nullable=False),
        sa.Column("principal", sa.String(255), nullable=False),
        sa.Column("expire_time", UtcDateTime, nullable=False),
        sa.Column("use_time", UtcDateTime),
    )
    op.create_index("ix_tickets_expire_time", "tickets", ["expire_time"])
    op.create_table(
        "requests",
        sa.Column("artist", sa.String(64), primary_key=True),
        sa.Column("principal", sa.String(255), primary_key=True),
        sa.Column("method", sa.String(128), primary_key=True),
        sa.Column("request_id", sa.String(255), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("resource", sa.String(512), nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
    )
    op.create_index("ix_requests_create_time", "requests", ["create_time"])
    for table in ("performances", "tickets", "requests"):
        enable_rls(op, table)


def downgrade():
    for table in ("requests", "tickets", "performances"):
        op.drop_table(table)
