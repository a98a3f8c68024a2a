"""Assets, uploads, holds, saved sessions and their revisions."""

import sqlalchemy as sa
from alembic import op

from chassis.db import Json, Uid, UtcDateTime, enable_rls

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    _uploads()
    _assets()
    _sessions()
    op.create_table(
        "requests",
        sa.Column("artist", sa.String(64), primary_key=True),
        sa.Column("principal", sa.String(255), primary_key=True),
        sa.Column("method", sa.String(128), primary_key=True),
        sa.Column("request_id", sa.String(255), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("resource", sa.String(512), nullable=False),
        sa.Column("create_time", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_requests_create_time", "requests", ["create_time"])
    for table in ("uploads", "assets", "holds", "sessions", "revisions", "requests"):
        enable_rls(op, table)


def _uploads():
    op.create_table(
        "uploads",
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("media_type", sa.String(128), nullable=False),
        sa.Column("asset_uid", sa.String(32), nullable=False),
        sa.Column("create_time", UtcDateTime(), nullable=False),
        sa.Column("expire_time", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_uploads_artist", "uploads", ["artist"])
    op.create_index("ix_uploads_state_expire_time", "uploads", ["state", "expire_time"])


def _assets():
    op.create_table(
        "assets",
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("crc32", sa.BigInteger, nullable=False),
        sa.Column("media_type", sa.String(128), nullable=False),
        sa.Column("frames", sa.BigInteger, nullable=False),
        sa.Column("rate_hz", sa.Integer, nullable=False),
        sa.Column("channels", sa.Integer, nullable=False),
        sa.Column("pcm_sha256", sa.String(64), nullable=False),
        sa.Column("loudness_lufs", sa.Double, nullable=True),
        sa.Column("peak", sa.Double, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", UtcDateTime(), nullable=False),
        sa.Column("update_time", UtcDateTime(), nullable=False),
        sa.Column("delete_time", UtcDateTime(), nullable=True),
        sa.UniqueConstraint("artist", "sha256", name="uq_assets_artist_sha256"),
    )
    op.create_index("ix_assets_artist_create_time_uid", "assets", ["artist", "create_time", "uid"])
    op.create_index("ix_assets_state_delete_time", "assets", ["state", "delete_time"])
    op.create_table(
        "holds",
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("asset_uid", Uid, sa.ForeignKey("assets.uid", name="fk_holds_asset_uid"), nullable=False),
        sa.Column("holder", sa.String(300), nullable=False),
        sa.Column("create_time", UtcDateTime(), nullable=False),
        sa.UniqueConstraint("asset_uid", "holder", name="uq_holds_asset_uid_holder"),
    )
    op.create_index("ix_holds_artist_holder", "holds", ["artist", "holder"])


def _sessions():
    op.create_table(
        "sessions",
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("display_name", sa.String(210), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("copied_from", sa.String(300), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", UtcDateTime(), nullable=False),
        sa.Column("update_time", UtcDateTime(), nullable=False),
        sa.Column("delete_time", UtcDateTime(), nullable=True),
    )
    op.create_index("ix_sessions_artist_create_time_uid", "sessions", ["artist", "create_time", "uid"])
    op.create_index("ix_sessions_state_delete_time", "sessions", ["state", "delete_time"])
    owner = sa.ForeignKey("sessions.uid", name="fk_revisions_session_uid")
    op.create_table(
        "revisions",
        sa.Column("session_uid", Uid, owner, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("snapshot", sa.Text, nullable=False),
        sa.Column("snapshot_version", sa.Integer, nullable=False),
        sa.Column("snapshot_bytes", sa.Integer, nullable=False),
        sa.Column("audio", Json, nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(255), nullable=False),
        sa.Column("restored_from", sa.BigInteger, nullable=False),
        sa.Column("create_time", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_revisions_artist", "revisions", ["artist"])


def downgrade():
    for table in ("requests", "revisions", "sessions", "holds", "assets", "uploads"):
        op.drop_table(table)
