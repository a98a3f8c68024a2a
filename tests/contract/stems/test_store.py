"""The rows of separations: the same on SQLite and Postgres, after the migrations that a service runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from chassis.context import acting_as, in_request
from chassis.db import Database, artist_scope, migrate
from chassis.ids import new_uid
from chassis.jobs import Jobs, LeaseLost
from chassis.paging import Pager
from chassis.testing import FakeClock
from services.stems.domain import (
    Order,
    Parameters,
    Priority,
    Result,
    Selection,
    Separation,
    SeparationNotFound,
    State,
    Stem,
    StemSet,
    Times,
)
from services.stems.store import Base, ResultRow, SeparationRow, SeparationStore
from services.stems.store.tables import to_separation
from tests.unit.stems.house import ADA, ARTIST

CLOCK = FakeClock()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SeparationStore]:
    owner = app = f"sqlite:///{tmp_path}/stems.db"
    if request.param == "postgres":
        made = request.getfixturevalue("postgres").create_database()
        owner, app = made.owner_url, made.app_url
    migrate(owner, "services.stems:migrations", "stems", app_url=app)
    db = Database(app, "stems")
    with acting_as(ADA), in_request():
        yield SeparationStore(db, Jobs(db, SeparationRow, CLOCK, noun="separation"), Pager(b"key"), CLOCK)
    db.close()


def asked(artist: str = ARTIST, key: str = "k" * 64) -> Separation:
    now = CLOCK.now()
    order = Order(
        asset=f"artists/{artist}/assets/1",
        model="dsp-stub",
        selection=Selection(StemSet.SUBSET, wanted_stems=("bass", "vocals")),
        parameters=Parameters(0.1, 2, 7),
        priority=Priority.INTERACTIVE,
        labels={"song": "Nür"},
    )
    return Separation(new_uid(), artist, "ada", order, "stub", key, State.QUEUED, Times(now, now))


def result_of(separation: Separation) -> Result:
    return Result((Stem("bass", f"artists/{separation.artist}/assets/b"),), -1.5, 0.25, separation.name)


def test_a_separation_comes_back_as_it_was_kept(store: SeparationStore) -> None:
    kept = store.add(asked(), "", b"")

    found = store.get(ARTIST, kept.uid)

    assert replace(found, etag="") == replace(asked(), uid=kept.uid)
    assert found.etag == kept.etag


def test_the_migrations_make_the_tables_that_the_code_expects(store: SeparationStore) -> None:
    with store.db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = compare_metadata(context, Base.metadata)

    assert [difference for difference in differences if difference[0] != "remove_table"] == []


def test_the_first_result_of_equal_work_counts(store: SeparationStore) -> None:
    for _ in range(2):
        store.add(asked(), "", b"")
    first, second = (to_separation(row) for row in (store.jobs.claim("a"), store.jobs.claim("b")) if row)

    made = store.finish(second, result_of(second))
    taken = store.finish(first, result_of(first))

    assert taken == made == store.result(ARTIST, first.content_key) == store.get(ARTIST, first.uid).result
    assert made.made_by == second.name


def test_a_lost_lease_leaves_no_result(store: SeparationStore) -> None:
    store.add(asked(), "", b"")
    row = store.jobs.claim("a")
    assert row is not None
    late = to_separation(row)
    store.jobs.release(row.uid, row.fence)

    with pytest.raises(LeaseLost):
        store.finish(late, result_of(late))

    assert store.result(ARTIST, late.content_key) is None


def test_only_an_earlier_run_of_equal_work_is_waited_for(store: SeparationStore) -> None:
    for key in ("k" * 64, "k" * 64, "x" * 64):
        store.add(asked(key=key), "", b"")
    rows = [store.jobs.claim("w") for _ in range(3)]
    first, second, other = (to_separation(row) for row in rows if row)

    waits = [store.twin_at_work(separation) for separation in (first, second, other)]

    assert waits == [False, True, False]


def test_a_deleted_separation_is_hidden_then_forgotten_with_its_result(store: SeparationStore) -> None:
    store.add(asked(), "", b"")
    row = store.jobs.claim("a")
    assert row is not None
    done = to_separation(row)
    store.finish(done, result_of(done))

    store.mark_deleted(ARTIST, done.uid, store.get(ARTIST, done.uid).etag)
    hidden = store.deleted(limit=10)
    store.remove(hidden[0])

    assert [separation.uid for separation in hidden] == [done.uid]
    assert store.result(ARTIST, done.content_key) is None
    assert store.deleted(limit=10) == []
    with pytest.raises(SeparationNotFound):
        store.get(ARTIST, done.uid)


def test_operators_see_every_artist_and_artists_see_themselves(store: SeparationStore) -> None:
    mine, theirs = store.add(asked(), "", b""), store.add(asked("stranger"), "", b"")

    own = store.page(ARTIST, size=0, token="").items
    all_of_them = store.page_of_all(size=0, token="", state=State.QUEUED).items

    assert [separation.uid for separation in own] == [mine.uid]
    assert {separation.uid for separation in all_of_them} == {mine.uid, theirs.uid}
    with pytest.raises(SeparationNotFound):
        store.get(ARTIST, theirs.uid)


@pytest.mark.parametrize("table", [SeparationRow, ResultRow])
def test_postgres_hides_rows_of_others_from_a_query_that_forgets_to_ask(
    request: pytest.FixtureRequest, tmp_path: Path, table: type[SeparationRow] | type[ResultRow]
) -> None:
    made = request.getfixturevalue("postgres").create_database()
    migrate(made.owner_url, "services.stems:migrations", "stems", app_url=made.app_url)
    db = Database(made.app_url, "stems")
    store = SeparationStore(db, Jobs(db, SeparationRow, CLOCK, noun="separation"), Pager(b"key"), CLOCK)
    with acting_as(ADA):
        store.add(asked(), "", b"")
        row = store.jobs.claim("a")
        assert row is not None
        store.finish(to_separation(row), result_of(to_separation(row)))

    seen = []
    for artist in (ARTIST, "stranger"):
        with db.transaction(artist_scope(artist), write=False) as session:
            seen.append(session.scalar(sa.select(sa.func.count()).select_from(table)))
    db.check_role()
    db.close()

    assert seen == [1, 0]
