"""Live Sets are found by their names."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("live_sets", sa.Column("search_text", sa.Text, nullable=False, server_default=""))
    # The line ends keep a query from matching across two names.
    names = "display_name || '\n' || file_name || '\n' || project_name"
    op.execute(f"UPDATE live_sets SET search_text = lower({names})")
