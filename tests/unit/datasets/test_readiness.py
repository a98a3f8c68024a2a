"""Whether items can be trained on, and what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chassis.errors import DependencyUnavailable
from services.datasets.domain.findings import Finding, Severity
from services.datasets.domain.items import Consent, ItemState, Selection, TrainingItem, TrainingItemNotFound
from services.datasets.use_cases.items import ItemFacts
from tests.unit.datasets.house import ARTIST, House, key
from tests.unit.datasets.rulebook import WORDS

KINDS = ("dusty", "glassy", "booming", "gentle", "frantic", "hollow", "shimmering", "crooked", "wooden", "molten")


def made(house: House, count: int, *, duration_s: float = 120.0) -> list[TrainingItem]:
    return [
        house.items.create(
            ARTIST,
            ItemFacts(
                asset=house.assets.keep(f"a{at}", duration_s=duration_s),
                caption=f"A {KINDS[at] * 3} sound of {KINDS[-at] * 3} colour leads {WORDS[at:]} BPM: 92",
                consent=Consent(training_allowed=True),
            ),
            key(),
        )
        for at in range(count)
    ]


def reasons(found: tuple[Finding, ...], severity: Severity) -> set[str]:
    return {finding.reason for finding in found if finding.severity is severity}


def test_eight_sound_pairs_are_ready(house: House) -> None:
    made(house, 8)

    found = house.readiness.check(ARTIST, Selection())

    assert found.ready, found.findings
    assert (found.pair_count, found.duration_s) == (8, 960.0)
    assert found.items_by_state[ItemState.READY] == 8


def test_seven_pairs_are_too_few_and_it_says_how_many_are_wanted(house: House) -> None:
    made(house, 7)

    found = house.readiness.check(ARTIST, Selection())

    assert not found.ready
    assert found.findings[0].reason == "FEW_PAIRS"
    assert "1 missing" in found.findings[0].message


def test_what_named_items_lack_is_told(house: House) -> None:
    bare = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("b1")), key())
    mute = house.items.create(ARTIST, ItemFacts(caption=f"{WORDS} BPM: 92"), key())
    broken = house.items.fail(ARTIST, made(house, 1)[0].uid, "cut off", "")

    found = house.readiness.check(ARTIST, Selection((bare.uid, mute.uid, broken.uid)))

    told = {(finding.reason, finding.training_item) for finding in found.findings}
    assert {("CAPTION_MISSING", bare.name), ("AUDIO_MISSING", mute.name), ("ITEM_FAILED", broken.name)} <= told
    assert found.pair_count == 0


def test_captions_are_held_to_the_rules_of_today(house: House) -> None:
    item = made(house, 8)[0]
    house.captions.broken[item.caption] = (Finding("P8", "it names a song", severity=Severity.ERROR),)

    found = house.readiness.check(ARTIST, Selection())

    assert [(one.reason, one.training_item) for one in found.findings if one.reason == "P8"] == [("P8", item.name)]
    assert (found.ready, found.pair_count) == (False, 7)


def test_little_audio_tails_and_copies_are_warnings(house: House) -> None:
    items = made(house, 8, duration_s=34.0)
    twin = house.assets.audios["artists/nova/assets/a0"]
    house.item_store.replace(items[1], replace(items[1], audio=twin, revision=2))

    found = house.readiness.check(ARTIST, Selection())

    assert {"LITTLE_AUDIO", "TAIL_DROPPED", "DUPLICATE_AUDIO"} <= reasons(found.findings, Severity.WARNING)
    copies = [one for one in found.findings if one.reason == "DUPLICATE_AUDIO"]
    assert [one.training_item for one in copies] == [items[1].name]
    assert items[0].name in copies[0].message
    assert found.ready


def test_ten_hours_are_much(house: House) -> None:
    made(house, 8, duration_s=4500.0)

    assert "MUCH_AUDIO" in reasons(house.readiness.check(ARTIST, Selection()).findings, Severity.WARNING)


def test_nothing_is_said_while_nobody_can_check_captions(house: House) -> None:
    made(house, 1)
    house.captions.is_away = True

    with pytest.raises(DependencyUnavailable):
        house.readiness.check(ARTIST, Selection())


def test_items_that_wait_for_a_caption_tell_when_their_audio_is_useless(house: House) -> None:
    made(house, 8)
    short = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("s1", duration_s=3.0)), key())

    found = house.readiness.check(ARTIST, Selection())

    assert found.ready
    told = [one for one in found.findings if one.reason == "AUDIO_TOO_SHORT"]
    assert [(one.training_item, one.severity) for one in told] == [(short.name, Severity.WARNING)]


def test_a_refused_consent_keeps_an_item_out(house: House) -> None:
    items = made(house, 8)
    no = Consent(training_allowed=False, given_by="Ada")
    house.items.update(ARTIST, items[0].uid, ItemFacts(consent=no), {"consent"}, "")

    found = house.readiness.check(ARTIST, Selection())

    assert (found.ready, found.pair_count) == (False, 7)
    assert {one.reason for one in found.findings if one.severity is Severity.ERROR} == {"CONSENT_REFUSED", "FEW_PAIRS"}


def test_an_unknown_item_is_refused(house: House) -> None:
    with pytest.raises(TrainingItemNotFound):
        house.readiness.check(ARTIST, Selection(("none",)))
