from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from chassis.errors import DependencyUnavailable, EtagMismatch, FieldInvalid, NameInvalid, NotFound, RequestIdReused
from services.datasets.domain import items
from services.datasets.domain.captions import CaptionInvalid
from services.datasets.domain.item_ports import ItemFilter
from services.datasets.domain.items import ItemState, TrainingItemNotFound, TrainingItemStateInvalid
from services.datasets.use_cases.items import ItemFacts, give_holds_back
from tests.unit.datasets.house import ARTIST, House, key

CAPTION = "Warm pads over dusty drums. BPM: 92"


def give_back(house: House) -> int:
    return give_holds_back(house.releases, house.assets, lambda _artist, _principal: nullcontext(), limit=10)


@pytest.mark.parametrize(
    ("asset", "caption", "state"),
    [("a1", CAPTION, "READY"), ("a1", "", "NEEDS_PROMPT"), ("", CAPTION, "NEEDS_AUDIO")],
)
def test_audio_and_caption_decide_the_state_of_a_new_item(house: House, asset: str, caption: str, state: str) -> None:
    name = house.assets.keep(asset) if asset else ""

    item = house.items.create(ARTIST, ItemFacts(asset=name, caption=caption), key())

    assert item.state == state
    assert house.items.get(ARTIST, item.uid) == item


def test_a_new_item_holds_its_asset_and_a_deleted_one_gives_it_back(house: House) -> None:
    name = house.assets.keep("a1")
    item = house.items.create(ARTIST, ItemFacts(asset=name, caption=CAPTION), key())
    held = set(house.assets.holds)

    house.items.delete(ARTIST, item.uid, item.etag)
    give_back(house)

    assert held == {(name, item.name)}
    assert house.assets.holds == set()
    with pytest.raises(TrainingItemNotFound):
        house.items.get(ARTIST, item.uid)


def test_a_hold_that_cannot_be_given_back_is_given_back_later(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    item = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1")), key())
    house.items.delete(ARTIST, item.uid, "")

    def away(_asset: str, _holder: str) -> None:
        raise DependencyUnavailable("sessions")

    with monkeypatch.context() as broken:
        broken.setattr(house.assets, "release", away)
        give_back(house)
    at_once = give_back(house)
    house.clock.advance(10)
    give_back(house)

    assert at_once == 0
    assert house.assets.holds == set()


def test_same_request_id_makes_one_item_and_leaves_one_hold(house: House) -> None:
    facts = ItemFacts(asset=house.assets.keep("a1"), caption=CAPTION)

    first, second = (house.items.create(ARTIST, facts, key("r1", b"same")) for _ in range(2))
    give_back(house)

    assert first == second
    assert len(house.items.page(ARTIST, ItemFilter(), size=0, token="").items) == 1
    assert len(house.assets.holds) == 1


def test_a_request_id_with_another_body_is_refused(house: House) -> None:
    house.items.create(ARTIST, ItemFacts(caption=CAPTION), key("r1", b"one"))

    with pytest.raises(RequestIdReused):
        house.items.create(ARTIST, ItemFacts(caption=CAPTION), key("r1", b"other"))


def test_an_unknown_asset_makes_no_item(house: House) -> None:
    with pytest.raises(NotFound):
        house.items.create(ARTIST, ItemFacts(asset=f"artists/{ARTIST}/assets/none"), key())

    assert house.items.page(ARTIST, ItemFilter(), size=0, token="").items == []


@pytest.mark.parametrize("caption", ["no tempo", "**bold** BPM: 90", "bell\x07. BPM: 90", "a" * 601 + " BPM: 90"])
def test_a_caption_that_a_trainer_cannot_read_is_refused(house: House, caption: str) -> None:
    with pytest.raises(CaptionInvalid):
        house.items.create(ARTIST, ItemFacts(caption=caption), key())


def test_an_item_without_anything_is_refused(house: House) -> None:
    with pytest.raises(FieldInvalid):
        house.items.create(ARTIST, ItemFacts(display_name="x"), key())


def test_a_name_that_is_none_is_refused(house: House) -> None:
    with pytest.raises(NameInvalid):
        house.items.create(ARTIST, ItemFacts(asset="somewhere/else"), key())


def test_an_edited_caption_is_a_revision_and_an_earlier_one_can_come_back(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption=CAPTION, provenance={"source": "generated"}), key())
    house.items.update(ARTIST, item.uid, ItemFacts(caption="Cold bells. BPM: 80"), {"caption"}, item.etag)

    back = house.items.restore(ARTIST, item.uid, 1, "")

    assert (back.caption, back.caption_revision) == (CAPTION, 3)
    history = house.items.revisions(ARTIST, item.uid, size=0, token="").items
    assert [revision.caption for revision in history] == [CAPTION, "Cold bells. BPM: 80", CAPTION]


def test_a_stale_etag_changes_nothing(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption=CAPTION), key())
    house.items.update(ARTIST, item.uid, ItemFacts(licence="CC-BY-4.0"), {"licence"}, item.etag)

    with pytest.raises(EtagMismatch):
        house.items.update(ARTIST, item.uid, ItemFacts(licence="CC0-1.0"), {"licence"}, item.etag)

    assert house.items.get(ARTIST, item.uid).licence == "CC-BY-4.0"


def test_of_two_changes_from_one_reading_the_second_is_refused(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption=CAPTION), key())
    house.item_store.replace(item, replace(item, licence="first", revision=2))

    with pytest.raises(EtagMismatch):
        house.item_store.replace(item, replace(item, licence="second", revision=2))


def test_a_failed_item_comes_back_where_it_was(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption=CAPTION), key())

    failed = house.items.fail(ARTIST, item.uid, "The bounce was cut off", "")
    back = house.items.retry(ARTIST, item.uid, failed.etag)

    assert (failed.state, failed.failure) == (ItemState.FAILED, "The bounce was cut off")
    assert (back.state, back.failure) == (ItemState.NEEDS_AUDIO, "")


def test_an_item_that_has_not_failed_cannot_be_retried(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption=CAPTION), key())

    with pytest.raises(TrainingItemStateInvalid):
        house.items.retry(ARTIST, item.uid, "")


def test_a_state_without_a_way_to_it_is_refused(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption=CAPTION), key())

    with pytest.raises(TrainingItemStateInvalid):
        items.moved(item, ItemState.EXPORTED, now=house.clock.now())


def test_items_come_in_pages_newest_first_and_by_state(house: House) -> None:
    made = []
    for number in range(5):
        house.clock.advance(1)
        facts = ItemFacts(asset=house.assets.keep(f"a{number}"), caption=CAPTION if number % 2 else "")
        made.append(house.items.create(ARTIST, facts, key()))

    first = house.items.page(ARTIST, ItemFilter(), size=3, token="")
    second = house.items.page(ARTIST, ItemFilter(), size=3, token=first.next_page_token)
    ready = house.items.page(ARTIST, ItemFilter(state=ItemState.READY), size=0, token="")

    assert [item.uid for item in (*first.items, *second.items)] == [item.uid for item in reversed(made)]
    assert second.next_page_token == ""
    assert [item.uid for item in ready.items] == [made[3].uid, made[1].uid]


@pytest.mark.parametrize(
    "facts",
    [
        {"display_name": "x" * 256},
        {"licence": "a\nb"},
        {"provenance": {"a": "x" * 17_000}},
        {"provenance": {"a": "\0"}},
    ],
)
def test_texts_beyond_their_limits_are_refused(house: House, facts: dict[str, Any]) -> None:
    with pytest.raises(FieldInvalid):
        house.items.create(ARTIST, ItemFacts(caption=CAPTION, **facts), key())
