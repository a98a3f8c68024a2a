from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.context import acting_as
from chassis.testing import caller_for
from chassis.testing.data import sqlite_database
from services.realtime.store.tables import Base
from tests.unit.realtime.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = sqlite_database(tmp_path, Base)
    with acting_as(caller_for("nova")):
        yield World(database)
    database.close()
