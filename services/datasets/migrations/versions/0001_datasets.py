"""Training items, exports, conversations and training files."""

import sqlalchemy as sa
from alembic import op

from chassis.db import Json, Uid, UtcDateTime, enable_rls

revision = "0001"
down_revision = None


def upgrade():
    op.create_table(
        "conversations",
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(36), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.Column("document_kind", sa.String(16), nullable=False),
        sa.Column("document_key", sa.String(1024), nullable=False),
        sa.Column("document_sha256", sa.String(64), nullable=False),
        sa.Column("document_size_bytes", sa.BigInteger, nullable=False),
        sa.Column("turn_count", sa.Integer, nullable=False),
        sa.Column("generate_time", UtcDateTime, nullable=False),
        sa.Column("context", Json, nullable=False),
        sa.Column("review_state", sa.String(16), nullable=False),
        sa.Column("batch", sa.String(255), nullable=False),
        sa.Column("state", Uid, nullable=False),
        sa.Column("report", Json, nullable=False),
        sa.Column("enrichment", Json),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
        sa.Column("update_time", UtcDateTime, nullable=False),
        sa.UniqueConstraint("artist", "conversation_id", name="uq_conversations_conversation_id"),
    )
    op.create_index("ix_conversations_page", "conversations", ["artist", "create_time", "uid"])
    enable_rls(op, "conversations")
    op.create_table(
        "exports",
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.Column("export_format", Uid, nullable=False),
        sa.Column("options", Json, nullable=False),
        sa.Column("item_count", sa.Integer, nullable=False),
        sa.Column("duration_s", sa.Float, nullable=False),
        sa.Column("chunk_count", sa.Integer, nullable=False),
        sa.Column("warnings", Json, nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("content_etag", sa.String(64), nullable=False),
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
    )
    op.create_index("ix_exports_artist", "exports", ["artist"])
    op.create_index("ix_exports_page", "exports", ["artist", "create_time", "uid"])
    op.create_index("ix_exports_state", "exports", ["state"])
    enable_rls(op, "exports")
    op.create_table(
        "hold_releases",
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(255), nullable=False),
        sa.Column("asset", sa.String(300), nullable=False),
        sa.Column("holder", sa.String(300), nullable=False),
        sa.Column("due_time", UtcDateTime, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
    )
    op.create_index("ix_hold_releases_due_time", "hold_releases", ["due_time"])
    enable_rls(op, "hold_releases")
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
    enable_rls(op, "requests")
    op.create_table(
        "training_files",
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.Column("name_key", sa.String(1024), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("target_model", sa.String(255), nullable=False),
        sa.Column("profile", Json, nullable=False),
        sa.Column("jsonl_header", sa.Boolean, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("current_version", sa.Integer, nullable=False),
        sa.Column("newest_version", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
        sa.Column("update_time", UtcDateTime, nullable=False),
        sa.UniqueConstraint("artist", "name_key", name="uq_training_files_name_key"),
    )
    op.create_index("ix_training_files_page", "training_files", ["artist", "create_time", "uid"])
    enable_rls(op, "training_files")
    op.create_table(
        "training_items",
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.Column("audio", Json),
        sa.Column("audio_sha256", sa.String(64), nullable=False),
        sa.Column("caption", sa.Text, nullable=False),
        sa.Column("caption_revision", sa.Integer, nullable=False),
        sa.Column("live_set", sa.String(300), nullable=False),
        sa.Column("provenance", Json, nullable=False),
        sa.Column("licence", sa.String(255), nullable=False),
        sa.Column("consent", Json, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("failure", sa.String(1000), nullable=False),
        sa.Column("last_export", sa.String(300), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("content_revision", sa.Integer, nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
        sa.Column("update_time", UtcDateTime, nullable=False),
    )
    op.create_index("ix_training_items_audio", "training_items", ["artist", "audio_sha256"])
    op.create_index("ix_training_items_page", "training_items", ["artist", "create_time", "uid"])
    op.create_index("ix_training_items_state", "training_items", ["artist", "state", "create_time"])
    enable_rls(op, "training_items")
    op.create_table(
        "caption_revisions",
        sa.Column("item_uid", Uid, sa.ForeignKey("training_items.uid", ondelete="CASCADE"), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("caption", sa.Text, nullable=False),
        sa.Column("provenance", Json, nullable=False),
        sa.Column("principal", sa.String(255), nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
    )
    enable_rls(op, "caption_revisions")
    op.create_table(
        "export_members",
        sa.Column("export_uid", Uid, sa.ForeignKey("exports.uid", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("item_uid", Uid, nullable=False),
        sa.Column("caption", sa.Text, nullable=False),
        sa.Column("caption_revision", sa.Integer, nullable=False),
        sa.Column("content_revision", sa.Integer, nullable=False),
        sa.Column("audio", Json, nullable=False),
    )
    op.create_index("ix_export_members_item", "export_members", ["artist", "item_uid"])
    enable_rls(op, "export_members")
    op.create_table(
        "export_segments",
        sa.Column("export_uid", Uid, sa.ForeignKey("exports.uid", ondelete="CASCADE"), primary_key=True),
        sa.Column("offset_bytes", sa.BigInteger, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("length_bytes", sa.BigInteger, nullable=False),
        sa.Column("inline", sa.LargeBinary),
        sa.Column("object_key", sa.String(1024)),
        sa.Column("object_offset_bytes", sa.BigInteger, nullable=False),
    )
    enable_rls(op, "export_segments")
    op.create_table(
        "training_file_members",
        sa.Column("training_file_uid", Uid, sa.ForeignKey("training_files.uid", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("conversation_uid", Uid, nullable=False),
        sa.Column("conversation_id", sa.String(36), nullable=False),
        sa.Column("added_in_version", sa.Integer, nullable=False),
        sa.Column("removed_in_version", sa.Integer, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("quality_tier", Uid, nullable=False),
        sa.Column("pair_count", sa.Integer, nullable=False),
        sa.Column("trainable_pair_count", sa.Integer, nullable=False),
        sa.Column("human_reviewed_count", sa.Integer, nullable=False),
        sa.Column("persona_key", sa.String(100), nullable=False),
        sa.Column("arc_key", sa.String(100), nullable=False),
        sa.Column("topic_key", sa.String(100), nullable=False),
        sa.Column("source_sha256", sa.String(64), nullable=False),
        sa.Column("json_key", sa.String(1024), nullable=False),
        sa.Column("jsonl_key", sa.String(1024), nullable=False),
        sa.Column("json_size_bytes", sa.BigInteger, nullable=False),
        sa.Column("jsonl_size_bytes", sa.BigInteger, nullable=False),
        sa.UniqueConstraint(
            "training_file_uid", "conversation_uid", "removed_in_version", name="uq_training_file_members_once"
        ),
    )
    op.create_index("ix_training_file_members_conversation", "training_file_members", ["artist", "conversation_uid"])
    enable_rls(op, "training_file_members")
    op.create_table(
        "training_file_versions",
        sa.Column("training_file_uid", Uid, sa.ForeignKey("training_files.uid", ondelete="CASCADE"), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("statistics", Json),
        sa.Column("json_key", sa.String(1024), nullable=False),
        sa.Column("json_size_bytes", sa.BigInteger, nullable=False),
        sa.Column("json_sha256", sa.String(64), nullable=False),
        sa.Column("jsonl_key", sa.String(1024), nullable=False),
        sa.Column("jsonl_size_bytes", sa.BigInteger, nullable=False),
        sa.Column("jsonl_sha256", sa.String(64), nullable=False),
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
        sa.UniqueConstraint("training_file_uid", "sequence", name="uq_training_file_versions_sequence"),
    )
    op.create_index("ix_training_file_versions_artist", "training_file_versions", ["artist"])
    op.create_index("ix_training_file_versions_state", "training_file_versions", ["state"])
    enable_rls(op, "training_file_versions")


def downgrade():
    for table in (
        "training_file_versions",
        "training_file_members",
        "export_segments",
        "export_members",
        "caption_revisions",
        "training_items",
        "training_files",
        "requests",
        "hold_releases",
        "exports",
        "conversations",
    ):
        op.drop_table(table)
