"""The datasets service's rows on both databases, as the role that serves sees them."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.context import acting_as, in_request
from chassis.db import Database, migrate
from chassis.errors import AppError
from chassis.ids import new_uid
from chassis.testing import caller_for
from services.datasets.domain.conversations import Context, Conversation, Persona
from services.datasets.domain.enrichment import DEFAULT_PROFILE
from services.datasets.domain.exports import ExportNotFound, JobState
from services.datasets.domain.item_ports import ItemFilter
from services.datasets.domain.items import ItemState, TrainingItemNotFound
from services.datasets.domain.snapshots import SnapshotInUse, SnapshotNotFound
from services.datasets.domain.training_files import ConversationsNotEligible, TrainingFile, TrainingFileBusy
from services.datasets.use_cases.conversations import ConversationFacts
from services.datasets.use_cases.exports import ExportWish
from services.datasets.use_cases.items import ItemFacts
from services.datasets.use_cases.snapshots import SnapshotWish
from tests.unit.datasets.house import ARTIST, House, key
from tests.unit.datasets.test_conversations_domain import document


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = owner_url = f"sqlite:///{tmp_path}/datasets.db"
    if request.param == "postgres":
        place = request.getfixturevalue("postgres").create_database()
        url, owner_url = place.app_url, place.owner_url
    migrate(owner_url, "services.datasets:migrations", "datasets", app_url=url)
    database = Database(url, "datasets")
    database.check_role()
    with in_request(), acting_as(caller_for(ARTIST)):
        yield House(database)
    database.close()


def enriched(house: House, **context: object) -> Conversation:
    facts = ConversationFacts(document=json.dumps(document()), context=Context(**context))  # type: ignore[arg-type]
    return house.conversations.enrich(ARTIST, house.conversations.create(ARTIST, facts, key()).uid)


def test_items_go_through_an_export_and_back(house: House) -> None:
    facts = ItemFacts(asset=house.assets.keep("a1"), caption="Café. BPM: 90", provenance={"seed": 7})
    item = house.items.create(ARTIST, facts, key("i1"))
    made = house.exports.create(ARTIST, "ada", ExportWish(), key("e1"))
    house.work()

    part = house.exports.layout(ARTIST, made.uid, offset_bytes=0, max_segments=0)

    data = b"".join(s.inline or house.objects.read_bytes(s.object_key, limit=10**6) for s in part.segments)
    assert zipfile.ZipFile(io.BytesIO(data)).read("track-0001.txt").decode() == "Café. BPM: 90"
    assert house.items.get(ARTIST, item.uid).state == ItemState.EXPORTED
    assert house.items.create(ARTIST, facts, key("i1")).uid == item.uid
    house.exports.delete(ARTIST, made.uid, "")
    assert house.items.get(ARTIST, item.uid).state == ItemState.READY
    assert {release.holder for release in house.releases.due(10)} == {made.name, made.snapshot}


def test_objects_keep_the_formats_order_of_keys(house: House) -> None:
    shuffled = dict(sorted(DEFAULT_PROFILE.items(), key=lambda pair: pair[0], reverse=True))
    persona = Persona(key="owl", demographics={"age": 44, "location": "Harbour"}, background={"b": 1, "a": 2})
    member = enriched(house, profile=shuffled, persona=persona)
    now = house.clock.now()
    file = TrainingFile(ARTIST, new_uid(), "Pilot", now, now, profile=shuffled)
    house.files.create(file, "ada", [member.uid], key())
    house.work()

    where = house.files.content(ARTIST, file.uid, 0, "json")

    written = json.loads(house.objects.read_bytes(where.object_key, limit=10**6))
    assert json.dumps(written["consultant_profile"]) == json.dumps(DEFAULT_PROFILE)
    told = written["conversations"][0]["training_pairs"][0]["conversation_metadata"]["client_background"]
    assert told == 'Age 44, Harbour; {"a":2,"b":1}'


def test_another_artist_sees_nothing(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1"), caption="Pad. BPM: 90"), key())
    made = house.exports.create(ARTIST, "ada", ExportWish(), key())

    with acting_as(caller_for("other")):
        with pytest.raises(TrainingItemNotFound):
            house.items.get("other", item.uid)
        with pytest.raises(ExportNotFound):
            house.exports.cancel("other", made.uid)
        assert house.items.page("other", ItemFilter(), size=0, token="").items == []


def test_of_many_appends_at_once_each_conversation_is_taken_once(house: House) -> None:
    first, second = enriched(house), enriched(house)
    now = house.clock.now()
    file = TrainingFile(ARTIST, new_uid(), "Pilot", now, now)
    house.files.create(file, "ada", [first.uid], key())
    house.work()
    outcomes: list[type[AppError] | None] = []

    def append() -> None:
        with in_request(), acting_as(caller_for(ARTIST)):
            try:
                house.files.append(ARTIST, file.uid, "ada", [second.uid], key(), etag="")
                outcomes.append(None)
            except AppError as error:
                outcomes.append(type(error))

    threads = [threading.Thread(target=append) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    house.work()

    assert outcomes.count(None) == 1
    assert set(outcomes) <= {None, TrainingFileBusy, ConversationsNotEligible}
    found = house.files.get(ARTIST, file.uid)
    assert found.current is not None
    assert (found.current.sequence, found.current.state) == (2, JobState.SUCCEEDED)
    assert found.current.statistics is not None
    assert found.current.statistics.conversation_count == 2


def test_snapshots_page_are_used_and_go(house: House) -> None:
    for number in range(3):
        caption = f"Pad of colour {number}. BPM: 90"
        house.items.create(ARTIST, ItemFacts(asset=house.assets.keep(f"a{number}"), caption=caption), key())
    made = house.snapshots.create(ARTIST, "ada", SnapshotWish("Spring"), key("s1"))
    first = house.snapshots.member_page(ARTIST, made.uid, size=2, token="")
    second = house.snapshots.member_page(ARTIST, made.uid, size=2, token=first.next_page_token)
    export = house.exports.create(ARTIST, "ada", ExportWish(snapshot_uid=made.uid), key())
    house.work()

    with pytest.raises(SnapshotInUse):
        house.snapshots.delete(ARTIST, made.uid, "")
    files = house.exports.file_page(ARTIST, export.uid, size=0, token="").items
    house.exports.delete(ARTIST, export.uid, "")
    house.snapshots.delete(ARTIST, made.uid, "")

    assert [member.position for member in (*first.items, *second.items)] == [1, 2, 3]
    assert [file.path for file in files][:2] == ["track-0001.wav", "track-0001.txt"]
    assert house.snapshots.page(ARTIST, size=0, token="").items == []
    with acting_as(caller_for("other")), pytest.raises(SnapshotNotFound):
        house.snapshots.get("other", made.uid)


def test_the_collector_leaves_what_rows_refer_to(house: House) -> None:
    member = enriched(house)
    now = house.clock.now()
    house.files.create(TrainingFile(ARTIST, new_uid(), "Pilot", now, now), "ada", [member.uid], key())
    asset = house.assets.keep("a1", media_type="audio/flac")
    house.items.create(ARTIST, ItemFacts(asset=asset, caption="Pad. BPM: 90"), key())
    kept = house.exports.create(ARTIST, "ada", ExportWish(), key())
    house.work()
    before = {info.key for info in house.objects.list(f"artists/{ARTIST}/datasets/")}
    house.objects.put(f"artists/{ARTIST}/datasets/exports/{'0' * 32}.zip", b"left by a dead worker")
    house.clock.advance(4000)

    assert house.collector.collect() == 1

    assert {info.key for info in house.objects.list(f"artists/{ARTIST}/datasets/")} == before
    assert house.exports.get(ARTIST, kept.uid).state == JobState.SUCCEEDED
