"""Exports made before there were snapshots keep what they froze, on both databases, there and back."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from chassis.context import acting_as, in_request
from chassis.db import Database, migrate
from chassis.jobs import Jobs
from chassis.paging import Pager
from chassis.testing import FakeClock, caller_for
from services.datasets.store import SqlExports, SqlSnapshots
from services.datasets.store.shared import Ground
from services.datasets.store.tables import Exports
from tests.unit.datasets.house import ARTIST

MIGRATIONS = Path("services/datasets/migrations")
UID, ITEM = "e" * 32, "f" * 32
AUDIO = {
    "asset": "artists/nova/assets/a1",
    "display_name": "one.wav",
    "object_key": "artists/nova/blobs/sha256/a1",
    "sha256": "a" * 64,
    "crc32": 7,
    "size_bytes": 9,
    "media_type": "audio/wav",
    "duration_s": 40.0,
    "rate_hz": 44100,
    "channels": 2,
}
EXPORT = {
    "uid": UID,
    "artist": ARTIST,
    "principal": "ada",
    "display_name": "Night set",
    "export_format": "REPLICATE_MUSICGEN",
    "options": json.dumps({"trigger": "", "nested": False}),
    "item_count": 1,
    "duration_s": 40.0,
    "chunk_count": 2,
    "warnings": "[]",
    "file_name": "Night-set.zip",
    "size_bytes": 200,
    "content_etag": "x" * 64,
    "state": "SUCCEEDED",
    "priority": 0,
    "attempt": 1,
    "fence": 1,
    "lost_leases": 0,
    "failures": 0,
    "cancel_requested": False,
    "progress_percent": 100.0,
    "stage": "",
    "create_time": "2026-01-02 03:04:05+00:00",
    "update_time": "2026-01-02 03:04:05+00:00",
}
MEMBER = {
    "export_uid": UID,
    "position": 1,
    "artist": ARTIST,
    "item_uid": ITEM,
    "caption": "Café. BPM: 90",
    "caption_revision": 2,
    "content_revision": 3,
    "audio": json.dumps(AUDIO),
}


@pytest.fixture(params=["sqlite", "postgres"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """What serves, and what owns."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/datasets.db", f"sqlite:///{tmp_path}/datasets.db"
    place = request.getfixturevalue("postgres").create_database()
    return place.app_url, place.owner_url


def insert(database: Database, table: str, row: dict[str, object]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    places = ", ".join(f":{name}" for name in row)
    with owned(database) as connection:
        connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({places})"), row)


@contextlib.contextmanager
def owned(database: Database) -> Iterator[sa.Connection]:
    with database.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT set_config('tonewright.scope', 'system', true)"))
        yield connection


def before(tmp_path: Path) -> str:
    """The migrations without those of snapshots and what came after."""
    copied = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, copied, ignore=shutil.ignore_patterns("000[4-9]*", "__pycache__"))
    return str(copied)


def test_an_export_of_before_gets_the_snapshot_that_it_was_made_of(urls: tuple[str, str], tmp_path: Path) -> None:
    app_url, owner_url = urls
    migrate(owner_url, before(tmp_path), "datasets", app_url=app_url)
    with contextlib.closing(Database(owner_url, "datasets")) as owner:
        insert(owner, "exports", EXPORT)
        insert(owner, "export_members", MEMBER)

    migrate(owner_url, "services.datasets:migrations", "datasets", app_url=app_url)

    with in_request(), acting_as(caller_for(ARTIST)), contextlib.closing(Database(app_url, "datasets")) as database:
        clock = FakeClock()
        ground = Ground(database, clock, Pager(b"k" * 32))
        export = SqlExports(ground, Jobs(database, Exports, clock, noun="export")).get(ARTIST, UID)
        snapshot = SqlSnapshots(ground).get(ARTIST, export.snapshot_uid)
        (member,) = SqlSnapshots(ground).members(ARTIST, export.snapshot_uid)
    assert (snapshot.display_name, snapshot.implicit, snapshot.item_count) == ("Night set", True, 1)
    assert len(snapshot.content_sha256) == 64
    assert (member.item_uid, member.caption, member.caption_revision) == (ITEM, "Café. BPM: 90", 2)
    assert (member.content_revision, member.audio.sha256, member.consent.training_allowed) == (3, "a" * 64, False)


def test_members_are_back_after_a_downgrade(urls: tuple[str, str], tmp_path: Path) -> None:
    app_url, owner_url = urls
    migrate(owner_url, before(tmp_path), "datasets", app_url=app_url)
    with contextlib.closing(Database(owner_url, "datasets")) as owner:
        insert(owner, "exports", EXPORT)
        insert(owner, "export_members", MEMBER)
        migrate(owner_url, "services.datasets:migrations", "datasets", app_url=app_url)

        with owned(owner) as connection:
            downgrade(connection)

        with owned(owner) as connection:
            (row,) = connection.execute(sa.text("SELECT * FROM export_members")).mappings()
            left = set(sa.inspect(connection).get_table_names())
    audio = row["audio"] if isinstance(row["audio"], dict) else json.loads(row["audio"])
    assert (row["export_uid"], row["caption"], audio) == (UID, MEMBER["caption"], AUDIO)
    assert not left & {"snapshots", "snapshot_members", "export_files"}


def downgrade(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "services.datasets:migrations")
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, script, fn=lambda heads, _: script._downgrade_revs("0003", heads)) as environment:
        environment.configure(connection=connection, transactional_ddl=True, render_as_batch=True)
        environment.run_migrations()
