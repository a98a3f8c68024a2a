"""One suite for both databases."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.clock import SystemClock
from chassis.context import Caller, Role, response_flags
from chassis.db import Database, artist_scope, migrate, system_scope
from chassis.errors import DependencyUnavailable, InvalidArgument, PageTokenInvalid, RequestIdReused
from chassis.ids import new_uid
from chassis.paging import Pager
from chassis.requests import once
from tests.contract.chassis.world import MIGRATIONS, SCHEMA, Note, Place, Request
from tools.backends import Postgres

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def note(artist: str = "ada", at: datetime = NOW, **columns: object) -> Note:
    return Note(uid=new_uid(), artist=artist, create_time=at, **columns)


def add(db: Database, *notes: Note) -> None:
    for made in notes:
        with db.transaction(artist_scope(made.artist)) as session:
            session.add(made)


def test_a_transaction_commits_all_or_nothing(db: Database) -> None:
    add(db, note())
    with pytest.raises(RuntimeError), db.transaction(artist_scope("ada")) as session:  # noqa: PT012
        session.add(note())
        session.flush()
        raise RuntimeError

    with db.transaction(artist_scope("ada"), write=False) as session:
        assert len(session.scalars(sa.select(Note)).all()) == 1


def test_times_and_facts_come_back_as_they_went(db: Database) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    add(db, note(at=elsewhere, facts={"key": ["Ä", 1.5, None]}))

    with db.transaction(artist_scope("ada"), write=False) as session:
        found = session.scalars(sa.select(Note)).one()

    assert (found.create_time, found.create_time.tzinfo, found.facts) == (NOW, UTC, {"key": ["Ä", 1.5, None]})


def test_a_naive_time_is_refused(db: Database) -> None:
    with pytest.raises(sa.exc.StatementError):
        add(db, note(at=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_a_reading_transaction_cannot_write(db: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError), db.transaction(artist_scope("ada"), write=False) as session:  # noqa: PT012
        session.add(note())
        session.flush()


def test_hooks_run_after_the_commit_alone(db: Database) -> None:
    seen: list[int] = []

    def count() -> None:
        with db.transaction(artist_scope("ada"), write=False) as session:
            seen.append(len(session.scalars(sa.select(Note)).all()))

    with db.transaction(artist_scope("ada")) as session:
        session.add(note())
        db.after_commit(session, lambda: 1 // 0)
        db.after_commit(session, count)
    with pytest.raises(RuntimeError), db.transaction(artist_scope("ada")) as session:  # noqa: PT012
        db.after_commit(session, count)
        raise RuntimeError

    assert seen == [1]


def test_no_update_is_lost_between_processes(place: Place, db: Database) -> None:
    row = note()
    add(db, row)
    script = f"""
import sqlalchemy as sa
from chassis.db import artist_scope
from tests.contract.chassis.world import Note, Place
db = Place({place.owner_url!r}, {place.app_url!r}).open()
for _ in range(150):
    with db.transaction(artist_scope("ada")) as session:
        found = session.get(Note, {row.uid!r}, with_for_update=True)
        found.count = found.count + 1
"""
    workers = [subprocess.Popen([sys.executable, "-c", script], cwd=ROOT) for _ in range(4)]
    assert [worker.wait(60) for worker in workers] == [0] * 4

    with db.transaction(artist_scope("ada"), write=False) as session:
        assert session.get_one(Note, row.uid).count == 600


def test_processes_that_migrate_at_once_agree(tmp_path: Path, place: Place, request: pytest.FixtureRequest) -> None:
    owner, app = f"sqlite:///{tmp_path}/new.db", f"sqlite:///{tmp_path}/new.db"
    if place.app_url.startswith("postgresql"):
        made = request.getfixturevalue("postgres").create_database()
        owner, app = made.owner_url, made.app_url
    script = f"from chassis.db import migrate; migrate({owner!r}, {MIGRATIONS!r}, {SCHEMA!r}, app_url={app!r})"

    starts = [subprocess.Popen([sys.executable, "-c", script], cwd=ROOT) for _ in range(3)]

    assert [start.wait(60) for start in starts] == [0] * 3
    migrate(owner, MIGRATIONS, SCHEMA)
    database = Database(app, SCHEMA)
    add(database, note())
    database.close()


def test_one_holder_at_a_time_has_a_named_lock(place: Place, db: Database) -> None:
    other = place.open()

    with db.exclusively("sweep") as first, other.exclusively("sweep") as second, other.exclusively("else") as third:
        assert (first, second, third) == (True, False, True)
    with other.exclusively("sweep") as again:
        assert again
    other.close()


def test_pages_cover_every_row_once_newest_first(db: Database) -> None:
    add(db, *(note(at=NOW + timedelta(seconds=second // 2)) for second in range(7)))  # pairs share a time
    pager, seen, token = Pager(b"key"), [], ""

    for _ in range(3):
        with db.transaction(artist_scope("ada"), write=False) as session:
            rows, token = pager.page(
                session, sa.select(Note), order=(Note.create_time, Note.uid), size=3, token=token, filter="artists/ada"
            )
        seen += rows

    assert token == ""
    assert [row.uid for row in seen] == [
        row.uid for row in sorted(seen, key=lambda row: (row.create_time, row.uid), reverse=True)
    ]
    assert len({row.uid for row in seen}) == 7


def test_a_token_of_another_list_is_refused(db: Database) -> None:
    add(db, note(), note())
    pager, order = Pager(b"key"), (Note.create_time, Note.uid)

    with db.transaction(artist_scope("ada"), write=False) as session:
        _rows, token = pager.page(session, sa.select(Note), order=order, size=1, filter="a")
        for text, bad in (("b", token), ("a", "nonsense"), ("a", token[:-2] + "AA"), ("a", "é"), ("a", token + "====")):
            with pytest.raises(PageTokenInvalid):
                pager.page(session, sa.select(Note), order=order, size=1, token=bad, filter=text)
        with pytest.raises(PageTokenInvalid):
            Pager(b"other").page(session, sa.select(Note), order=order, size=1, token=token, filter="a")
        with pytest.raises(InvalidArgument):
            pager.page(session, sa.select(Note), order=order, size=-1)


def test_the_same_request_is_done_once(db: Database) -> None:
    ada = Caller("gateway", "p", "ada", Role.EDITOR)

    def ask(resource: str, *, body: str = "body", caller: Caller = ada, request_id: str = "r1") -> str | None:
        with db.transaction(artist_scope(caller.artist)) as session:
            return once(
                session,
                Request,
                caller=caller,
                method="CreateNote",
                request_id=request_id,
                fingerprint=body,
                resource=resource,
                clock=SystemClock(),
            )

    assert ask("notes/1") is None
    response_flags().replayed = False
    assert ask("notes/2") == "notes/1"
    assert response_flags().replayed
    assert ask("notes/3", caller=Caller("gateway", "q", "ada", Role.EDITOR)) is None
    assert ask("notes/4", request_id="") is None
    with pytest.raises(RequestIdReused) as caught:
        ask("notes/5", body="other")
    assert caught.value.metadata["resource"] == "notes/1"
    with pytest.raises(InvalidArgument):
        ask("notes/6", request_id="x" * 256)


def test_a_request_that_failed_may_come_again(db: Database) -> None:
    ada = Caller("gateway", "p", "ada", Role.EDITOR)
    facts = {"caller": ada, "method": "m", "request_id": "r", "fingerprint": b"", "clock": SystemClock()}

    with pytest.raises(RuntimeError), db.transaction(artist_scope("ada")) as session:  # noqa: PT012
        once(session, Request, resource="1", **facts)  # type: ignore[arg-type]
        raise RuntimeError
    with db.transaction(artist_scope("ada")) as session:
        assert once(session, Request, resource="2", **facts) is None  # type: ignore[arg-type]


def test_rows_of_another_artist_do_not_exist_on_postgres(postgres: Postgres, tmp_path: Path) -> None:
    from tests.contract.chassis.world import migrated_place

    place = migrated_place("postgres", tmp_path, postgres)
    db = place.open()
    mine, theirs = note("ada"), note("bob")
    add(db, mine, theirs)

    with db.transaction(artist_scope("ada")) as session:
        assert [row.artist for row in session.scalars(sa.select(Note))] == ["ada"]
        assert session.execute(sa.update(Note).values(count=9)).rowcount == 1  # type: ignore[attr-defined]
        assert session.execute(sa.delete(Note).where(Note.uid == theirs.uid)).rowcount == 0  # type: ignore[attr-defined]
    with pytest.raises(sa.exc.ProgrammingError, match="row-level security"), db.transaction(artist_scope("ada")) as s:
        s.add(note("bob"))
    with db.transaction(system_scope("test")) as session:
        assert {row.artist for row in session.scalars(sa.select(Note))} == {"ada", "bob"}
    with db.transaction(artist_scope("")) as session:
        assert session.scalars(sa.select(Note)).all() == []
    with db.engine.connect() as connection:  # outside of any scope
        assert connection.execute(sa.select(Note)).all() == []
    db.check_role()
    db.close()


def test_a_role_past_row_level_security_is_named(postgres: Postgres, tmp_path: Path) -> None:
    from chassis.db import DatabaseRoleUnsafe
    from tests.contract.chassis.world import migrated_place

    place = migrated_place("postgres", tmp_path, postgres)
    owner = Database(place.owner_url, SCHEMA)
    admin = Database(postgres.url.rpartition("/")[0] + "/" + place.owner_url.rpartition("/")[2], SCHEMA)

    with pytest.raises(DatabaseRoleUnsafe, match="owns table notes"):
        owner.check_role()
    with pytest.raises(DatabaseRoleUnsafe, match="superuser"):
        admin.check_role()
    with owner.transaction(system_scope("test")) as session:
        session.execute(sa.text("ALTER TABLE notes NO FORCE ROW LEVEL SECURITY"))
    app = place.open()
    with pytest.raises(DatabaseRoleUnsafe, match="no row-level security on notes"):
        app.check_role()
    for database in (owner, admin, app):
        database.close()


def test_a_database_that_is_down_is_unavailable_and_comes_back(postgres: Postgres, tmp_path: Path) -> None:
    from tests.contract.chassis.world import migrated_place

    db = migrated_place("postgres", tmp_path, postgres).open()
    add(db, note())
    with pytest.raises(DependencyUnavailable), db.transaction(artist_scope("ada")) as session:  # noqa: PT012
        session.add(note())
        session.flush()
        postgres.pause()
        session.scalars(sa.select(Note)).all()
    try:
        with pytest.raises(DependencyUnavailable) as caught:
            add(db, note())
        with pytest.raises(DependencyUnavailable):
            db.ping()
    finally:
        postgres.resume()

    assert (caught.value.metadata, caught.value.retry_after_s) == ({"dependency": "database"}, 2)
    db.ping()
    add(db, note())
    with db.transaction(artist_scope("ada"), write=False) as session:
        assert len(session.scalars(sa.select(Note)).all()) == 2
    db.close()


def test_a_sqlite_file_that_is_locked_or_gone_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder.db").mkdir()
    db = Database(f"sqlite:///{tmp_path}/folder.db", SCHEMA)

    with pytest.raises(DependencyUnavailable):
        db.ping()
    db.close()
