"""Captions written for many items: at the provider's pace, once each, never over a person's words."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from chassis.context import acting_as, in_request
from chassis.errors import InvalidArgument, ResourceExhausted, Unavailable
from chassis.jobs import JobCancelled, LeaseLost
from chassis.testing import caller_for
from services.datasets.domain.caption_runs import CaptionRun, CaptionRunNotFound, NothingToCaption, Outcome
from services.datasets.domain.captions import CaptionSource, CaptionWish
from services.datasets.domain.exports import JobState
from services.datasets.domain.items import ItemState, Selection, TrainingItem
from services.datasets.use_cases.caption_runs import RunWish
from services.datasets.use_cases.items import ItemFacts
from tests.unit.datasets.house import ARTIST, House, key
from tests.unit.datasets.rulebook import WORDS

CAPTION = f"{WORDS} BPM: 92"


def heard(house: House, count: int) -> list[TrainingItem]:
    made = []
    for at in range(count):
        house.clock.advance(1)
        made.append(house.items.create(ARTIST, ItemFacts(asset=house.assets.keep(f"a{at}")), key()))
    return made


def started(house: House, **wish: object) -> CaptionRun:
    wanted = RunWish(**{"selection": Selection(), **wish})  # type: ignore[arg-type]
    return house.runs.create(ARTIST, "ada", wanted, key())


def outcomes(house: House, run: CaptionRun) -> list[Outcome]:
    return [entry.outcome for entry in house.runs.entries(ARTIST, run.uid)]


def test_every_item_with_audio_and_no_caption_gets_one(house: House) -> None:
    items = heard(house, 6)
    own = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("own"), caption=CAPTION), key())
    run = started(house)

    house.work()

    found = house.runs.get(ARTIST, run.uid)
    assert (found.state, found.item_count, found.accepted_count) == (JobState.SUCCEEDED, 6, 6)
    assert found.cost_usd_micros == 6 * 7
    settled = [house.items.get(ARTIST, item.uid) for item in items]
    assert {(item.state, item.caption_source) for item in settled} == {(ItemState.READY, CaptionSource.GENERATED)}
    assert all(item.provenance["model"] == "m" and item.source_caption for item in settled)
    assert house.items.get(ARTIST, own.uid) == own
    assert house.captions.busiest <= 4


def test_four_texts_are_written_at_once(house: House) -> None:
    heard(house, 8)
    started(house)
    meet = threading.Barrier(4, timeout=20)

    def meet_the_others(_wish: CaptionWish) -> None:
        meet.wait()

    house.captions.on_write = meet_the_others
    house.work()

    assert house.captions.busiest == 4


def test_a_text_that_breaks_rules_waits_as_a_proposal(house: House) -> None:
    item = heard(house, 1)[0]
    house.captions.will_say("no tempo at all")
    run = started(house)

    house.work()

    found = house.items.get(ARTIST, item.uid)
    assert outcomes(house, run) == [Outcome.PROPOSED]
    assert (found.state, found.caption) == (ItemState.NEEDS_PROMPT, "")
    assert found.proposal is not None
    assert [one.reason for one in found.proposal.violations] == ["P4"]
    assert house.runs.get(ARTIST, run.uid).proposed_count == 1


def test_texts_of_people_are_never_touched(house: House) -> None:
    written = house.captions.will_have(CAPTION)
    manual = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1"), caption=CAPTION), key())
    filed = house.items.create(
        ARTIST, ItemFacts(asset=house.assets.keep("a2"), caption=CAPTION, provenance={"source": "imported"}), key()
    )
    edited = house.items.create(
        ARTIST,
        ItemFacts(asset=house.assets.keep("a3"), caption=f"Cold. {CAPTION}", source_caption=written.name),
        key(),
    )
    made = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a4"), source_caption=written.name), key())
    items = (manual, filed, edited, made)
    run = started(house, selection=Selection(tuple(item.uid for item in items)), rewrite_generated=True)

    house.work()

    assert outcomes(house, run) == [Outcome.SKIPPED] * 3 + [Outcome.ACCEPTED]
    assert [house.items.get(ARTIST, item.uid) for item in items[:3]] == list(items[:3])


def test_a_generated_caption_is_written_anew_only_on_demand(house: House) -> None:
    written = house.captions.will_have(CAPTION)
    made = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1"), source_caption=written.name), key())

    with pytest.raises(NothingToCaption):
        started(house)
    run = started(house, rewrite_generated=True, hint="shorter")
    house.work()

    assert outcomes(house, run) == [Outcome.ACCEPTED]
    assert house.items.get(ARTIST, made.uid).caption_revision == 2


def test_an_item_that_a_person_captions_meanwhile_keeps_their_words(house: House) -> None:
    item = heard(house, 1)[0]

    def type_in(_wish: CaptionWish) -> None:
        with in_request(), acting_as(caller_for(ARTIST)):
            house.items.update(ARTIST, item.uid, ItemFacts(caption=CAPTION), {"caption"}, "")

    house.captions.on_write = type_in
    run = started(house)
    house.work()

    assert outcomes(house, run) == [Outcome.SKIPPED]
    assert house.items.get(ARTIST, item.uid).caption_source is CaptionSource.MANUAL


def test_a_change_that_does_not_matter_to_the_text_does_not_keep_it_out(house: House) -> None:
    item = heard(house, 1)[0]
    times = []

    def license_it(_wish: CaptionWish) -> None:
        times.append(1)
        with in_request(), acting_as(caller_for(ARTIST)):
            house.items.update(ARTIST, item.uid, ItemFacts(licence="CC0-1.0"), {"licence"}, "")

    house.captions.on_write = license_it
    run = started(house)
    house.work()

    found = house.items.get(ARTIST, item.uid)
    assert outcomes(house, run) == [Outcome.ACCEPTED]
    assert (found.licence, bool(found.caption), len(times)) == ("CC0-1.0", True, 1)


def test_an_item_whose_live_set_changes_meanwhile_is_written_for_the_new_one(house: House) -> None:
    item = heard(house, 1)[0]
    fast = house.captions.add_live_set("fast", tempo_bpm=174.0)
    wishes: list[str] = []

    def link(wish: CaptionWish) -> None:
        wishes.append(wish.live_set)
        if len(wishes) == 1:
            with in_request(), acting_as(caller_for(ARTIST)):
                house.items.update(ARTIST, item.uid, ItemFacts(live_set=fast), {"live_set"}, "")

    house.captions.on_write = link
    house.captions.will_say(CAPTION, f"{WORDS} BPM: 174")
    run = started(house)
    house.work()

    assert (outcomes(house, run), wishes) == ([Outcome.ACCEPTED], ["", fast])
    assert house.items.get(ARTIST, item.uid).caption == f"{WORDS} BPM: 174"


def test_deleted_and_failed_items_are_left_alone(house: House) -> None:
    gone, broken = heard(house, 2)
    run = started(house)
    house.items.delete(ARTIST, gone.uid, "")
    house.items.fail(ARTIST, broken.uid, "cut off", "")

    house.work()

    assert outcomes(house, run) == [Outcome.SKIPPED] * 2


def test_a_text_that_cannot_be_written_fails_its_item_alone(house: House) -> None:
    heard(house, 2)
    house.captions.faults.append(InvalidArgument("the Live Set has no tracks"))
    run = started(house)

    house.work()

    found = house.runs.get(ARTIST, run.uid)
    assert (found.state, found.failed_count, found.accepted_count) == (JobState.SUCCEEDED, 1, 1)
    told = next(entry for entry in house.runs.entries(ARTIST, run.uid) if entry.outcome is Outcome.FAILED)
    assert (told.error_code, told.error_message) == ("INVALID_ARGUMENT", "the Live Set has no tracks")


def test_a_throttled_provider_is_given_its_pause_and_nothing_is_lost(house: House) -> None:
    heard(house, 3)
    house.captions.faults.extend([ResourceExhausted("slow down", retry_after_s=0.05)] * 3)
    run = started(house)

    house.work()

    assert outcomes(house, run) == [Outcome.ACCEPTED] * 3


def test_a_long_pause_is_taken_without_a_worker(house: House) -> None:
    heard(house, 2)
    house.captions.faults.append(ResourceExhausted("tomorrow", retry_after_s=3600))
    run = started(house)
    row = house.run_jobs.claim("w1")
    assert row is not None

    with pytest.raises(Unavailable) as caught:
        house.run_bench.run(ARTIST, run.uid, row.fence, lambda _percent, _stage: None)
    state = house.run_jobs.fail(run.uid, row.fence, caught.value)

    assert (state, caught.value.retry_after_s) == ("QUEUED", 3600)
    assert house.run_jobs.claim("w1") is None
    house.clock.advance(3601)
    house.work()
    assert house.runs.get(ARTIST, run.uid).accepted_count == 2


def test_the_wait_is_told(house: House) -> None:
    heard(house, 1)
    house.captions.faults.append(ResourceExhausted("slow down", retry_after_s=0.6))
    run = started(house)
    row = house.run_jobs.claim("w1")
    assert row is not None
    told: list[str] = []

    house.run_bench.run(ARTIST, run.uid, row.fence, lambda _percent, stage: told.append(stage))

    assert any(stage.startswith("waiting 1 s") or stage.startswith("waiting 0 s") for stage in told)


def test_a_broken_run_goes_on_without_asking_for_what_is_done(house: House) -> None:
    heard(house, 8)
    run = started(house)
    row = house.run_jobs.claim("w1")
    assert row is not None
    fine, settle = threading.Semaphore(5), house.run_store.settle

    def ends(*arguments: object, **more: object) -> None:
        if not fine.acquire(blocking=False):
            raise RuntimeError("the process ends here")
        settle(*arguments, **more)  # type: ignore[arg-type]

    house.run_store.settle = ends  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        house.run_bench.run(ARTIST, run.uid, row.fence, lambda _percent, _stage: None)
    house.run_store.settle = settle  # type: ignore[method-assign]
    house.run_jobs.release(run.uid, row.fence)
    written = len(house.captions.written)
    house.work()

    assert outcomes(house, run) == [Outcome.ACCEPTED] * 8
    assert len(house.captions.written) == 8
    assert written >= 5
    found = house.runs.get(ARTIST, run.uid)
    assert (found.accepted_count, found.cost_usd_micros) == (8, 8 * 7)


def test_a_cancelled_run_keeps_what_it_has_written(house: House) -> None:
    items = heard(house, 6)
    run = started(house)
    row = house.run_jobs.claim("w1")
    assert row is not None

    def stop(percent: float, _stage: str) -> None:
        if percent > 0:
            raise JobCancelled("cancelled")

    with pytest.raises(JobCancelled) as caught:
        house.run_bench.run(ARTIST, run.uid, row.fence, stop)
    house.run_jobs.fail(run.uid, row.fence, caught.value)

    found = house.runs.get(ARTIST, run.uid)
    captioned = sum(bool(house.items.get(ARTIST, item.uid).caption) for item in items)
    assert found.state is JobState.CANCELLED
    assert captioned == found.accepted_count >= 1


def test_a_worker_that_lost_its_lease_changes_nothing(house: House) -> None:
    items = heard(house, 2)
    run = started(house)
    row = house.run_jobs.claim("w1")
    assert row is not None
    house.run_jobs.release(run.uid, row.fence)
    assert house.run_jobs.claim("w2") is not None

    with pytest.raises(LeaseLost):
        house.run_bench.run(ARTIST, run.uid, row.fence, lambda _percent, _stage: None)

    assert [house.items.get(ARTIST, item.uid).caption for item in items] == ["", ""]


def test_a_run_is_asked_for_once_and_can_be_stopped_before_it_begins(house: House) -> None:
    heard(house, 1)
    wish = RunWish(Selection())

    first, second = (house.runs.create(ARTIST, "ada", wish, key("r1", b"same")) for _ in range(2))
    stopped = house.runs.cancel(ARTIST, first.uid)

    assert first == second
    assert stopped.state is JobState.CANCELLED
    assert [run.uid for run in house.runs.page(ARTIST, size=0, token="").items] == [first.uid]


def test_an_unknown_run_is_not_found(house: House) -> None:
    with pytest.raises(CaptionRunNotFound):
        house.runs.get(ARTIST, "none")
    with pytest.raises(CaptionRunNotFound):
        house.runs.cancel(ARTIST, "none")


def test_the_artists_other_captions_are_passed_along(house: House) -> None:
    own = house.items.create(ARTIST, ItemFacts(caption=CAPTION), key())
    heard(house, 1)
    wishes: list[CaptionWish] = []
    house.captions.on_write = wishes.append
    started(house, hint="darker", prompt_version="train-v2")

    house.work()

    assert wishes[0].siblings == (own.caption,)
    assert (wishes[0].hint, wishes[0].prompt_version) == ("darker", "train-v2")
    assert replace(wishes[0], siblings=()).asset.endswith("/a0")
