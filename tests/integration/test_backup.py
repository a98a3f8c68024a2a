"""Backup and restore by the very commands of docs/operations.md, on real PostgreSQL and S3."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from chassis.objects import ObjectStore, open_store
from services.launcher.settings import PROCESSES, LauncherSettings
from tests.house import ROOT, House
from tests.material.pages import block
from tonewright_client import ArtistHandle
from tonewright_client.demo import walk
from tonewright_client.demo_material import write_piece
from tools.backends import Backend, Postgres

pytestmark = [pytest.mark.target("backends"), pytest.mark.usefixtures("house"), pytest.mark.timeout(600)]
SCHEMAS = ("prompt", "datasets", "sessions", "stems", "realtime")
_COUNTED = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema = ANY(%s)"


@dataclass
class Place:
    """A platform on servers of the session, with roles, a database and a bucket of its own."""

    admin_url: str
    owner_url: str
    app_url: str
    objects_url: str
    home: Path
    backup: Path
    credentials: Mapping[str, str]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def objects(self) -> ObjectStore:
        return open_store(self.objects_url)

    def house(self, **more: str) -> House:
        urls = {
            "TONEWRIGHT_DATABASE_URL": self.app_url,
            "TONEWRIGHT_MIGRATION_DATABASE_URL": self.owner_url,
            "TONEWRIGHT_OBJECTS_URL": self.objects_url,
        }
        return House(self.home, {**urls, **self.credentials, **more})

    def run(self, script: str) -> str:
        """What the commands say; they must succeed."""
        environment = {
            **os.environ,
            **self.credentials,
            "PATH": f"{_client_programs()}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "OWNER_URL": self.owner_url,
            "OBJECTS_URL": self.objects_url,
            "BACKUP": str(self.backup),
        }
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def rows(self) -> dict[str, int]:
        """Rows by table, as an administrator sees them."""
        with psycopg.connect(self.admin_url) as connection:
            tables = connection.execute(_COUNTED, [list(SCHEMAS)]).fetchall()
            count = "SELECT count(*) FROM {}.{}"
            return {
                f"{schema}.{table}": _number(connection, psycopg.sql.SQL(count), schema, table)
                for schema, table in tables
            }

    def as_app(self, sql: str, scope: str = "") -> int:
        """The number that the services' role is given, inside an artist's scope or none."""
        with psycopg.connect(self.app_url) as connection:
            connection.execute("SELECT set_config('tonewright.artist', %s, true)", [scope])
            found = connection.execute(sql).fetchone()
            assert found is not None
            return int(found[0])


def _number(connection: psycopg.Connection[Any], sql: psycopg.sql.SQL, *names: str) -> int:
    found = connection.execute(sql.format(*map(psycopg.sql.Identifier, names))).fetchone()
    assert found is not None
    return int(found[0])


def _client_programs() -> Path:
    """The folder of the newest PostgreSQL client."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    found = [folder for folder in folders if (folder / "pg_dump").exists()]
    if found:
        return found[0]
    if program := shutil.which("pg_dump"):
        return Path(program).parent
    message = "pg_dump is not installed; install PostgreSQL's client"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="module")
def place(postgres: Postgres, s3_server: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Roles and a database as the page makes them, and an own bucket."""
    folder, tag = tmp_path_factory.mktemp("backup"), secrets.token_hex(4)
    roles = folder / "roles.sql"
    roles.write_text(re.sub(r"\btonewright(?=_owner|_app|\b)", f"saved_{tag}", block("sql", "roles")))
    passwords = {role: secrets.token_hex(8) for role in ("owner", "app")}
    given = [f"--set={role}_password={password}" for role, password in passwords.items()]
    psql = [
        str(_client_programs() / "psql"),
        postgres.url,
        "--set=ON_ERROR_STOP=1",
        "--quiet",
        *given,
        f"--file={roles}",
    ]
    subprocess.run(psql, check=True, capture_output=True)
    at, name = postgres.url.rpartition("@")[2].partition("/")[0], f"saved_{tag}"
    owner, app = (f"postgresql://{name}_{role}:{password}@{at}/{name}" for role, password in passwords.items())
    admin = f"{postgres.url.rpartition('@')[0]}@{at}/{name}"
    objects = s3_server.url.replace(f"://{urlsplit(s3_server.url).netloc}/", f"://saved-{tag}/")
    (folder / "kept").mkdir()
    made = Place(admin, owner, app, objects, folder / "home", folder / "kept", s3_server.env)
    yield made
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for role in passwords:
            connection.execute(f"DROP ROLE {name}_{role}")


@pytest.fixture(scope="module")
def saved(place: Place) -> Place:
    """A platform that was filled, saved while it ran, changed once more, and destroyed."""
    house = place.house().start()
    try:
        with house.client() as client:
            report = walk(client, None, None)
            assert report.is_complete, report.rows[-1]
            artist = ArtistHandle(client.transport, next(client.artists())["name"])
            place.facts = {
                "artist": artist.name,
                "session": next(artist.sessions.list())["name"],
                "assets": {asset["name"]: asset["sha256"] for asset in artist.assets.list()},
                "rows": _settled(place),
                "objects": {info.key: info.size_bytes for info in place.objects.list("")},
            }
            place.facts["told"] = place.run(block("sh", "backup"))
            late = artist.assets.upload(write_piece(place.home / "late.wav", bars=1))
            place.facts["late"] = late["name"]
    finally:
        house.stop()
    with psycopg.connect(place.admin_url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {', '.join(SCHEMAS)} CASCADE")
    for info in list(place.objects.list("")):
        place.objects.delete(info.key)
    assert (place.rows(), list(place.objects.list(""))) == ({}, [])
    return place


def _settled(place: Place) -> dict[str, int]:
    """The rows once background work, which gives holds back every 2 s, has left them alone for 5 s."""
    seen: list[dict[str, int]] = [place.rows()]
    while seen[-1:] * 5 != seen[-5:]:
        assert len(seen) < 60, "rows still change after a minute"
        time.sleep(1)
        seen.append(place.rows())
    return seen[-1]


@pytest.fixture(scope="module")
def restored(saved: Place) -> Place:
    """The rows and objects as the page's commands bring them back."""
    saved.facts["verified"] = saved.run(block("sh", "restore"))
    saved.facts["restored_rows"] = saved.rows()
    return saved


@pytest.fixture(scope="module")
def again(restored: Place) -> Iterator[House]:
    """The platform on what was restored; it migrates nothing."""
    house = restored.house(TONEWRIGHT_MIGRATE_ON_START="false").start()
    yield house
    house.stop()


@pytest.fixture
def artist(restored: Place, again: House) -> Iterator[ArtistHandle]:
    with again.client() as client:
        yield client.artist(restored.facts["artist"])


def test_every_row_of_every_service_comes_back(restored: Place) -> None:
    before, after = restored.facts["rows"], restored.facts["restored_rows"]

    assert after == before
    assert {table.partition(".")[0] for table, rows in after.items() if rows} == set(SCHEMAS)


def test_every_object_comes_back_and_is_what_its_name_says(restored: Place) -> None:
    found = {info.key: info.size_bytes for info in restored.objects.list("")}

    assert found == restored.facts["objects"]
    assert re.search(r"^copied \d+ objects, \d+ bytes; 0 were there, 0 vanished, 0 damaged$", restored.facts["told"])
    assert re.search(r"^verified [1-9]\d* objects, .* 0 damaged$", restored.facts["verified"], re.MULTILINE)


def test_a_saved_session_opens_with_its_audio(restored: Place, artist: ArtistHandle) -> None:
    opened = artist.sessions.open(restored.facts["session"])

    assert opened["completeness"]["state"] == "COMPLETE"
    performance = artist.performances.create(session=restored.facts["session"])
    assert artist.performances.stop(performance["name"])["state"] == "STOPPED"


def test_each_asset_has_the_bytes_that_its_hash_promises(restored: Place, artist: ArtistHandle, tmp_path: Path) -> None:
    promised = restored.facts["assets"]

    found = {
        name: hashlib.sha256(artist.assets.download(name, tmp_path / str(number)).read_bytes()).hexdigest()
        for number, name in enumerate(promised)
    }

    assert found == promised
    assert len(found) >= 5, "a source and its stems"


def test_work_goes_on(restored: Place, artist: ArtistHandle, tmp_path: Path) -> None:
    asset = artist.assets.upload(write_piece(tmp_path / "new.wav", bars=1))

    done = artist.operations.wait(artist.separations.start(asset["name"]))

    assert len(done["stems"]) >= 2


def test_what_came_after_the_backup_is_gone(restored: Place, artist: ArtistHandle) -> None:
    assert restored.facts["late"] not in {asset["name"] for asset in artist.assets.list()}


def test_the_services_role_still_sees_one_artist_alone(restored: Place) -> None:
    artist = restored.facts["artist"].removeprefix("artists/")
    sql = "SELECT count(*) FROM sessions.assets"

    assert restored.as_app(sql) == 0
    assert restored.as_app(sql, "somebody-else") == 0
    assert restored.as_app(sql, artist) >= 5


def test_a_stranger_is_told_of_nothing(restored: Place, again: House) -> None:
    with again.http("bob") as stranger:
        assert stranger.get(f"/v1/{restored.facts['session']}").status_code == 404


def test_every_service_passes_its_check(again: House) -> None:
    given = LauncherSettings(again.home, again.environment()).child_environment(0)
    del given["TONEWRIGHT_LIFELINE_FD"]

    def check(arguments: tuple[str, ...]) -> str:
        command = [sys.executable, *arguments, "--check"]
        done = subprocess.run(command, env=given, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    with ThreadPoolExecutor(2) as threads:
        assert (
            list(filter(None, threads.map(check, [spec.arguments for spec in PROCESSES if spec.name in SCHEMAS]))) == []
        )
