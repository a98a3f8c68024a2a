from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.db import Database, migrate

MIGRATIONS = "services.prompt:migrations"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """The service's database as its migrations make it, seen by the role that serves."""
    url = owner_url = f"sqlite:///{tmp_path}/prompt.db"
    if request.param == "postgres":
        place = request.getfixturevalue("postgres").create_database()
        url, owner_url = place.app_url, place.owner_url
    migrate(owner_url, MIGRATIONS, "prompt", app_url=url)
    opened = Database(url, "prompt")
    yield opened
    opened.close()
