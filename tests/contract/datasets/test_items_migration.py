"""Items that were made before they had musical facts and sources."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.runtime.environment import EnvironmentContext

from chassis import db as chassis_db
from chassis.context import acting_as, in_request
from chassis.db import Database, migrate
from chassis.testing import caller_for
from services.datasets.domain.captions import CaptionSource
from services.datasets.domain.item_ports import ItemFilter
from tests.unit.datasets.house import ARTIST, House

PACKAGE = "services.datasets:migrations"
NOW = "2026-01-01 00:00:00+00:00"


@pytest.fixture(params=["sqlite", "postgres"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    if request.param == "postgres":
        place = request.getfixturevalue("postgres").create_database()
        return place.app_url, place.owner_url
    return f"sqlite:///{tmp_path}/datasets.db", f"sqlite:///{tmp_path}/datasets.db"


def up_to(revision: str, owner_url: str, app_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrate as a release did whose newest revision was this one."""
    configure = EnvironmentContext.configure

    def stop_there(self: EnvironmentContext, *arguments: object, **more: object) -> None:
        steps = self.script._upgrade_revs
        more["fn"] = lambda at, _context: steps(revision, at)
        configure(self, *arguments, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as older:
        older.setattr(EnvironmentContext, "configure", stop_there)
        migrate(owner_url, PACKAGE, "datasets", app_url=app_url)


def test_items_of_before_are_found_and_keep_where_they_came_from(
    urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app_url, owner_url = urls
    up_to("0002", owner_url, app_url, monkeypatch)
    older = Database(owner_url, "datasets")
    with older.transaction(chassis_db.system_scope("test")) as session:
        for uid, provenance in (("i1", {}), ("i2", {"source": "generated"})):
            session.execute(sa.text(_INSERT), _row(uid, provenance))
    older.close()

    migrate(owner_url, PACKAGE, "datasets", app_url=app_url)

    database = Database(app_url, "datasets")
    with in_request(), acting_as(caller_for(ARTIST)):
        wanted = ItemFilter(query="ÖL", asset=f"artists/{ARTIST}/assets/a1")
        found = House(database).items.page(ARTIST, wanted, size=0, token="").items
    database.close()
    assert {(item.uid, item.caption_source) for item in found} == {
        ("i1", CaptionSource.MANUAL),
        ("i2", CaptionSource.GENERATED),
    }


_INSERT = """
INSERT INTO training_items (uid, artist, display_name, audio, audio_sha256, caption, caption_revision, live_set,
  provenance, licence, consent, state, failure, last_export, revision, content_revision, create_time, update_time)
VALUES (:uid, :artist, 'Öl', :audio, 'aa', 'Pads. BPM: 90', 1, '', :provenance, '', :consent, 'READY', '', '', 1, 1,
  :now, :now)
"""


def _row(uid: str, provenance: dict[str, str]) -> dict[str, str]:
    audio = {
        "asset": f"artists/{ARTIST}/assets/a1",
        "display_name": "a1.wav",
        "object_key": "k",
        "sha256": "aa",
        "crc32": 1,
        "size_bytes": 4,
        "media_type": "audio/wav",
        "duration_s": 40.0,
        "rate_hz": 44_100,
        "channels": 2,
        "pcm_sha256": "bb",
    }
    consent = {"training_allowed": False, "given_by": "", "give_time": None, "evidence": ""}
    written = {"audio": audio, "provenance": provenance, "consent": consent}
    return {"uid": uid, "artist": ARTIST, "now": NOW} | {name: json.dumps(value) for name, value in written.items()}
