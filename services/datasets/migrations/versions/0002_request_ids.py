"""Long work keeps the id of the request that asked for it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    for table in ("exports", "training_file_versions"):
        op.add_column(table, sa.Column("request_id", sa.String(128)))


def downgrade():
    for table in ("exports", "training_file_versions"):
        op.drop_column(table, "request_id")
