"""The status machine of training items, whole."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.datasets.domain import items
from services.datasets.domain.items import Audio, ItemState, TrainingItem, TrainingItemStateInvalid
from services.datasets.use_cases.items import ItemFacts
from tests.unit.datasets.house import ARTIST, House, key

NOW = datetime(2026, 1, 2, tzinfo=UTC)
AUDIO = Audio("artists/nova/assets/a1", "a1.wav", "k", "aa", 1, 4, "audio/wav", 40.0, 44_100, 2)
A, P, R, E, F = ItemState
# Every way there is; each other pair of states is refused.
WAYS = {A: {P, R, F}, P: {A, R, F}, R: {A, P, E, F}, E: {A, P, R, F}, F: {A, P, R, E}}


def item_in(state: ItemState) -> TrainingItem:
    blank = TrainingItem("nova", "i1", NOW, NOW, state=state)
    having = {
        A: blank,
        P: replace(blank, audio=AUDIO),
        R: replace(blank, audio=AUDIO, caption="Pads. BPM: 90"),
        E: replace(blank, audio=AUDIO, caption="Pads. BPM: 90", last_export="artists/nova/exports/e1"),
        F: replace(blank, audio=AUDIO, failure="broken"),
    }
    return having[state]


@pytest.mark.parametrize(("before", "after"), list(itertools.product(ItemState, ItemState)))
def test_a_state_is_left_only_on_a_way_that_there_is(before: ItemState, after: ItemState) -> None:
    item = item_in(before)

    if after == before or after in WAYS[before]:
        moved = items.moved(item, after, now=NOW)
        assert (moved.state, moved.revision) == (after, item.revision + 1)
    else:
        with pytest.raises(TrainingItemStateInvalid):
            items.moved(item, after, now=NOW)


@pytest.mark.parametrize(
    ("has_audio", "has_caption", "was_exported", "has_failed"), list(itertools.product([False, True], repeat=4))
)
def test_the_state_follows_from_what_an_item_has(
    has_audio: bool, has_caption: bool, was_exported: bool, has_failed: bool
) -> None:
    item = TrainingItem(
        "nova",
        "i1",
        NOW,
        NOW,
        audio=AUDIO if has_audio else None,
        caption="Pads. BPM: 90" if has_caption else "",
        last_export="artists/nova/exports/e1" if was_exported else "",
        failure="broken" if has_failed else "",
    )

    expected = F if has_failed else A if not has_audio else P if not has_caption else E if was_exported else R

    assert items.natural_state(item) == expected


@pytest.mark.parametrize("state", [state for state in ItemState if state is not F])
def test_an_item_fails_from_every_state_and_comes_back_to_it(state: ItemState) -> None:
    item = item_in(state)

    back = items.retried(items.failed(item, "broken", now=NOW), now=NOW)

    assert back.state == state


@pytest.mark.parametrize(
    "change",
    [
        {"caption": "Cold bells over slow drums. BPM: 90"},
        {"tempo_bpm": 90.0},
        {"key": "B minor"},
        {"time_signature": "6/8"},
    ],
)
def test_what_a_snapshot_would_freeze_differently_makes_an_exported_item_ready_again(
    house: House, change: dict[str, object]
) -> None:
    item = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1"), caption="Pads. BPM: 90"), key())
    exported = replace(item, state=E, last_export="artists/nova/exports/e1", revision=2)
    house.item_store.replace(item, exported)

    changed = house.items.update(ARTIST, item.uid, ItemFacts(**change), set(change), "")  # type: ignore[arg-type]

    assert (changed.state, changed.last_export) == (R, "")
    assert changed.content_revision == item.content_revision + 1


def test_papers_of_an_exported_item_leave_it_exported(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1"), caption="Pads. BPM: 90"), key())
    house.item_store.replace(item, replace(item, state=E, last_export="artists/nova/exports/e1", revision=2))

    changed = house.items.update(ARTIST, item.uid, ItemFacts(licence="CC0-1.0"), {"licence"}, "")

    assert changed.state == E
