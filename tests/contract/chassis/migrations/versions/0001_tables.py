from alembic import op

from chassis.db import enable_rls
from tests.contract.chassis.world import Base

revision = "0001"
down_revision = None


def upgrade() -> None:
    Base.metadata.create_all(op.get_bind())
    for table in ("notes", "separations", "effects", "requests", "outbox"):
        enable_rls(op, table)
