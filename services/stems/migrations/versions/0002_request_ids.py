"""Separations keep the id of the request that asked for them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("separations", sa.Column("request_id", sa.String(128)))


def downgrade():
    op.drop_column("separations", "request_id")
