"""Artists, members, profiles, Live Sets, captions and remembered requests."""

import sqlalchemy as sa
from alembic import op

from chassis.db import Json, Uid, UtcDateTime, enable_rls

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "artists",
        sa.Column("artist", sa.String(64), primary_key=True),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("delete_time", UtcDateTime, index=True),
        *_revised(),
    )
    op.create_table(
        "profiles",
        _artist(),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("master_schema", Json, nullable=False),
        sa.Column("master_schema_sha256", sa.String(64), nullable=False),
        *_revised(),
    )
    op.create_table(
        "members",
        _artist(),
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("principal", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("display_name", sa.String(200), nullable=False),
        *_revised(),
        sa.UniqueConstraint("artist", "principal", name="members_principal"),
    )
    op.create_index("members_by_principal", "members", ["principal", "create_time"])
    op.create_table(
        "live_sets",
        _artist(),
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("project_name", sa.String(200), nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("summary", Json, nullable=False),
        sa.Column("delete_time", UtcDateTime, index=True),
        *_revised(),
    )
    op.create_index("live_sets_by_time", "live_sets", ["artist", "create_time", "uid"])
    op.create_index("live_sets_by_file", "live_sets", ["artist", "sha256"])
    op.create_table(
        "captions",
        _artist(),
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("violations", Json, nullable=False),
        sa.Column("warnings", Json, nullable=False),
        sa.Column("provenance", Json, nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
    )
    op.create_index("captions_by_time", "captions", ["artist", "create_time", "uid"])
    op.create_table(
        "requests",
        sa.Column("artist", sa.String(64), primary_key=True),
        sa.Column("principal", sa.String(255), primary_key=True),
        sa.Column("method", sa.String(128), primary_key=True),
        sa.Column("request_id", sa.String(255), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("resource", sa.String(512), nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False, index=True),
    )
    for table in ("artists", "profiles", "members", "live_sets", "captions", "requests"):
        enable_rls(op, table)


def _artist() -> sa.Column:
    return sa.Column("artist", sa.String(64), sa.ForeignKey("artists.artist", ondelete="CASCADE"), primary_key=True)


def _revised() -> list[sa.Column]:
    return [
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
        sa.Column("update_time", UtcDateTime, nullable=False),
    ]
