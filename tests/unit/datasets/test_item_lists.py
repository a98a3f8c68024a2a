"""Batches of items, filters of lists, findings and matching."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chassis.errors import AppError, FieldInvalid, PageTokenInvalid
from services.datasets.domain.captions import CaptionInvalid, CaptionSource
from services.datasets.domain.findings import Severity
from services.datasets.domain.item_findings import findings_of
from services.datasets.domain.item_ports import ItemFilter
from services.datasets.domain.items import AudioInUse, Consent, ItemState, TrainingItem
from services.datasets.use_cases.items import ItemFacts
from tests.unit.datasets.house import ARTIST, House, key
from tests.unit.datasets.rulebook import WORDS

CAPTION = f"{WORDS} BPM: 92"


def batch(house: House, many: list[ItemFacts], word: str = "") -> list[TrainingItem | AppError]:
    return house.items.batch_create(ARTIST, many, [key(f"{word}{at}" if word else "", b"x") for at in range(len(many))])


def test_each_item_of_a_batch_succeeds_or_fails_alone(house: House) -> None:
    first, second, bad = batch(
        house,
        [
            ItemFacts(asset=house.assets.keep("a1"), caption=CAPTION),
            ItemFacts(asset=house.assets.keep("a2")),
            ItemFacts(asset=house.assets.keep("a3"), caption="no tempo"),
        ],
    )

    assert isinstance(first, TrainingItem)
    assert isinstance(second, TrainingItem)
    assert (first.state, second.state) == (ItemState.READY, ItemState.NEEDS_PROMPT)
    assert isinstance(bad, CaptionInvalid)


def test_a_repeated_batch_makes_nothing_new(house: House) -> None:
    many = [ItemFacts(asset=house.assets.keep(f"a{at}"), caption=CAPTION) for at in range(3)]

    first, second = batch(house, many, "r"), batch(house, many, "r")

    assert first == second
    assert len(house.items.page(ARTIST, ItemFilter(), size=0, token="").items) == 3


def test_a_batch_makes_no_second_item_of_the_same_audio(house: House) -> None:
    name = house.assets.keep("a1")
    known = house.items.create(ARTIST, ItemFacts(asset=name), key())

    found, fresh, twin = batch(
        house, [ItemFacts(asset=name), ItemFacts(asset=house.assets.keep("a2")), ItemFacts(asset=f"{name[:-2]}a2")]
    )

    assert isinstance(found, AudioInUse)
    assert found.metadata == {"training_item": known.name}
    assert isinstance(fresh, TrainingItem)
    assert isinstance(twin, AudioInUse)


def test_one_recording_may_be_in_several_items_that_are_made_by_themselves(house: House) -> None:
    name = house.assets.keep("a1")

    first, second = (house.items.create(ARTIST, ItemFacts(asset=name), key()) for _ in range(2))

    assert first.uid != second.uid


@pytest.mark.parametrize("count", [0, 201])
def test_a_batch_has_1_to_200_items(house: House, count: int) -> None:
    with pytest.raises(FieldInvalid):
        batch(house, [ItemFacts(caption=CAPTION)] * count)


def test_items_are_found_by_state_live_set_audio_words_and_source(house: House) -> None:
    live_set = house.captions.add_live_set("song")
    one = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1"), display_name="Grüße 100%"), key())
    two = house.items.create(ARTIST, ItemFacts(caption=CAPTION, live_set=live_set), key())

    def found(**wanted: object) -> list[str]:
        page = house.items.page(ARTIST, ItemFilter(**wanted), size=0, token="")  # type: ignore[arg-type]
        return [item.uid for item in page.items]

    assert found(state=ItemState.NEEDS_AUDIO) == [two.uid]
    assert found(live_set=live_set) == [two.uid]
    assert found(asset=f"artists/{ARTIST}/assets/a1") == [one.uid]
    assert found(query="GRÜSSE") == found(query="grüße") == [one.uid]
    assert found(query="0%") == [one.uid]
    assert found(query="dusty DRUMS") == [two.uid]
    assert found(query="%") == [one.uid]
    assert found(caption_source=CaptionSource.MANUAL) == [two.uid]
    assert found(caption_source=CaptionSource.GENERATED) == []


def test_a_page_token_holds_for_its_filter_alone(house: House) -> None:
    for at in range(3):
        house.clock.advance(1)
        house.items.create(ARTIST, ItemFacts(asset=house.assets.keep(f"a{at}")), key())
    first = house.items.page(ARTIST, ItemFilter(), size=1, token="")

    with pytest.raises(PageTokenInvalid):
        house.items.page(ARTIST, ItemFilter(query="a"), size=1, token=first.next_page_token)


@pytest.mark.parametrize(
    ("facts", "reason", "severity"),
    [
        ({"duration_s": 4.9}, "AUDIO_TOO_SHORT", Severity.ERROR),
        ({"duration_s": 29.0}, "SHORT_AUDIO", Severity.WARNING),
        ({"peak": 0.0005, "pcm_sha256": "aa"}, "SILENT_AUDIO", Severity.ERROR),
        ({"silent_share": 0.7}, "SILENT_AUDIO", Severity.WARNING),
        ({"clipped_share": 0.001}, "CLIPPED_AUDIO", Severity.WARNING),
        ({"rate_hz": 22_050}, "LOW_RATE", Severity.WARNING),
        ({"tempo_bpm": 101.0, "tempo_confidence": 0.9}, "TEMPO_DIFFERS", Severity.WARNING),
    ],
)
def test_what_is_odd_in_the_audio_is_told(
    house: House, facts: dict[str, float], reason: str, severity: Severity
) -> None:
    name = house.assets.keep("a1")
    house.assets.audios[name] = replace(house.assets.audios[name], **facts)  # type: ignore[arg-type]

    consent = Consent(training_allowed=True)
    item = house.items.create(ARTIST, ItemFacts(asset=name, caption=CAPTION, consent=consent), key())

    assert [(one.reason, one.severity) for one in findings_of(item)] == [(reason, severity)]
    assert findings_of(item)[0].training_item == item.name


@pytest.mark.parametrize("heard", [92.0, 46.5, 183.0, 95.0])
def test_half_double_and_nearly_the_same_tempo_are_no_finding(house: House, heard: float) -> None:
    name = house.assets.keep("a1")
    house.assets.audios[name] = replace(house.assets.audios[name], tempo_bpm=heard, tempo_confidence=0.9)

    item = house.items.create(
        ARTIST, ItemFacts(asset=name, caption=CAPTION, consent=Consent(training_allowed=True)), key()
    )

    assert findings_of(item) == ()


def test_missing_consent_and_bent_rules_are_findings(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption="Slow pads. BPM: 92"), key())

    assert [one.reason for one in findings_of(item)] == ["P6", "CONSENT_UNKNOWN"]
