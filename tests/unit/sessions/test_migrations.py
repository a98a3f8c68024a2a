from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from chassis.db import migrate
from services.sessions.store import Base


def described(engine: sa.Engine) -> dict[str, object]:
    inspector = sa.inspect(engine)
    tables = sorted(set(inspector.get_table_names()) - {"alembic_version"})
    return {
        table: (
            {(column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns(table)},
            {(index["name"], tuple(index["column_names"])) for index in inspector.get_indexes(table)},
            {tuple(unique["column_names"]) for unique in inspector.get_unique_constraints(table)},
            tuple(inspector.get_pk_constraint(table)["constrained_columns"]),
        )
        for table in tables
    }


def test_the_migrations_make_the_tables_that_the_store_uses(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path}/migrated.db", "services.sessions:migrations", "sessions")
    migrated, mapped = (sa.create_engine(f"sqlite:///{tmp_path}/{name}.db") for name in ("migrated", "mapped"))
    Base.metadata.create_all(mapped)

    assert described(migrated) == described(mapped)

    for engine in (migrated, mapped):
        engine.dispose()
