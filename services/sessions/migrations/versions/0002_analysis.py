"""What is heard in assets."""

import sqlalchemy as sa
from alembic import op

from chassis.db import Json

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("assets", sa.Column("analysis", Json, nullable=True))
    op.add_column("assets", sa.Column("fingerprint", sa.LargeBinary, nullable=True))


def downgrade():
    op.drop_column("assets", "fingerprint")
    op.drop_column("assets", "analysis")
