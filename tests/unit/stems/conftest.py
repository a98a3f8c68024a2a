"""The stems service in this process, as ada uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.context import acting_as, in_request
from chassis.testing.data import sqlite_database
from services.stems.store import Base
from tests.unit.stems.house import ADA, StemsHouse


@pytest.fixture
def house(tmp_path: Path) -> Iterator[StemsHouse]:
    db = sqlite_database(tmp_path, Base)
    with acting_as(ADA), in_request():
        yield StemsHouse(db, tmp_path)
    db.close()
