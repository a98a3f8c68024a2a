"""Snapshots, and the files of exports; exports made before get the snapshot that they were made of."""

import hashlib

import rfc8785
import sqlalchemy as sa
from alembic import op

from chassis.db import Json, Uid, UtcDateTime, enable_rls

revision = "0004"
down_revision = "0003"


def _old_members():
    return (
        sa.Column("export_uid", Uid, sa.ForeignKey("exports.uid", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("item_uid", Uid, nullable=False),
        sa.Column("caption", sa.Text, nullable=False),
        sa.Column("caption_revision", sa.Integer, nullable=False),
        sa.Column("content_revision", sa.Integer, nullable=False),
        sa.Column("audio", Json, nullable=False),
    )


def _members():
    return (
        sa.Column("snapshot_uid", Uid, sa.ForeignKey("snapshots.uid", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("item_uid", Uid, nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.Column("asset", sa.String(300), nullable=False),
        sa.Column("audio", Json, nullable=False),
        sa.Column("caption", sa.Text, nullable=False),
        sa.Column("caption_revision", sa.Integer, nullable=False),
        sa.Column("content_revision", sa.Integer, nullable=False),
        sa.Column("caption_source", sa.String(16), nullable=False),
        sa.Column("provenance", Json, nullable=False),
        sa.Column("live_set", sa.String(300), nullable=False),
        sa.Column("live_set_sha256", sa.String(64), nullable=False),
        sa.Column("licence", sa.String(255), nullable=False),
        sa.Column("consent", Json, nullable=False),
        sa.Column("tempo_bpm", sa.Float, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("time_signature", sa.String(16), nullable=False),
    )


def _snapshots():
    return (
        sa.Column("uid", Uid, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.Column("item_count", sa.Integer, nullable=False),
        sa.Column("duration_s", sa.Float, nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("findings", Json, nullable=False),
        sa.Column("implicit", sa.Boolean, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("create_time", UtcDateTime, nullable=False),
        sa.Column("update_time", UtcDateTime, nullable=False),
    )


def upgrade():
    op.create_table(
        "snapshots",
        *_snapshots(),
    )
    op.create_index("ix_snapshots_page", "snapshots", ["artist", "create_time", "uid"])
    op.create_table(
        "snapshot_members",
        *_members(),
        sa.UniqueConstraint("snapshot_uid", "item_uid", name="uq_snapshot_members_item"),
    )
    for column in ("item_uid", "asset", "live_set"):
        name = f"ix_snapshot_members_{column.removesuffix('_uid')}"
        op.create_index(name, "snapshot_members", ["artist", column])
    op.create_table(
        "export_files",
        sa.Column("export_uid", Uid, sa.ForeignKey("exports.uid", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("artist", sa.String(64), nullable=False),
        sa.Column("path", sa.String(1024), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("crc32", sa.BigInteger, nullable=False),
        sa.Column("item_uid", Uid, nullable=False),
        sa.Column("conversion", sa.String(255), nullable=False),
        sa.Column("start_s", sa.Float, nullable=False),
        sa.Column("duration_s", sa.Float, nullable=False),
        sa.Column("rate_hz", sa.Integer, nullable=False),
        sa.Column("channels", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    # Written out: SQLite takes a reference with a new column, and no constraint later.
    op.execute("ALTER TABLE exports ADD COLUMN snapshot_uid VARCHAR(32) REFERENCES snapshots (uid)")
    op.create_index("ix_exports_snapshot", "exports", ["snapshot_uid"])
    op.create_index("ix_export_segments_object", "export_segments", ["object_key"])
    _see_every_row()
    _members_to_snapshots(op.get_bind())
    op.drop_table("export_members")
    for table in ("snapshots", "snapshot_members", "export_files"):
        enable_rls(op, table)


def downgrade():
    op.create_table("export_members", *_old_members())
    op.create_index("ix_export_members_item", "export_members", ["artist", "item_uid"])
    _see_every_row()
    _snapshots_to_members(op.get_bind())
    enable_rls(op, "export_members")
    op.drop_table("export_files")
    op.drop_index("ix_export_segments_object", "export_segments")
    op.drop_index("ix_exports_snapshot", "exports")
    op.execute("ALTER TABLE exports DROP COLUMN snapshot_uid")
    op.drop_table("snapshot_members")
    op.drop_table("snapshots")


def _see_every_row():
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT set_config('tonewright.scope', 'system', true)")


def _table(name, columns):
    return sa.table(name, *(sa.column(column.name, column.type) for column in columns))


def _members_to_snapshots(bind):
    old, new = _table("export_members", _old_members()), _table("snapshot_members", _members())
    snapshots, exports = _table("snapshots", _snapshots()), _exports()
    for export in bind.execute(sa.select(exports)).mappings().all():
        uid = export["uid"]
        select = sa.select(old).where(old.c.export_uid == uid).order_by(old.c.position)
        members = [_new_member(row) for row in bind.execute(select).mappings()]
        same = ("uid", "artist", "principal", "display_name", "item_count", "duration_s", "create_time")
        row = {name: export[name] for name in same}
        made = {"content_sha256": _digest(members), "findings": [], "implicit": True, "revision": 1}
        bind.execute(sa.insert(snapshots).values({**row, **made, "update_time": export["create_time"]}))
        if members:
            bind.execute(sa.insert(new), members)
        bind.execute(sa.update(exports).where(exports.c.uid == uid).values(snapshot_uid=uid))


def _snapshots_to_members(bind):
    old, new = _table("export_members", _old_members()), _table("snapshot_members", _members())
    exports = _exports()
    kept = [new.c[column.name] for column in _old_members()[1:]]
    select = sa.select(exports.c.uid.label("export_uid"), *kept).where(new.c.snapshot_uid == exports.c.snapshot_uid)
    names = [column.name for column in _old_members()]
    bind.execute(sa.insert(old).from_select(names, select))


def _exports():
    own = {column.name: column for column in _snapshots()}
    names = ("uid", "artist", "principal", "display_name", "item_count", "duration_s", "create_time")
    return sa.table("exports", *(sa.column(name, own[name].type) for name in names), sa.column("snapshot_uid", Uid))


def _new_member(row):
    audio = row["audio"]
    consent = {"training_allowed": False, "given_by": "", "give_time": None, "evidence": ""}
    kept = {name: value for name, value in row.items() if name != "export_uid"}
    told = dict.fromkeys(("caption_source", "live_set", "live_set_sha256", "licence", "key", "time_signature"), "")
    return {
        **kept,
        **told,
        "snapshot_uid": row["export_uid"],
        "display_name": audio["display_name"],
        "asset": audio["asset"],
        "provenance": {},
        "consent": consent,
        "tempo_bpm": 0.0,
    }


def _digest(members):
    facts = [
        {
            "audio_sha256": member["audio"]["sha256"],
            "caption": member["caption"],
            "key": member["key"],
            "tempo_bpm": member["tempo_bpm"],
            "time_signature": member["time_signature"],
        }
        for member in members
    ]
    return hashlib.sha256(rfc8785.dumps({"members": facts, "version": 1})).hexdigest()
