"""Live Sets are found by their names."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("live_sets", sa.Column("search_text", sa.Text, nullable=False, server_default=""))
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":  # the rows of all artists, for this transaction
        bind.execute(sa.text("SELECT set_config('tonewright.scope', 'system', true)"))
    # In Python: SQLite's own lower() knows the letters of ASCII alone.
    rows = bind.execute(sa.text("SELECT artist, uid, display_name, file_name, project_name FROM live_sets")).all()
    found = [
        {"artist": artist, "uid": uid, "text": "\n".join((display_name, file_name, project_name)).casefold()}
        for artist, uid, display_name, file_name, project_name in rows
    ]
    if found:
        bind.execute(sa.text("UPDATE live_sets SET search_text = :text WHERE artist = :artist AND uid = :uid"), found)
