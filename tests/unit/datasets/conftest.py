from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.context import acting_as, in_request
from chassis.db import Database, migrate
from chassis.testing import caller_for
from tests.unit.datasets.house import ARTIST, House


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("datasets") / "empty.db"
    migrate(f"sqlite:///{path}", "services.datasets:migrations", "datasets")
    return path


@pytest.fixture
def db(migrated: Path, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "datasets.db"
    path.write_bytes(migrated.read_bytes())
    with contextlib.closing(Database(f"sqlite:///{path}", "datasets")) as database:
        yield database


@pytest.fixture
def house(db: Database) -> Iterator[House]:
    with in_request(), acting_as(caller_for(ARTIST)):
        yield House(db)
