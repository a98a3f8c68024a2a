"""The rows of separations: the same on SQLite and Postgres, after the migrations that a service runs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from chassis.context import acting_as, in_request
from chassis.db import Database, artist_scope, migrate, system_scope
from chassis.errors import Unavailable
from chassis.ids import new_uid
from chassis.jobs import Jobs, LeaseLost
from chassis.outbox import Outbox
from chassis.paging import Pager
from chassis.testing import FakeClock
from services.stems.domain import (
    CHUNKS_KEPT,
    Chunk,
    ChunkPart,
    Order,
    Parameters,
    Priority,
    Result,
    Selection,
    Separation,
    SeparationInputEmpty,
    SeparationNotFound,
    State,
    Stem,
    StemSet,
    Times,
    Webhook,
)
from services.stems.store import Base, ChunkRow, OutboxRow, ResultRow, SeparationRow, SeparationStore
from services.stems.store.tables import to_separation
from tests.unit.stems.house import ADA, ARTIST

CLOCK = FakeClock()
SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SeparationStore]:
    owner = app = f"sqlite:///{tmp_path}/stems.db"
    if request.param == "postgres":
        made = request.getfixturevalue("postgres").create_database()
        owner, app = made.owner_url, made.app_url
    migrate(owner, "services.stems:migrations", "stems", app_url=app)
    db = Database(app, "stems")
    with acting_as(ADA), in_request():
        yield store_of(db)
    db.close()


def store_of(db: Database) -> SeparationStore:
    jobs = Jobs(db, SeparationRow, CLOCK, noun="separation")
    return SeparationStore(db, jobs, Pager(b"key"), CLOCK, Outbox(db, OutboxRow, CLOCK))


def asked(artist: str = ARTIST, key: str = "k" * 64) -> Separation:
    now = CLOCK.now()
    order = Order(
        asset=f"artists/{artist}/assets/1",
        model="dsp-stub",
        selection=Selection(StemSet.SUBSET, wanted_stems=("bass", "vocals"), include_residual=True),
        parameters=Parameters(0.1, 2, 7, deterministic=True),
        priority=Priority.INTERACTIVE,
        labels={"song": "Nür"},
        publish_chunks=True,
        webhook=Webhook("https://hooks.example.com/end", SECRET),
    )
    return Separation(new_uid(), artist, "ada", order, "stub", key, State.QUEUED, Times(now, now))


def result_of(separation: Separation) -> Result:
    return Result((Stem("bass", f"artists/{separation.artist}/assets/b"),), -1.5, 0.25, separation.name)


def test_a_separation_comes_back_as_it_was_kept(store: SeparationStore) -> None:
    kept = store.add(asked(), "", b"")

    found = store.get(ARTIST, kept.uid)

    assert replace(found, etag="") == replace(asked(), uid=kept.uid)
    assert found.etag == kept.etag


def test_rows_of_the_release_before_are_read(store: SeparationStore) -> None:
    uid, now = new_uid(), CLOCK.now()
    old = {
        "uid": uid, "artist": ARTIST, "principal": "ada", "state": "QUEUED", "priority": 0, "attempt": 0, "fence": 0,
        "lost_leases": 0, "failures": 0, "cancel_requested": False, "progress_percent": 0.0, "stage": "",
        "create_time": now, "update_time": now, "asset": f"artists/{ARTIST}/assets/1", "model": "dsp-stub",
        "engine": "stub", "selection": {"stem_set": "ALL", "target_stem": "", "wanted_stems": []},
        "output_format": "FLAC_24", "parameters": {"overlap": 0.25, "shifts": 0, "seed": 0}, "labels": {},
        "content_key": "k" * 64,
    }  # fmt: skip
    known = Base.metadata.tables["separations"]
    columns = [known.c[name] for name in old]
    with store.db.transaction(artist_scope(ARTIST)) as session:
        session.execute(sa.insert(sa.table("separations", *(sa.column(c.name, c.type) for c in columns))), old)

    found = store.get(ARTIST, uid)

    assert found.order == Order(f"artists/{ARTIST}/assets/1", "dsp-stub")


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


def test_equal_work_that_is_further_is_waited_for(store: SeparationStore) -> None:
    for _ in range(2):
        store.add(asked(), "", b"")
    first, second = (to_separation(row) for row in (store.jobs.claim("a"), store.jobs.claim("b")) if row)

    store.jobs.heartbeat(second.uid, second.attempt.fence, stage="separating")

    assert [store.twin_at_work(separation) for separation in (first, second)] == [True, True]


@pytest.mark.parametrize(
    "end",
    [lambda store, ended: store.finish(ended, result_of(ended)), lambda store, ended: store.wake_twins(ended)],
    ids=["finished", "given up"],
)
def test_equal_work_that_waits_is_woken_by_an_end(
    store: SeparationStore, end: Callable[[SeparationStore, Separation], object]
) -> None:
    store.add(asked(), "", b"")
    store.add(asked(), "", b"")
    row, waiting = store.jobs.claim("a"), store.jobs.claim("b")
    assert row is not None
    assert waiting is not None
    store.jobs.fail(waiting.uid, waiting.fence, Unavailable("an equal one runs", retry_after_s=15))
    early = store.jobs.claim("b")

    end(store, to_separation(row))

    assert early is None
    woken = store.jobs.claim("b")
    assert woken is not None
    assert woken.uid == waiting.uid


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


def chunk(index: int, frame_count: int = 100) -> Chunk:
    parts = tuple(ChunkPart(stem, f"{index}-{stem}.flac", "audio/flac") for stem in ("bass", "residual"))
    return Chunk(index, index * 100, frame_count, 44100, parts)


def running(store: SeparationStore, artist: str = ARTIST) -> Separation:
    store.add(asked(artist), "", b"")
    row = store.jobs.claim("a")
    assert row is not None
    return to_separation(row)


def test_chunks_come_in_order_up_to_the_first_that_is_missing(store: SeparationStore) -> None:
    separation = running(store)
    for index in (1, 0, 3):
        store.add_chunk(separation, chunk(index))
    store.add_chunk(separation, chunk(1, frame_count=50))

    assert store.chunks(ARTIST, separation.uid, first=0) == [chunk(0), chunk(1, frame_count=50)]
    assert store.chunks(ARTIST, separation.uid, first=3) == [chunk(3)]
    assert store.chunks("stranger", separation.uid, first=0) == []


def test_a_lost_lease_tells_no_chunk(store: SeparationStore) -> None:
    late = running(store)
    store.jobs.release(late.uid, late.attempt.fence)
    row = store.jobs.claim("b")
    assert row is not None

    with pytest.raises(LeaseLost):
        store.add_chunk(late, chunk(0))
    store.add_chunk(to_separation(row), chunk(0))

    assert len(store.chunks(ARTIST, late.uid, first=0)) == 1


def test_chunks_are_stale_some_minutes_after_the_end(store: SeparationStore) -> None:
    separation = running(store)
    store.add_chunk(separation, chunk(0))
    store.finish(separation, result_of(separation))

    CLOCK.advance(CHUNKS_KEPT.total_seconds() - 1)
    early = store.with_stale_chunks(limit=10)
    CLOCK.advance(2)
    [stale] = store.with_stale_chunks(limit=10)
    store.forget_chunks(stale)
    store.mark_chunks_gone(stale)

    assert (early, stale.uid) == ([], separation.uid)
    assert store.chunks(ARTIST, separation.uid, first=0) == []
    assert store.with_stale_chunks(limit=10) == []


def events(store: SeparationStore) -> list[dict[str, Any]]:
    with store.db.transaction(system_scope("test"), write=False) as session:
        rows = session.scalars(sa.select(OutboxRow).order_by(OutboxRow.uid)).all()
    assert {(row.url, row.secret) for row in rows} <= {("https://hooks.example.com/end", SECRET)}
    return [json.loads(row.body) for row in rows]


def test_each_end_is_told_once(store: SeparationStore) -> None:
    done, failed = running(store), running(store)
    stopped = store.add(asked(), "", b"")
    assert store.tell_ends(limit=10) == 0
    store.finish(done, result_of(done))
    store.jobs.fail(failed.uid, failed.attempt.fence, SeparationInputEmpty("it is empty"))
    store.request_cancel(ARTIST, stopped.uid)

    counts = [store.tell_ends(limit=10) for _ in range(2)]

    assert counts == [3, 0]
    told = {event["data"]["name"]: event for event in events(store)}
    assert told[done.name]["type"] == "separation.succeeded"
    assert told[done.name]["data"] == {
        "name": done.name,
        "operation": f"artists/{ARTIST}/operations/separations-{done.uid}",
        "state": "SUCCEEDED",
        "stems": [{"stem": "bass", "asset": f"artists/{ARTIST}/assets/b"}],
    }
    assert told[failed.name]["type"] == "separation.failed"
    assert told[failed.name]["data"]["error_reason"] == "SEPARATION_INPUT_EMPTY"
    assert told[stopped.name]["type"] == "separation.cancelled"


def test_an_end_is_told_even_when_the_row_moves_on_at_once(store: SeparationStore) -> None:
    again, gone = running(store), running(store)
    store.jobs.fail(again.uid, again.attempt.fence, SeparationInputEmpty("it is empty"))
    store.finish(gone, result_of(gone))

    store.requeue(ARTIST, again.uid)
    store.mark_deleted(ARTIST, gone.uid, "")
    row = store.jobs.claim("b")
    assert row is not None
    store.finish(to_separation(row), result_of(to_separation(row)))
    store.tell_ends(limit=10)

    assert [event["type"] for event in events(store)] == [
        "separation.failed", "separation.succeeded", "separation.succeeded",
    ]  # fmt: skip


def test_processes_that_tell_ends_at_the_same_time_tell_each_once(store: SeparationStore) -> None:
    for _ in range(6):
        separation = running(store)
        store.finish(separation, result_of(separation))

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: store.tell_ends(limit=4), range(6)))

    assert len({event["data"]["name"] for event in events(store)}) == len(events(store)) == 6


def test_settled_events_are_dropped_after_a_week(store: SeparationStore) -> None:
    separation = running(store)
    store.finish(separation, result_of(separation))
    store.tell_ends(limit=10)
    CLOCK.advance(8 * 86400)
    kept = store.forget_events()
    with store.db.transaction(system_scope("test")) as session:
        session.execute(sa.update(OutboxRow).values(state="DELIVERED"))

    assert (kept, store.forget_events(), events(store)) == (0, 1, [])


@pytest.mark.parametrize("table", [SeparationRow, ResultRow, ChunkRow, OutboxRow])
def test_postgres_hides_rows_of_others_from_a_query_that_forgets_to_ask(
    request: pytest.FixtureRequest, tmp_path: Path, table: type[Any]
) -> None:
    made = request.getfixturevalue("postgres").create_database()
    migrate(made.owner_url, "services.stems:migrations", "stems", app_url=made.app_url)
    db = Database(made.app_url, "stems")
    store = store_of(db)
    with acting_as(ADA):
        separation = running(store)
        store.add_chunk(separation, chunk(0))
        store.finish(separation, result_of(separation))
        store.tell_ends(limit=1)

    seen = []
    for artist in (ARTIST, "stranger"):
        with db.transaction(artist_scope(artist), write=False) as session:
            seen.append(session.scalar(sa.select(sa.func.count()).select_from(table)))
    db.check_role()
    db.close()

    assert seen == [1, 0]
