"""Training items know their musical facts, where their captions come from and what waits; captions come in runs."""

import json

import sqlalchemy as sa
from alembic import op

from chassis.db import Json, Uid, UtcDateTime, enable_rls

revision = "0003"
down_revision = "0002"

_INDEXES = {"asset": "asset", "live_set": "live_set", "source": "caption_source"}
_WORDS = {"generated": "GENERATED", "edited": "EDITED", "imported": "IMPORTED"}


def _item_columns():
    return (
        sa.Column("asset", sa.String(300), nullable=False, server_default=""),
        sa.Column("pcm_sha256", sa.String(64), nullable=False, server_default=""),
        sa.Column("fingerprint", sa.LargeBinary),
        sa.Column("tempo_bpm", sa.Float, nullable=False, server_default="0"),
        sa.Column("key", sa.String(64), nullable=False, server_default=""),
        sa.Column("time_signature", sa.String(16), nullable=False, server_default=""),
        sa.Column("source_caption", sa.String(300), nullable=False, server_default=""),
        sa.Column("caption_source", sa.String(16), nullable=False, server_default=""),
        sa.Column("caption_findings", Json, nullable=False, server_default="[]"),
        sa.Column("proposal", Json),
        sa.Column("search_text", sa.Text, nullable=False, server_default=""),
    )


def _revision_columns():
    return (
        sa.Column("caption_source", sa.String(16), nullable=False, server_default=""),
        sa.Column("source_caption", sa.String(300), nullable=False, server_default=""),
        sa.Column("edit_uid", Uid),
    )


def upgrade():
    for column in _item_columns():
        op.add_column("training_items", column)
    for column in _revision_columns():
        op.add_column("caption_revisions", column)
    for name, column in _INDEXES.items():
        op.create_index(f"ix_training_items_{name}", "training_items", ["artist", column, "create_time"])
    _fill()
    op.create_table(
        "caption_runs",
        sa.Column("prompt_version", sa.String(255), nullable=False),
        sa.Column("hint", sa.String(300), nullable=False),
        sa.Column("rewrite_generated", sa.Boolean, nullable=False),
        sa.Column("item_count", sa.Integer, nullable=False),
        sa.Column("accepted_count", sa.Integer, nullable=False),
        sa.Column("proposed_count", sa.Integer, nullable=False),
        sa.Column("skipped_count", sa.Integer, nullable=False),
        sa.Column("failed_count", sa.Integer, nullable=False),
        sa.Column("cost_usd_micros", sa.BigInteger, nullable=False),
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
        sa.Column("request_id", sa.String(128)),
    )
    op.create_index("ix_caption_runs_page", "caption_runs", ["artist", "create_time", "uid"])
    op.create_index("ix_caption_runs_artist", "caption_runs", ["artist"])
    op.create_index("ix_caption_runs_state", "caption_runs", ["state"])
    enable_rls(op, "caption_runs")
    op.create_table(
        "caption_run_entries",
        sa.Column("run_uid", Uid, sa.ForeignKey("caption_runs.uid", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("item_uid", Uid, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("caption", sa.String(300), nullable=False),
        sa.Column("error_code", sa.String(32), nullable=False),
        sa.Column("error_reason", sa.String(64), nullable=False),
        sa.Column("error_message", sa.Text, nullable=False),
    )
    enable_rls(op, "caption_run_entries")
    op.create_table(
        "caption_edits",
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("item_uids", Json, nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
    )
    op.create_index("ix_caption_edits_create_time", "caption_edits", ["create_time"])
    enable_rls(op, "caption_edits")


def _fill():
    """Give the items that are there what new ones get when they are made."""
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        # Row-level security holds for the owner, too; the setting ends with the transaction.
        bind.execute(sa.text("SELECT set_config('tonewright.scope', 'system', true)"))
    rows = bind.execute(sa.text("SELECT uid, audio, display_name, caption, provenance FROM training_items")).all()
    for uid, audio, display_name, caption, provenance in rows:
        audio, provenance = _value(audio) or {}, _value(provenance) or {}
        written = str(provenance.get("source", "")).lower()
        values = {
            "uid": uid,
            "asset": audio.get("asset", ""),
            "pcm_sha256": audio.get("pcm_sha256", ""),
            "search_text": f"{display_name}\n{caption}".casefold(),
            "caption_source": _WORDS.get(written, "MANUAL") if caption else "",
        }
        bind.execute(
            sa.text(
                "UPDATE training_items SET asset = :asset, pcm_sha256 = :pcm_sha256, search_text = :search_text,"
                " caption_source = :caption_source WHERE uid = :uid"
            ),
            values,
        )


def _value(stored):
    return json.loads(stored) if isinstance(stored, str) else stored


def downgrade():
    for table in ("caption_edits", "caption_run_entries", "caption_runs"):
        op.drop_table(table)
    for name in _INDEXES:
        op.drop_index(f"ix_training_items_{name}", "training_items")
    for column in _revision_columns():
        op.drop_column("caption_revisions", column.name)
    for column in _item_columns():
        op.drop_column("training_items", column.name)
