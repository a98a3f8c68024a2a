"""Trainings at a provider, music from what was trained, and the webhooks that told of them."""

import sqlalchemy as sa
from alembic import op

from chassis.db import Json, Uid, UtcDateTime, enable_rls

revision = "0005"
down_revision = "0004"


def _run_columns():
    return [
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("provider_status", sa.String(32), nullable=False),
        sa.Column("provider_id", sa.String(128), nullable=False),
        sa.Column("webhook_url", sa.Text, nullable=False),
        sa.Column("attempt_time", UtcDateTime),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("check_time", UtcDateTime, nullable=False),
        sa.Column("checks", sa.Integer, nullable=False),
        sa.Column("misses", sa.Integer, nullable=False),
        sa.Column("news_time", UtcDateTime),
        sa.Column("error_reason", sa.String(64), nullable=False),
        sa.Column("error_message", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
        sa.Column("update_time", UtcDateTime, nullable=False),
        sa.Column("end_time", UtcDateTime),
    ]


def upgrade():
    op.create_table(
        "trainings",
        *_run_columns(),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.Column("export", sa.String(300), nullable=False),
        sa.Column("snapshot_uid", Uid, sa.ForeignKey("snapshots.uid"), nullable=False),
        sa.Column("snapshot_sha256", sa.String(64), nullable=False),
        sa.Column("destination", sa.String(255), nullable=False),
        sa.Column("create_destination", sa.Boolean, nullable=False),
        sa.Column("archive_url", sa.Text, nullable=False),
        sa.Column("archive_sha256", sa.String(64), nullable=False),
        sa.Column("trainer", sa.String(300), nullable=False),
        sa.Column("model_version", Uid, nullable=False),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("steps", sa.BigInteger, nullable=False),
        sa.Column("expected_cost_usd_micros", sa.BigInteger, nullable=False),
        sa.Column("cost_usd_micros", sa.BigInteger, nullable=False),
        sa.Column("predict_time_s", sa.Float, nullable=False),
        sa.Column("findings", Json, nullable=False),
        sa.Column("version", sa.String(300), nullable=False),
        sa.Column("weights_uri", sa.Text, nullable=False),
        sa.Column("log_tail", sa.Text, nullable=False),
        sa.Column("log_size", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_trainings_page", "trainings", ["artist", "create_time", "uid"])
    op.create_index("ix_trainings_due", "trainings", ["state", "check_time"])
    op.create_index("ix_trainings_snapshot", "trainings", ["snapshot_uid"])
    op.create_index("ix_trainings_provider_id", "trainings", ["provider_id"])
    op.create_index("ix_trainings_archive_sha256", "trainings", ["archive_sha256"])
    enable_rls(op, "trainings")
    op.create_table(
        "generations",
        *_run_columns(),
        sa.Column("training_uid", Uid, sa.ForeignKey("trainings.uid"), nullable=False),
        sa.Column("version", sa.String(300), nullable=False),
        sa.Column("sampling", Json, nullable=False),
        sa.Column("output_url", sa.Text, nullable=False),
        sa.Column("deliveries", sa.Integer, nullable=False),
        sa.Column("asset", sa.String(300), nullable=False),
    )
    op.create_index("ix_generations_page", "generations", ["artist", "create_time", "uid"])
    op.create_index("ix_generations_due", "generations", ["state", "check_time"])
    op.create_index("ix_generations_training", "generations", ["training_uid"])
    op.create_index("ix_generations_provider_id", "generations", ["provider_id"])
    enable_rls(op, "generations")
    op.create_table(
        "training_events",
        sa.Column("uid", sa.String(255), primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("run_uid", Uid, nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
    )
    op.create_index("ix_training_events_create_time", "training_events", ["create_time"])
    enable_rls(op, "training_events")


def downgrade():
    for table in ("training_events", "generations", "trainings"):
        op.drop_table(table)
