"""Separations, their remembered results, and the requests that made them."""

import sqlalchemy as sa
from alembic import op

from chassis.db import Json, Uid, UtcDateTime, enable_rls

revision = "0001"
down_revision = None


def upgrade():
    op.create_table(
        "separations",
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("lease_owner", sa.String(255)),
        sa.Column("lease_expires_at", UtcDateTime),
        sa.Column("lost_leases", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failure_signature", sa.String(255)),
        sa.Column("not_before", UtcDateTime),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("progress_percent", sa.Float, nullable=False),
        sa.Column("stage", sa.String(64), nullable=False),
        sa.Column("eta_s", sa.Float),
        sa.Column("error_reason", sa.String(64)),
        sa.Column("error_message", sa.Text),
        sa.Column("create_time", UtcDateTime, nullable=False),
        sa.Column("update_time", UtcDateTime, nullable=False),
        sa.Column("start_time", UtcDateTime),
        sa.Column("end_time", UtcDateTime),
        sa.Column("trace_parent", sa.String(64)),
        sa.Column("asset", sa.String(300), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("engine", sa.String(32), nullable=False),
        sa.Column("selection", Json, nullable=False),
        sa.Column("output_format", sa.String(16), nullable=False),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("labels", Json, nullable=False),
        sa.Column("content_key", sa.String(64), nullable=False),
        sa.Column("result", Json),
        sa.Column("delete_time", UtcDateTime),
    )
    op.create_index("ix_separations_artist", "separations", ["artist"])
    op.create_index("ix_separations_state", "separations", ["state"])
    op.create_index("separations_by_time", "separations", ["artist", "create_time", "uid"])
    op.create_index("separations_by_content", "separations", ["artist", "content_key"])
    op.create_index("separations_deleted", "separations", ["delete_time"])
    op.create_table(
        "results",
        sa.Column("artist", sa.String(64), primary_key=True),
        sa.Column("content_key", sa.String(64), primary_key=True),
        sa.Column("result", Json, nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
    )
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
    for table in ("separations", "results", "requests"):
        enable_rls(op, table)


def downgrade():
    for table in ("requests", "results", "separations"):
        op.drop_table(table)
