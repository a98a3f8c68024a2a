"""Items, runs and edits of captions on both databases, as the role that serves sees them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chassis.context import acting_as, in_request
from chassis.db import Database, migrate
from chassis.errors import EtagMismatch
from chassis.testing import caller_for
from services.datasets.domain.caption_edits import Prefix
from services.datasets.domain.caption_runs import CaptionRunNotFound
from services.datasets.domain.captions import CaptionSource
from services.datasets.domain.duplicates import Likeness
from services.datasets.domain.item_ports import ItemFilter
from services.datasets.domain.items import Consent, ItemState, Selection
from services.datasets.use_cases.caption_runs import RunWish
from services.datasets.use_cases.items import ItemFacts
from tests.unit.datasets.house import ARTIST, House, key
from tests.unit.datasets.rulebook import WORDS

CAPTION = f"{WORDS} BPM: 92"


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


def test_an_item_comes_back_as_it_was_kept(house: House) -> None:
    name = house.assets.keep("a1")
    house.assets.fingerprints[name] = b"\x01\x02\x03\x04" * 40
    live_set = house.captions.add_live_set("song", tempo_bpm=92.5, key="B minor")
    facts = ItemFacts(
        asset=name,
        caption=f"{WORDS} BPM: 92.5",
        live_set=live_set,
        licence="CC-BY-4.0",
        consent=Consent(training_allowed=True, given_by="Ada", give_time=house.clock.now(), evidence="mail"),
        tempo_bpm=92.5,
        key="B minor",
        time_signature="6/8",
        source_caption=house.captions.will_have(f"{WORDS} BPM: 92.5").name,
    )

    item = house.items.create(ARTIST, facts, key())

    assert house.items.get(ARTIST, item.uid) == item
    assert house.item_store.prints(ARTIST, limit=9)[0].fingerprint == b"\x01\x02\x03\x04" * 40
    assert house.item_store.counts(ARTIST) == {ItemState.READY: 1}


def test_a_proposal_comes_back_as_it_was_kept(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1"), caption=CAPTION), key())
    fast = house.captions.add_live_set("fast", tempo_bpm=174.0)

    moved = house.items.update(ARTIST, item.uid, ItemFacts(live_set=fast), {"live_set"}, "")

    assert moved.proposal is not None
    assert house.items.get(ARTIST, item.uid) == moved


def test_lists_are_filtered_alike(house: House) -> None:
    one = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1"), display_name="Grüße 100%_"), key())
    house.clock.advance(1)
    two = house.items.create(ARTIST, ItemFacts(caption=CAPTION), key())

    def found(**wanted: object) -> list[str]:
        page = house.items.page(ARTIST, ItemFilter(**wanted), size=0, token="")  # type: ignore[arg-type]
        return [item.uid for item in page.items]

    assert found() == [two.uid, one.uid]
    assert found(query="GRÜSSE 100%_") == [one.uid]
    assert found(query="0_") == []
    assert found(caption_source=CaptionSource.MANUAL, state=ItemState.NEEDS_AUDIO) == [two.uid]


def test_pages_of_a_long_list_hold_every_item_once(house: House) -> None:
    made = {house.items.create(ARTIST, ItemFacts(caption=CAPTION), key()).uid for _ in range(25)}
    seen: list[str] = []
    token = ""
    while True:
        page = house.items.page(ARTIST, ItemFilter(query="drums"), size=7, token=token)
        seen += [item.uid for item in page.items]
        token = page.next_page_token
        if not token:
            break

    assert (len(seen), set(seen)) == (25, made)


def test_of_many_changes_from_one_reading_one_is_kept(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption=CAPTION), key())
    outcomes: list[bool] = []

    def change(number: int) -> None:
        with in_request(), acting_as(caller_for(ARTIST)):
            try:
                house.item_store.replace(item, replace(item, licence=f"L{number}", revision=2))
                outcomes.append(True)
            except EtagMismatch:
                outcomes.append(False)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count(True) == 1


def test_a_run_writes_and_tells(house: House) -> None:
    items = [house.items.create(ARTIST, ItemFacts(asset=house.assets.keep(f"a{at}")), key()) for at in range(5)]
    run = house.runs.create(ARTIST, "ada", RunWish(Selection()), key("r1", b"x"))
    again = house.runs.create(ARTIST, "ada", RunWish(Selection()), key("r1", b"x"))

    house.work()

    found = house.runs.get(ARTIST, run.uid)
    assert again.uid == run.uid
    assert (found.accepted_count, found.cost_usd_micros, found.state) == (5, 35, "SUCCEEDED")
    assert [entry.item_uid for entry in house.runs.entries(ARTIST, run.uid)] == [item.uid for item in items]


def test_a_repeated_edit_changes_no_caption_twice(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption=CAPTION), key())

    first, second = (
        house.editing.edit(ARTIST, Selection(), [Prefix("Lo-fi")], key("e1", b"x"), validate_only=False)[0]
        for _ in range(2)
    )

    assert [one.after for one in first] == [one.after for one in second] == [f"Lo-fi {CAPTION}"]
    assert house.items.get(ARTIST, item.uid).caption_revision == 2


def test_copies_are_grouped(house: House) -> None:
    name = house.assets.keep("a1")
    first, second = (house.items.create(ARTIST, ItemFacts(asset=name), key()) for _ in range(2))

    groups = house.duplicates.groups(ARTIST)

    assert [(group.likeness, set(group.item_uids)) for group in groups] == [
        (Likeness.SAME_BYTES, {first.uid, second.uid})
    ]
    assert house.item_store.holding(ARTIST, ["a1", "zz"]) == {"a1": first.name}


def test_another_artist_sees_no_run_and_no_text(house: House) -> None:
    house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1"), caption=CAPTION), key())
    house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a2")), key())
    run = house.runs.create(ARTIST, "ada", RunWish(Selection()), key())

    with acting_as(caller_for("other")):
        with pytest.raises(CaptionRunNotFound):
            house.runs.get("other", run.uid)
        with pytest.raises(CaptionRunNotFound):
            house.runs.cancel("other", run.uid)
        assert house.runs.entries("other", run.uid) == []
        assert house.item_store.captions("other", limit=9) == ()
        assert house.item_store.counts("other") == {}
        assert house.duplicates.groups("other") == []
