"""When the tables are there that the code needs, on both databases and as a process sees it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.db import Database, migrate, schema_probe
from chassis.errors import DependencyUnavailable
from tests.contract.chassis.test_process import Process, start  # noqa: F401
from tests.contract.chassis.world import MIGRATIONS, SCHEMA, Place

_SECOND = """
revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    pass
"""


@pytest.fixture
def newer(tmp_path: Path) -> str:
    """The revisions of the next release."""
    versions = tmp_path / "next" / "versions"
    versions.mkdir(parents=True)
    (versions / "0001.py").write_text((Path(MIGRATIONS) / "versions" / "0001_tables.py").read_text())
    (versions / "0002.py").write_text(_SECOND)
    return str(versions.parent)


def test_an_older_schema_is_named_with_what_to_do(db: Database, newer: str) -> None:
    with pytest.raises(DependencyUnavailable, match=r"at revision 0001 and this release needs 0002; run `python -m"):
        schema_probe(db, newer)()


def test_a_schema_that_fits_is_asked_for_once(place: Place) -> None:
    db = place.open()
    probe = schema_probe(db, MIGRATIONS)
    probe()
    statements: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    probe()

    assert statements == []
    db.close()


def test_a_schema_of_the_next_release_does(place: Place, db: Database, newer: str) -> None:
    migrate(place.owner_url, newer, SCHEMA, app_url=place.app_url)

    schema_probe(db, MIGRATIONS)()


def test_an_older_release_leaves_a_newer_schema_as_it_is(place: Place, db: Database, newer: str) -> None:
    migrate(place.owner_url, newer, SCHEMA, app_url=place.app_url)

    migrate(place.owner_url, MIGRATIONS, SCHEMA, app_url=place.app_url)

    with db.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == "0002"


def test_a_database_without_tables_is_not_there_yet(place: Place, newer: str) -> None:
    empty = Database(place.app_url.replace("sqlite.db", "empty.db"), "elsewhere")

    with pytest.raises(DependencyUnavailable, match="at revision none"):
        schema_probe(empty, newer)()
    empty.close()


@pytest.mark.parametrize("arguments", [[], ["worker"]])
def test_a_process_waits_for_its_tables(start: Callable[..., Process], arguments: list[str]) -> None:  # noqa: F811
    variables = {"TONEWRIGHT_STEMS_TABLES": MIGRATIONS, "TONEWRIGHT_MIGRATE_ON_START": "false"}
    process = start(*arguments, **variables)
    before = process.ops("/readyz")

    assert start("migrate", **variables).wait() == 0
    end = time.monotonic() + 10
    while process.ops("/readyz")[0] != 200 and time.monotonic() < end:
        time.sleep(0.01)

    after = process.ops("/readyz")
    process.popen.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    assert before[0] == 503
    assert "at revision none" in json.loads(before[1])["failed"]["schema"]
    assert after[0] == 200
    said = "".join(process.lines)
    assert said.count("schema_awaited") == 1
    assert said.index("schema_awaited") < said.index("work_begun")


def test_a_process_that_waits_for_its_tables_can_be_stopped(start: Callable[..., Process]) -> None:  # noqa: F811
    process = start("worker", TONEWRIGHT_STEMS_TABLES=MIGRATIONS, TONEWRIGHT_MIGRATE_ON_START="false")
    process.port("ops_listening")
    process.popen.send_signal(signal.SIGTERM)

    assert process.wait(4) == 0
