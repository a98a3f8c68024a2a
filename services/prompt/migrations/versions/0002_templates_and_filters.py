"""Prompt templates, and what captions are found by."""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime, enable_rls

revision = "0002"
down_revision = "0001"

_FOUND_BY = {"live_set": 255, "asset": 255, "prompt_version": 64}


def upgrade() -> None:
    for column, length in _FOUND_BY.items():
        op.add_column("captions", sa.Column(column, sa.String(length), nullable=False, server_default=""))
    # Captions that are there already: the values stand in their provenance.
    arrow = "provenance ->> '{}'" if op.get_bind().dialect.name == "postgresql" else "json_extract(provenance, '$.{}')"
    assigned = ", ".join(f"{column} = COALESCE({arrow.format(column)}, '')" for column in _FOUND_BY)
    op.execute(f"UPDATE captions SET {assigned}")
    op.create_index("captions_by_live_set", "captions", ["artist", "live_set", "create_time", "uid"])
    op.create_index("captions_by_asset", "captions", ["artist", "asset", "create_time", "uid"])
    op.create_index("captions_by_version", "captions", ["artist", "prompt_version"])
    op.create_table(
        "prompt_templates",
        sa.Column("artist", sa.String(64), sa.ForeignKey("artists.artist", ondelete="CASCADE"), primary_key=True),
        sa.Column("version", sa.String(64), primary_key=True),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("instruction", sa.Text, nullable=False),
        sa.Column("temperature", sa.Float(53), nullable=False),
        sa.Column("max_tokens", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("creator", sa.String(255), nullable=False),
        sa.Column("approver", sa.String(255), nullable=False),
        sa.Column("approve_time", UtcDateTime),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
        sa.Column("update_time", UtcDateTime, nullable=False),
        sa.CheckConstraint("state IN ('draft', 'approved', 'retired')", name="prompt_templates_state"),
    )
    op.create_index("prompt_templates_by_time", "prompt_templates", ["artist", "create_time", "version"])
    enable_rls(op, "prompt_templates")
