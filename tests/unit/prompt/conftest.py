from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chassis.context import Role, acting_as
from chassis.testing import FakeClock, caller_for
from chassis.testing.data import sqlite_database
from services.prompt.store.tables import Base
from tests.unit.prompt.house import House


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def house(tmp_path: Path, clock: FakeClock) -> Iterator[House]:
    """The service's use cases on a real database, with objects in memory."""
    database = sqlite_database(tmp_path, Base)
    yield House(database, clock)
    database.close()


@pytest.fixture
def nova(house: House) -> House:
    """The same, with the artist `nova` of ada's, who is calling."""
    with acting_as(caller_for("-")):
        house.artists.create(caller_for("-"), "nova", "Nova Tide", "", "")
    return house


@pytest.fixture(autouse=True)
async def _ada_calls() -> AsyncIterator[None]:
    with acting_as(caller_for("nova", role=Role.OWNER)):
        yield
