"""How captions get into items: checked, with where they come from."""

from __future__ import annotations

import pytest

from chassis.errors import DependencyUnavailable, EtagMismatch, FieldInvalid
from services.datasets.domain.captions import CaptionInvalid, CaptionSource, LiveSetUnknown
from services.datasets.domain.items import ItemState
from services.datasets.use_cases.items import ItemFacts
from tests.unit.datasets.house import ARTIST, House, key
from tests.unit.datasets.rulebook import WORDS, CaptionMissing

CAPTION = f"{WORDS} BPM: 92"


def test_a_refused_caption_tells_every_rule_that_it_breaks(house: House) -> None:
    with pytest.raises(CaptionInvalid) as caught:
        house.items.create(ARTIST, ItemFacts(caption="**Bold** words"), key())

    assert {one.field for one in caught.value.violations} == {"caption"}
    assert {one.description.partition(":")[0] for one in caught.value.violations} == {"P4", "P7"}


def test_a_caption_is_mended_before_it_is_kept(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption="Slow pads\n over drums. BPM: 92 "), key())

    assert item.caption == "Slow pads over drums. BPM: 92"


def test_no_caption_is_set_while_nobody_can_check_it(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1")), key())
    house.captions.is_away = True

    with pytest.raises(DependencyUnavailable):
        house.items.update(ARTIST, item.uid, ItemFacts(caption=CAPTION), {"caption"}, "")

    assert house.items.get(ARTIST, item.uid) == item


def test_other_facts_can_be_set_while_nobody_checks_captions(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption=CAPTION), key())
    house.captions.is_away = True

    assert house.items.update(ARTIST, item.uid, ItemFacts(licence="CC0-1.0"), {"licence"}, "").licence == "CC0-1.0"


def test_a_written_caption_brings_its_provenance(house: House) -> None:
    written = house.captions.will_have(CAPTION)

    item = house.items.create(ARTIST, ItemFacts(source_caption=written.name), key())

    assert (item.caption, item.caption_source) == (CAPTION, CaptionSource.GENERATED)
    assert item.provenance["raw_text"] == f"{CAPTION} raw"
    assert item.provenance["source"] == "generated"


def test_a_changed_caption_is_edited_and_keeps_the_engines_own_text(house: House) -> None:
    written = house.captions.will_have(CAPTION)
    item = house.items.create(ARTIST, ItemFacts(source_caption=written.name), key())
    other = CAPTION.replace("Warm", "Cold")

    edited = house.items.update(ARTIST, item.uid, ItemFacts(caption=other), {"caption"}, item.etag)

    assert (edited.caption_source, edited.source_caption) == (CaptionSource.EDITED, written.name)
    assert edited.provenance["raw_text"] == f"{CAPTION} raw"
    assert edited.provenance["edited_by"] == "ada"
    assert edited.provenance["edited_at"] == house.clock.now().isoformat()
    newest = house.items.revisions(ARTIST, item.uid, size=1, token="").items[0]
    assert (newest.principal, newest.caption_source) == ("ada", CaptionSource.EDITED)


def test_taking_the_written_words_back_makes_a_caption_generated_again(house: House) -> None:
    written = house.captions.will_have(CAPTION)
    item = house.items.create(ARTIST, ItemFacts(source_caption=written.name), key())
    house.items.update(ARTIST, item.uid, ItemFacts(caption=CAPTION.replace("Warm", "Cold")), {"caption"}, "")

    back = house.items.update(ARTIST, item.uid, ItemFacts(caption=CAPTION), {"caption"}, "")

    assert back.caption_source is CaptionSource.GENERATED


def test_a_persons_own_words_are_manual_and_those_of_a_file_imported(house: House) -> None:
    own = house.items.create(ARTIST, ItemFacts(caption=CAPTION), key())
    filed = house.items.create(
        ARTIST, ItemFacts(caption=CAPTION, provenance={"source": "imported", "file_name": "a.txt"}), key()
    )

    assert (own.caption_source, filed.caption_source) == (CaptionSource.MANUAL, CaptionSource.IMPORTED)
    assert filed.provenance == {"source": "imported", "file_name": "a.txt"}


def test_nobody_can_claim_that_a_model_wrote_their_words(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption=CAPTION, provenance={"source": "generated"}), key())

    assert (item.caption_source, item.provenance) == (CaptionSource.MANUAL, {"source": "manual"})


def test_an_unknown_written_caption_is_refused(house: House) -> None:
    with pytest.raises(CaptionMissing):
        house.items.create(ARTIST, ItemFacts(source_caption=f"artists/{ARTIST}/captions/none"), key())


def test_an_unknown_live_set_is_refused(house: House) -> None:
    with pytest.raises(LiveSetUnknown):
        house.items.create(ARTIST, ItemFacts(caption=CAPTION, live_set=f"artists/{ARTIST}/live-sets/none"), key())


def test_a_caption_that_breaks_rules_under_another_live_set_waits_as_a_proposal(house: House) -> None:
    written = house.captions.will_have(CAPTION)
    facts = ItemFacts(asset=house.assets.keep("a1"), source_caption=written.name)
    item = house.items.create(ARTIST, facts, key())
    fast = house.captions.add_live_set("fast", tempo_bpm=174.0)

    changed = house.items.update(ARTIST, item.uid, ItemFacts(live_set=fast), {"live_set"}, item.etag)

    assert (changed.state, changed.caption, changed.caption_source) == (ItemState.NEEDS_PROMPT, "", CaptionSource.NONE)
    assert changed.proposal is not None
    assert (changed.proposal.text, changed.proposal.source_caption) == (CAPTION, written.name)
    assert [one.reason for one in changed.proposal.violations] == ["P5"]
    assert house.items.get(ARTIST, item.uid) == changed


def test_a_caption_that_keeps_the_rules_stays_under_other_audio(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1"), caption=CAPTION), key())

    changed = house.items.update(ARTIST, item.uid, ItemFacts(asset=house.assets.keep("a2")), {"asset"}, "")

    assert (changed.caption, changed.caption_revision, changed.state) == (CAPTION, 1, ItemState.READY)


def test_other_audio_or_another_live_set_drops_what_waits(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1"), caption=CAPTION), key())
    fast = house.captions.add_live_set("fast", tempo_bpm=174.0)
    waiting = house.items.update(ARTIST, item.uid, ItemFacts(live_set=fast), {"live_set"}, "")

    dropped = house.items.update(ARTIST, item.uid, ItemFacts(asset=house.assets.keep("a2")), {"asset"}, "")

    assert waiting.proposal is not None
    assert dropped.proposal is None


def test_a_person_who_changes_what_waits_edits_the_written_caption(house: House) -> None:
    written = house.captions.will_have(CAPTION)
    facts = ItemFacts(asset=house.assets.keep("a1"), source_caption=written.name)
    item = house.items.create(ARTIST, facts, key())
    fast = house.captions.add_live_set("fast", tempo_bpm=174.0)
    house.items.update(ARTIST, item.uid, ItemFacts(live_set=fast), {"live_set"}, "")

    mended = house.items.update(ARTIST, item.uid, ItemFacts(caption=CAPTION.replace("92", "174")), {"caption"}, "")

    assert (mended.state, mended.proposal, mended.caption_source) == (ItemState.READY, None, CaptionSource.EDITED)
    assert mended.source_caption == written.name


def test_a_cleared_caption_takes_its_provenance_along(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1"), caption=CAPTION), key())

    cleared = house.items.update(ARTIST, item.uid, ItemFacts(), {"caption"}, "")

    assert (cleared.state, cleared.caption, cleared.provenance) == (ItemState.NEEDS_PROMPT, "", {})
    assert cleared.caption_revision == 2


def test_the_same_words_again_change_nothing_but_the_clock(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption=CAPTION), key())

    same = house.items.update(ARTIST, item.uid, ItemFacts(caption=CAPTION), {"caption"}, "")

    assert (same.caption_revision, same.content_revision) == (1, 1)


def test_a_restored_caption_is_checked_by_the_rules_of_today(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption=CAPTION), key())
    house.items.update(ARTIST, item.uid, ItemFacts(caption=CAPTION.replace("92", "95")), {"caption"}, "")
    slow = house.captions.add_live_set("slow", tempo_bpm=95.0)
    house.items.update(ARTIST, item.uid, ItemFacts(live_set=slow), {"live_set"}, "")

    with pytest.raises(CaptionInvalid, match="P5"):
        house.items.restore(ARTIST, item.uid, 1, "")


def test_a_restored_caption_comes_from_where_it_came_from(house: House) -> None:
    written = house.captions.will_have(CAPTION)
    item = house.items.create(ARTIST, ItemFacts(source_caption=written.name), key())
    house.items.update(ARTIST, item.uid, ItemFacts(caption=CAPTION.replace("Warm", "Cold")), {"caption"}, "")

    back = house.items.restore(ARTIST, item.uid, 1, "")

    assert (back.caption_source, back.source_caption) == (CaptionSource.GENERATED, written.name)
    assert back.provenance["source"] == "generated"


def test_a_restore_from_an_old_reading_is_refused(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption=CAPTION), key())
    house.items.update(ARTIST, item.uid, ItemFacts(licence="CC0-1.0"), {"licence"}, "")

    with pytest.raises(EtagMismatch):
        house.items.restore(ARTIST, item.uid, 1, item.etag)


def test_a_persons_tempo_wins_over_the_live_sets(house: House) -> None:
    live_set = house.captions.add_live_set("slow", tempo_bpm=92.0)
    facts = ItemFacts(caption=f"{WORDS} BPM: 120", live_set=live_set, tempo_bpm=120.0, key="F# minor")

    item = house.items.create(ARTIST, facts, key())

    assert (item.tempo_bpm, item.key, item.caption[-8:]) == (120.0, "F# minor", "BPM: 120")


@pytest.mark.parametrize("facts", [{"tempo_bpm": 12.0}, {"key": "H dur!"}, {"time_signature": "4/3"}])
def test_musical_facts_that_are_none_are_refused(house: House, facts: dict[str, object]) -> None:
    with pytest.raises(FieldInvalid):
        house.items.create(ARTIST, ItemFacts(caption=CAPTION, **facts), key())  # type: ignore[arg-type]
