import sqlalchemy as sa

from chassis.db import Database
from services.datasets.store.tables import Base


def test_the_migrations_give_the_tables_that_the_store_speaks_of(db: Database) -> None:
    found = sa.MetaData()
    found.reflect(db.engine)

    tables = {name: table for name, table in found.tables.items() if name != "alembic_version"}

    assert set(tables) == set(Base.metadata.tables)
    for name, table in Base.metadata.tables.items():
        columns = {column.name: column.nullable for column in tables[name].columns}
        assert columns == {column.name: column.nullable for column in table.columns}, name
        indexes = {index.name for index in tables[name].indexes}
        assert indexes == {index.name for index in table.indexes}, name


def test_every_row_belongs_to_an_artist() -> None:
    assert [name for name, table in Base.metadata.tables.items() if "artist" not in table.columns] == []
