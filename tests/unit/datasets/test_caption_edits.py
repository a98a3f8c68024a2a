"""Many captions changed by rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from chassis.errors import FieldInvalid, RequestIdReused
from services.datasets.domain.caption_edits import Edit, FindReplace, Prefix, Suffix, Tempo, edited_text
from services.datasets.domain.captions import CaptionCheck, CaptionSource, CaptionVerdict
from services.datasets.domain.items import Selection, TrainingItem
from services.datasets.use_cases.items import ItemFacts
from tests.unit.datasets.house import ARTIST, House, key
from tests.unit.datasets.rulebook import WORDS

TAGGED = "Warm pads. BPM: 92"


def made(house: House, count: int) -> list[TrainingItem]:
    items = []
    for at in range(count):
        house.clock.advance(1)
        items.append(house.items.create(ARTIST, ItemFacts(caption=f"{WORDS} Take {at}. BPM: 92"), key()))
    return items


@pytest.mark.parametrize(
    ("edit", "after"),
    [
        (Prefix("Lo-fi:"), "Lo-fi: Warm pads. BPM: 92"),
        (Suffix("Very slow."), "Warm pads. Very slow. BPM: 92"),
        (Suffix("And more"), "Warm pads. And more. BPM: 92"),
        (FindReplace("WARM", "Cold"), "Cold pads. BPM: 92"),
        (FindReplace("WARM", "Cold", match_case=True), TAGGED),
        (FindReplace("warm ", ""), "pads. BPM: 92"),
        (FindReplace("a", r"\1"), r"W\1rm p\1ds. BPM: 92"),
        (Tempo(95.04), "Warm pads. BPM: 95"),
        (Tempo(127.5), "Warm pads. BPM: 127.5"),
    ],
)
def test_an_edit_does_what_it_says(edit: Edit, after: str) -> None:
    assert edited_text(TAGGED, [edit]) == after


def test_edits_work_one_after_another_and_cannot_grow_without_end() -> None:
    assert edited_text(TAGGED, [FindReplace("pads", "strings"), Suffix("With strings.")]) == (
        "Warm strings. With strings. BPM: 92"
    )
    assert len(edited_text(TAGGED, [FindReplace("a", "a" * 600)] * 20)) == 10_000


def test_a_preview_keeps_nothing(house: House) -> None:
    items = made(house, 2)

    outcomes, unchanged = house.editing.edit(ARTIST, Selection(), [Prefix("Lo-fi")], key(), validate_only=True)

    assert [outcome.item_name for outcome in outcomes] == [item.name for item in items]
    assert outcomes[0].after == f"Lo-fi {items[0].caption}"
    assert (outcomes[0].applied, unchanged) == (False, 0)
    assert house.items.get(ARTIST, items[0].uid) == items[0]


def test_what_breaks_a_rule_is_told_and_not_kept(house: House) -> None:
    items = made(house, 1)

    outcomes, _ = house.editing.edit(ARTIST, Selection(), [FindReplace("BPM: 92", "fast")], key(), validate_only=False)

    assert [finding.reason for finding in outcomes[0].violations] == ["P4"]
    assert not outcomes[0].applied
    assert house.items.get(ARTIST, items[0].uid) == items[0]


def test_items_that_an_edit_does_not_touch_are_counted(house: House) -> None:
    made(house, 3)

    outcomes, unchanged = house.editing.edit(
        ARTIST, Selection(), [FindReplace("Take 1.", "Take one.")], key(), validate_only=False
    )

    assert ([outcome.applied for outcome in outcomes], unchanged) == ([True], 2)


def test_a_tempo_goes_into_the_tag_and_the_item(house: House) -> None:
    live_set = house.captions.add_live_set("song", tempo_bpm=92.0)
    item = house.items.create(ARTIST, ItemFacts(caption=f"{WORDS} BPM: 92", live_set=live_set), key())

    outcomes, _ = house.editing.edit(ARTIST, Selection(), [Tempo(96.0)], key(), validate_only=False)

    changed = house.items.get(ARTIST, item.uid)
    assert outcomes[0].applied
    assert (changed.caption, changed.tempo_bpm) == (f"{WORDS} BPM: 96", 96.0)


def test_an_edited_caption_of_a_model_is_edited_and_a_persons_stays_theirs(house: House) -> None:
    written = house.captions.will_have(f"{WORDS} BPM: 92")
    one = house.items.create(ARTIST, ItemFacts(source_caption=written.name), key())
    two = made(house, 1)[0]

    house.editing.edit(ARTIST, Selection(), [Prefix("Lo-fi")], key(), validate_only=False)

    sources = [house.items.get(ARTIST, item.uid).caption_source for item in (one, two)]
    assert sources == [CaptionSource.EDITED, CaptionSource.MANUAL]
    assert house.items.get(ARTIST, one.uid).provenance["raw_text"] == written.provenance["raw_text"]


def test_a_repeat_changes_no_caption_twice(house: House) -> None:
    made(house, 3)
    request = key("e1", b"body")

    first = house.editing.edit(ARTIST, Selection(), [Prefix("Lo-fi")], request, validate_only=False)
    made(house, 1)
    second = house.editing.edit(ARTIST, Selection(), [Prefix("Lo-fi")], request, validate_only=False)

    strip = [[(one.item_name, one.before, one.after, one.applied) for one in found] for found, _ in (first, second)]
    assert strip[0] == strip[1]
    assert all(one.after.startswith("Lo-fi Warm") for one in second[0])


def test_a_repeat_goes_on_where_the_first_one_stopped(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    items = made(house, 3)
    keep, kept = house.item_store.replace, list[str]()

    def breaks(before: TrainingItem, after: TrainingItem, **more: object) -> TrainingItem:
        if len(kept) == 1:
            raise RuntimeError("the process ends here")
        kept.append(before.uid)
        return keep(before, after, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as broken:
        broken.setattr(house.item_store, "replace", breaks)
        with pytest.raises(RuntimeError):
            house.editing.edit(ARTIST, Selection(), [Prefix("Lo-fi")], key("e1", b"b"), validate_only=False)
    outcomes, _ = house.editing.edit(ARTIST, Selection(), [Prefix("Lo-fi")], key("e1", b"b"), validate_only=False)

    assert [one.applied for one in outcomes] == [True] * 3
    texts = [house.items.get(ARTIST, item.uid).caption for item in items]
    assert texts == [f"Lo-fi {item.caption}" for item in items]


def test_another_edit_under_the_same_request_id_is_refused(house: House) -> None:
    made(house, 1)
    house.editing.edit(ARTIST, Selection(), [Prefix("Lo-fi")], key("e1", b"one"), validate_only=False)

    with pytest.raises(RequestIdReused):
        house.editing.edit(ARTIST, Selection(), [Prefix("Hi-fi")], key("e1", b"two"), validate_only=False)


def test_an_item_that_somebody_changes_meanwhile_is_left_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    items = made(house, 2)
    check = house.captions.batch_check

    def slowly(artist: str, checks: Sequence[CaptionCheck], **more: bool) -> list[CaptionVerdict]:
        before = house.item_store.get(ARTIST, items[0].uid)
        house.item_store.replace(before, replace(before, licence="CC0-1.0", revision=before.revision + 1))
        return check(artist, checks, **more)

    monkeypatch.setattr(house.captions, "batch_check", slowly)
    outcomes, _ = house.editing.edit(ARTIST, Selection(), [Prefix("Lo-fi")], key(), validate_only=False)

    assert [(one.applied, bool(one.conflict)) for one in outcomes] == [(False, True), (True, False)]
    assert house.items.get(ARTIST, items[0].uid).caption == items[0].caption


@pytest.mark.parametrize(
    "edits", [[], [Prefix("x")] * 21, [Prefix("a\nb")], [FindReplace("", "x")], [Tempo(5.0)], [Suffix(" ")]]
)
def test_edits_beyond_their_limits_are_refused(house: House, edits: list[Edit]) -> None:
    with pytest.raises(FieldInvalid):
        house.editing.edit(ARTIST, Selection(), edits, key(), validate_only=True)
