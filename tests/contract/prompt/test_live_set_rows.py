"""Rows of Live Sets on both databases: finding them by name and by file, also those of before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.db import Database, artist_scope, migrate
from chassis.testing import FakeClock, caller_for
from services.prompt import migrations
from tests.contract.prompt.conftest import MIGRATIONS
from tests.material.live_set import live_set_bytes, small_plan
from tests.unit.prompt.house import House


@pytest.fixture
def house(database: Database) -> House:
    made = House(database, FakeClock())
    made.artists.create(caller_for("-"), "nova", "Nova Tide", "", "r1")
    return made


@pytest.mark.parametrize("query", ["GRÖ", "nacht_", "set.ALS"])
def test_names_are_found_whatever_their_case(house: House, query: str) -> None:
    made = house.add_live_set(project_name="Größe Nacht_1")
    house.add_live_set(live_set_bytes(small_plan(99)), display_name="other")
    house.live_sets.update("nova", made.uid, "", {"display_name": "My set.als"})

    found = house.live_sets.list("nova", 0, "", show_deleted=False, query=query).items

    assert made.uid in {live_set.uid for live_set in found}
    assert house.live_sets.list("nova", 0, "", show_deleted=False, query=f"{query}%").items == []


def test_pages_of_a_query_hold_no_other_names(house: House) -> None:
    for number in range(5):
        house.add_live_set(display_name=f"{'Song' if number % 2 else 'Sketch'} {number}")

    page = house.live_sets.list("nova", 1, "", show_deleted=False, query="song")
    after = house.live_sets.list("nova", 1, page.next_page_token, show_deleted=False, query="song")

    assert [live_set.display_name for live_set in (*page.items, *after.items)] == ["Song 3", "Song 1"]
    assert not after.next_page_token


def test_a_file_is_found_until_its_live_set_is_deleted(house: House) -> None:
    made = house.add_live_set()
    with house.store.of_artist("nova", write=False) as rows:
        assert rows.live_set_of_file("nova", made.sha256) == made

    house.live_sets.delete("nova", made.uid, "")

    with house.store.of_artist("nova", write=False) as rows:
        assert rows.live_set_of_file("nova", made.sha256) is None
        assert rows.live_set_of_file("nova", "0" * 64) is None


@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
def test_live_sets_of_before_are_found_too(request: pytest.FixtureRequest, tmp_path: Path, backend: str) -> None:
    url = owner_url = f"sqlite:///{tmp_path}/before.db"
    if backend == "postgres":
        place = request.getfixturevalue("postgres").create_database()
        url, owner_url = place.app_url, place.owner_url
    (tmp_path / "old" / "versions").mkdir(parents=True)
    for revision in Path(migrations.__file__).parent.glob("versions/000[12]_*.py"):
        shutil.copy(revision, tmp_path / "old" / "versions")
    migrate(owner_url, f"{tmp_path}/old", "prompt", app_url=url)
    database = Database(url, "prompt")
    with database.transaction(artist_scope("nova")) as session:
        artist = "INSERT INTO artists (artist, display_name, description, revision, create_time, update_time)"
        session.execute(sa.text(f"{artist} VALUES ('nova', 'Nova', '', 1, :now, :now)"), {"now": "2026-01-01 00:00:00"})
        columns = "artist, uid, display_name, project_name, file_name, sha256, size_bytes, summary, revision"
        values = "'nova', 'l1', 'Größe', 'Album', 'GRÖßE.als', '0', 1, '{}', 1, :now, :now"
        session.execute(
            sa.text(f"INSERT INTO live_sets ({columns}, create_time, update_time) VALUES ({values})"),
            {"now": "2026-01-01 00:00:00"},
        )

    migrate(owner_url, MIGRATIONS, "prompt", app_url=url)

    with database.transaction(artist_scope("nova"), write=False) as session:
        text = session.execute(sa.text("SELECT search_text FROM live_sets")).scalar_one()
    assert text == "grösse\ngrösse.als\nalbum"
    database.close()
