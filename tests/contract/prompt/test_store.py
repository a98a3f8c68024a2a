"""The rows of the service on both databases, as the migrations make them."""

from __future__ import annotations

import dataclasses
import json
import shutil
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.context import Role, acting_as, in_request
from chassis.db import Database, artist_scope, migrate
from chassis.errors import AppError, EtagMismatch
from chassis.testing import FakeClock, caller_for
from services.prompt import migrations
from services.prompt.domain.artists import ArtistIdTaken, ArtistNotFound, LastOwner, MemberExists
from services.prompt.domain.captions import CaptionRequest, Hints
from services.prompt.domain.live_sets import LiveSetNotFound
from services.prompt.domain.templates import PromptTemplateExists, PromptTemplateInUse
from services.prompt.store.tables import Base
from services.prompt.use_cases.templates import NewTemplate
from tests.contract.prompt.conftest import MIGRATIONS
from tests.unit.prompt.house import House, ScriptedWriter, ada
from tests.unit.prompt.test_rules import GOOD


@pytest.fixture
def house(database: Database) -> House:
    made = House(database, FakeClock())
    made.artists.create(caller_for("-"), "nova", "Nova Tide", "", "r1")
    return made


def test_the_tables_are_those_that_the_code_reads(database: Database) -> None:
    database.check_role()
    inspector = sa.inspect(database.engine)

    for table in Base.metadata.sorted_tables:
        columns = {column["name"] for column in inspector.get_columns(table.name)}
        assert columns == {column.name for column in table.columns}, table.name


def test_artists_and_members_are_kept(house: House) -> None:
    bob = house.members.create(ada(), "nova", "bob", Role.EDITOR, "Bob", "m1")

    assert house.members.create(ada(), "nova", "bob", Role.EDITOR, "Bob", "m1") == bob
    assert house.artists.create(caller_for("-"), "nova", "Nova Tide", "", "r1").id == "nova"
    with pytest.raises(MemberExists):
        house.members.create(ada(), "nova", "bob", Role.EDITOR, "", "")
    with pytest.raises(ArtistIdTaken):
        house.artists.create(caller_for("-", principal="bob"), "nova", "x", "", "")


def test_a_profile_and_a_live_set_are_kept_as_they_were(house: House) -> None:
    schema = {"artist": {"name": "N"}, "free": [1, 2.5, None, True, {"ü": "東京"}]}
    house.profiles.update("nova", "", {"master_schema": schema})
    live_set = house.add_live_set(request_id="l1")

    assert house.profiles.get("nova").master_schema == schema
    assert house.live_sets.get("nova", live_set.uid) == live_set
    assert house.add_live_set(request_id="l1") == live_set


async def test_a_caption_is_kept_as_it_was(house: House) -> None:
    asked = CaptionRequest(artist="nova", hints=Hints(tempo_bpm=120), request_id="c1")
    with acting_as(ada()), in_request():
        caption = await house.captions(ScriptedWriter(GOOD)).generate(ada(), asked)

    assert house.captions().get("nova", caption.uid) == caption
    assert dataclasses.replace(caption.provenance, latency_ms=0).raw_text == GOOD


def test_no_row_is_seen_from_another_artist(house: House) -> None:
    live_set = house.add_live_set()
    house.artists.create(caller_for("-", principal="bob"), "other", "Other", "", "")

    with pytest.raises(LiveSetNotFound):
        house.live_sets.get("other", live_set.uid)
    assert house.live_sets.list("other", 0, "", show_deleted=True).items == []
    with pytest.raises(ArtistNotFound):
        house.artists.get("missing")


def test_the_second_wall_stands_without_the_first(house: House, database: Database) -> None:
    house.add_live_set()
    house.profiles.update("nova", "", {"notes": "ours"})
    tables = [table for table in Base.metadata.sorted_tables if table.name != "requests"]
    walls = {"sqlite": 1, "postgresql": 0}  # SQLite has no second wall: the query sees everything

    with database.transaction(artist_scope("other"), write=False) as session:
        seen = [session.scalar(sa.select(sa.func.count()).select_from(table)) for table in tables]

    most = walls[database.engine.dialect.name]
    assert max(count or 0 for count in seen) == most


def test_of_two_changes_from_the_same_etag_one_wins(house: House) -> None:
    etag = house.artists.get("nova").etag
    outcomes: list[str] = []

    def change(name: str) -> None:
        try:
            house.artists.update("nova", etag, {"display_name": name})
            outcomes.append("changed")
        except EtagMismatch:
            outcomes.append("refused")

    threads = [threading.Thread(target=change, args=(f"name {number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["changed"] + ["refused"] * 5


def test_two_owners_cannot_both_leave(house: House) -> None:
    bob = house.members.create(ada(), "nova", "bob", Role.OWNER, "", "")
    owners = [bob.uid, next(m.uid for m in house.members.list("nova", 0, "").items if m.principal == "ada")]
    outcomes: list[type[AppError] | None] = []

    def leave(uid: str) -> None:
        try:
            house.members.delete("nova", uid, "")
            outcomes.append(None)
        except LastOwner:
            outcomes.append(LastOwner)

    threads = [threading.Thread(target=leave, args=(uid,)) for uid in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count(None) == 1
    assert outcomes.count(LastOwner) == 1


def test_what_is_due_goes_for_good(house: House) -> None:
    live_set = house.add_live_set()
    house.artists.delete("nova", "")
    house.clock.advance(timedelta(days=31).total_seconds())

    assert house.purge() == 1

    assert house.objects.head(live_set.blob_key) is None
    with pytest.raises(ArtistNotFound):
        house.artists.undelete("nova")


@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
def test_captions_of_before_are_found_by_what_they_were_written_from(
    request: pytest.FixtureRequest, tmp_path: Path, backend: str
) -> None:
    url = owner_url = f"sqlite:///{tmp_path}/before.db"
    if backend == "postgres":
        place = request.getfixturevalue("postgres").create_database()
        url, owner_url = place.app_url, place.owner_url
    (tmp_path / "old" / "versions").mkdir(parents=True)
    for revision in Path(migrations.__file__).parent.glob("versions/0001_*.py"):
        shutil.copy(revision, tmp_path / "old" / "versions")
    migrate(owner_url, f"{tmp_path}/old", "prompt", app_url=url)
    database = Database(url, "prompt")
    kept = {"live_set": "artists/nova/live-sets/l1", "asset": "", "prompt_version": "train-v2"}
    moment = "2026-01-01 00:00:00"
    with database.transaction(artist_scope("nova")) as session:
        artist = "INSERT INTO artists (artist, display_name, description, revision, create_time, update_time)"
        session.execute(sa.text(f"{artist} VALUES ('nova', 'Nova', '', 1, :now, :now)"), {"now": moment})
        caption = "INSERT INTO captions (artist, uid, text, violations, warnings, provenance, create_time)"
        session.execute(
            sa.text(f"{caption} VALUES ('nova', 'c1', 'x', '[]', '[]', :kept, :now)"),
            {"kept": json.dumps(kept), "now": moment},
        )

    migrate(owner_url, MIGRATIONS, "prompt", app_url=url)

    with database.transaction(artist_scope("nova"), write=False) as session:
        row = session.execute(sa.text("SELECT live_set, asset, prompt_version FROM captions")).one()
    assert dict(row._mapping) == kept
    database.close()


async def test_templates_are_kept_and_walled_off(house: House, database: Database) -> None:
    new = NewTemplate("drums-first", "Drums", "Write about the drums first.", 0.2, 200)
    house.templates.create(ada(), "nova", new)
    approved = house.templates.approve(ada(), "nova", "drums-first", "")

    assert house.templates.get("nova", "drums-first") == approved
    with pytest.raises(PromptTemplateExists):
        house.templates.create(ada(), "nova", new)
    caption = await house.captions().generate(ada(), CaptionRequest(artist="nova", hints=Hints(tempo_bpm=120)))
    assert caption.provenance.prompt_version == "drums-first"
    with pytest.raises(PromptTemplateInUse):
        house.templates.delete("nova", "drums-first")
    if database.engine.dialect.name == "postgresql":
        with database.transaction(artist_scope("other"), write=False) as session:
            assert session.execute(sa.text("SELECT count(*) FROM prompt_templates")).scalar_one() == 0
