"""From asking for a separation to its stems, and everything that may go otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from chassis.context import acting_as
from chassis.errors import DependencyUnavailable, EtagMismatch, FieldInvalid, NotFound, RequestIdReused
from chassis.jobs import JobCancelled, LeaseLost
from chassis.testing.data import sqlite_database
from services.stems import stub
from services.stems.domain import (
    Block,
    Limits,
    ModelNotFound,
    Order,
    OutputFormat,
    Parameters,
    Selection,
    SeparationChannelsUnsupported,
    SeparationFormatUnsupported,
    SeparationInputEmpty,
    SeparationInputTooLong,
    SeparationNotEnded,
    SeparationNotFound,
    SeparationNotRetryable,
    SourceAsset,
    State,
    StemSet,
    Task,
)
from services.stems.store import Base
from services.stems.store.tables import to_separation
from tests.unit.stems.house import ADA, ARTIST, Quiet, StemsHouse


def noise(frame_count: int = 20_000, channels: int = 2, seed: int = 1) -> npt.NDArray[np.float32]:
    made = np.random.default_rng(seed).standard_normal((frame_count, channels)) * 0.1
    return made.astype(np.float32)


def ask(house: StemsHouse, order: Order, request_id: str = "", body: bytes = b"body") -> str:
    return house.separations.create(ARTIST, order, request_id, body).uid


def test_stems_of_a_separation_sum_to_its_source(house: StemsHouse) -> None:
    mix = noise()
    ask(house, Order(house.assets.add(mix).name))

    done = house.run_one()

    assert done is not None
    assert (done.state, done.attempt.progress_percent) == (State.SUCCEEDED, 100)
    assert done.result is not None
    assert [stem.stem for stem in done.result.stems] == ["drums", "bass", "other", "vocals"]
    total = sum(house.assets.frames(stem.asset) for stem in done.result.stems)
    assert np.abs(total - mix).max() <= 1e-6


def test_a_separation_holds_its_source_and_stems_until_deleted(house: StemsHouse) -> None:
    uid = ask(house, Order(house.assets.add(noise()).name))
    done = house.run_one()
    assert done is not None
    held = {asset for asset, holder in house.assets.holds if holder == done.name}

    house.separations.delete(ARTIST, uid, "")

    assert len(held) == 5
    assert house.assets.holds == set()
    with pytest.raises(SeparationNotFound):
        house.separations.get(ARTIST, uid)
    assert house.store.result(ARTIST, done.content_key) is None


def test_two_stems_are_target_and_rest(house: StemsHouse) -> None:
    mix = noise()
    ask(house, Order(house.assets.add(mix).name, selection=Selection(StemSet.TWO_STEMS)))

    done = house.run_one()

    assert done is not None
    assert done.result is not None
    assert [stem.stem for stem in done.result.stems] == ["vocals", "instruments"]
    assert np.abs(sum(house.assets.frames(stem.asset) for stem in done.result.stems) - mix).max() <= 1e-6


def test_a_subset_comes_in_the_models_order(house: StemsHouse) -> None:
    selection = Selection(StemSet.SUBSET, wanted_stems=("vocals", "drums"))
    ask(house, Order(house.assets.add(noise()).name, selection=selection, output_format=OutputFormat.WAV_FLOAT))

    done = house.run_one()

    assert done is not None
    assert done.result is not None
    assert [stem.stem for stem in done.result.stems] == ["drums", "vocals"]


def test_same_request_id_starts_one_separation(house: StemsHouse) -> None:
    order = Order(house.assets.add(noise()).name)

    first, second = ask(house, order, "r1"), ask(house, order, "r1")

    assert first == second
    assert len(house.separations.page(ARTIST, size=0, token="", asset="", state=None).items) == 1
    assert len(house.assets.holds) == 1
    with pytest.raises(RequestIdReused):
        ask(house, order, "r1", b"another")


def test_equal_work_is_done_once(house: StemsHouse) -> None:
    order = Order(house.assets.add(noise()).name)
    ask(house, order)
    first = house.run_one()

    second = house.separations.get(ARTIST, ask(house, order))

    assert first is not None
    assert second.state is State.SUCCEEDED
    assert second.result == first.result
    assert house.run_one() is None


def test_equal_work_that_was_queued_twice_gives_one_set(house: StemsHouse) -> None:
    order = Order(house.assets.add(noise()).name)
    ask(house, order)
    ask(house, order)

    first, second = house.run_one(), house.run_one()

    assert first is not None
    assert second is not None
    assert second.result is not None
    assert second.result == first.result
    assert second.result.made_by == first.name
    assert len([asset for asset, holder in house.assets.holds if holder == second.name]) == 5


def test_a_remembered_result_whose_stem_is_gone_is_made_again(house: StemsHouse) -> None:
    order = Order(house.assets.add(noise()).name)
    ask(house, order)
    first = house.run_one()
    assert first is not None
    assert first.result is not None
    del house.assets.by_name[first.result.stems[0].asset]

    again = house.separations.get(ARTIST, ask(house, order))

    assert again.state is State.QUEUED
    done = house.run_one()
    assert done is not None
    assert done.state is State.SUCCEEDED


def test_a_worker_that_lost_its_lease_commits_nothing(house: StemsHouse) -> None:
    ask(house, Order(house.assets.add(noise()).name))
    late = house.jobs.claim("late")
    assert late is not None
    house.clock.advance(31)
    house.jobs.sweep()
    quick = house.jobs.claim("quick")
    assert quick is not None
    house.work.perform(to_separation(quick), Quiet())

    with pytest.raises(LeaseLost):
        house.work.perform(to_separation(late), Quiet())

    done = house.store.get(ARTIST, late.uid)
    assert (done.state, done.attempt.attempt, done.attempt.lost_leases) == (State.SUCCEEDED, 2, 1)


@pytest.mark.parametrize(
    ("asset", "error"),
    [
        (SourceAsset("artists/nova/assets/x", "k", "audio/wav", 44, 0, 44100, 2, "0" * 64), SeparationInputEmpty),
        (
            SourceAsset("artists/nova/assets/x", "k", "audio/wav", 44, 61 * 8000, 8000, 2, "0" * 64),
            SeparationInputTooLong,
        ),
        (
            SourceAsset("artists/nova/assets/x", "k", "audio/wav", 11 << 20, 10, 8000, 2, "0" * 64),
            SeparationInputTooLong,
        ),
        (
            SourceAsset("artists/nova/assets/x", "k", "audio/wav", 44, 10, 8000, 9, "0" * 64),
            SeparationChannelsUnsupported,
        ),
    ],
)
def test_what_cannot_be_separated_is_refused_at_once(
    house: StemsHouse, asset: SourceAsset, error: type[Exception]
) -> None:
    house.assets.by_name[asset.name] = asset

    with pytest.raises(error):
        ask(house, Order(asset.name))

    assert house.assets.holds == set()


@pytest.mark.parametrize(
    ("selection", "field"),
    [
        (Selection(StemSet.TWO_STEMS, "kazoo"), "separation.target_stem"),
        (Selection(StemSet.ALL, "vocals"), "separation.target_stem"),
        (Selection(StemSet.SUBSET), "separation.wanted_stems"),
        (Selection(StemSet.SUBSET, wanted_stems=("bass", "bass")), "separation.wanted_stems"),
        (Selection(StemSet.ALL, wanted_stems=("bass",)), "separation.wanted_stems"),
    ],
)
def test_a_selection_must_fit_the_model(house: StemsHouse, selection: Selection, field: str) -> None:
    with pytest.raises(FieldInvalid) as caught:
        ask(house, Order(house.assets.add(noise()).name, selection=selection))

    assert [violation.field for violation in caught.value.violations] == [field]


@pytest.mark.parametrize("values", [{"overlap": 1.0}, {"overlap": float("nan")}, {"shifts": 11}, {"shifts": -1}])
def test_parameters_have_bounds(values: dict[str, float]) -> None:
    with pytest.raises(FieldInvalid):
        Parameters(**values)  # type: ignore[arg-type]


def test_an_unknown_model_names_those_that_exist(house: StemsHouse) -> None:
    with pytest.raises(ModelNotFound, match="dsp-stub"):
        ask(house, Order(house.assets.add(noise()).name, model="htdemucs"))


def test_damaged_audio_fails_once_and_says_so(house: StemsHouse) -> None:
    asset = house.assets.add(noise())
    ask(house, Order(asset.name))
    house.objects.put(asset.blob_key, b"RIFF and then nothing")

    done = house.run_one()

    assert done is not None
    assert done.state is State.FAILED
    assert done.failure is not None
    assert done.failure.reason == "SEPARATION_INPUT_DAMAGED"


def test_a_failed_separation_can_be_queued_again(house: StemsHouse) -> None:
    asset = house.assets.add(noise())
    uid = ask(house, Order(asset.name))
    whole = house.objects.read_bytes(asset.blob_key, limit=1 << 20)
    house.objects.put(asset.blob_key, b"RIFF and then nothing")
    house.run_one()
    house.objects.put(asset.blob_key, whole)

    again = house.separations.requeue(ARTIST, uid)

    assert (again.state, again.failure) == (State.QUEUED, None)
    done = house.run_one()
    assert done is not None
    assert done.state is State.SUCCEEDED
    with pytest.raises(SeparationNotRetryable):
        house.separations.requeue(ARTIST, uid)


def test_a_queued_separation_is_cancelled_at_once(house: StemsHouse) -> None:
    uid = ask(house, Order(house.assets.add(noise()).name))

    assert house.separations.cancel(ARTIST, uid).state is State.CANCELLED
    assert house.run_one() is None


def test_only_an_ended_separation_with_the_right_etag_is_deleted(house: StemsHouse) -> None:
    uid = ask(house, Order(house.assets.add(noise()).name))

    with pytest.raises(SeparationNotEnded):
        house.separations.delete(ARTIST, uid, "")
    house.separations.cancel(ARTIST, uid)
    with pytest.raises(EtagMismatch):
        house.separations.delete(ARTIST, uid, "old")
    house.separations.delete(ARTIST, uid, house.separations.get(ARTIST, uid).etag)


@pytest.mark.parametrize("method", ["get", "cancel"])
def test_another_artists_separation_is_not_found(house: StemsHouse, method: str) -> None:
    uid = ask(house, Order(house.assets.add(noise()).name))

    with pytest.raises(NotFound):
        getattr(house.separations, method)("stranger", uid)


def test_pages_hold_every_separation_once(house: StemsHouse) -> None:
    order = Order(house.assets.add(noise()).name)
    made = {ask(house, order) for _ in range(5)}
    found: list[str] = []
    token = ""

    for _ in range(3):
        page = house.separations.page(ARTIST, size=2, token=token, asset=order.asset, state=State.QUEUED)
        found += [separation.uid for separation in page.items]
        token = page.next_page_token

    assert (len(found), set(found), token) == (5, made, "")


@pytest.mark.parametrize("frames", [np.zeros((5000, 2)), np.full((1, 1), 0.5)])
def test_odd_sources_give_stems_of_their_shape(house: StemsHouse, frames: npt.NDArray[np.float32]) -> None:
    ask(house, Order(house.assets.add(frames.astype(np.float32)).name))

    done = house.run_one()

    assert done is not None
    assert done.result is not None
    total = sum(house.assets.frames(stem.asset) for stem in done.result.stems)
    assert np.abs(total - frames).max() <= 1e-6


def test_loud_stems_share_one_gain(tmp_path: Path) -> None:
    class Loud:
        def separate(self, task: Task) -> Iterator[Block]:
            shape = (task.mix.frame_count, task.mix.channels)
            yield {source: np.full(shape, place - 0.5, np.float32) for place, source in enumerate(task.sources)}

    db = sqlite_database(tmp_path, Base)
    with acting_as(ADA):
        house = StemsHouse(db, tmp_path, engine=Loud(), models=[stub.MODEL], limits=Limits(60, 1 << 20))
        ask(house, Order(house.assets.add(noise(100)).name))
        done = house.run_one()
    db.close()

    assert done is not None
    assert done.result is not None
    assert done.result.output_gain_db == pytest.approx(20 * np.log10(1 / 2.5), abs=1e-4)
    peaks = [np.abs(house.assets.frames(stem.asset)).max() for stem in done.result.stems]
    assert peaks == pytest.approx([0.2, 0.2, 0.6, 1.0], abs=1e-5)


@pytest.mark.parametrize(
    ("output_format", "rate_hz", "formats"),
    [(OutputFormat.MP3, 22050, "FLAC_24,WAV_FLOAT"), (OutputFormat.FLAC_24, 700_000, "WAV_FLOAT")],
)
def test_a_format_without_the_sources_rate_names_those_that_have_it(
    house: StemsHouse, output_format: OutputFormat, rate_hz: int, formats: str
) -> None:
    asset = house.assets.add(noise(100), rate_hz)

    with pytest.raises(SeparationFormatUnsupported) as caught:
        ask(house, Order(asset.name, output_format=output_format))

    assert caught.value.metadata == {"formats": formats, "rate_hz": str(rate_hz)}


def test_holds_are_released_later_when_assets_are_away_at_deletion(
    house: StemsHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(asset: str, holder: str) -> None:
        raise DependencyUnavailable("sessions")

    uid = ask(house, Order(house.assets.add(noise()).name))
    house.run_one()
    with monkeypatch.context() as outage:
        outage.setattr(house.assets, "release", away)
        house.separations.delete(ARTIST, uid, "")
    held = len(house.assets.holds)

    purged = house.separations.purge()

    assert (held, purged, house.assets.holds) == (5, 1, set())
    with pytest.raises(SeparationNotFound):
        house.separations.get(ARTIST, uid)


def test_cancelling_while_stems_are_stored_leaves_none_held(house: StemsHouse) -> None:
    class CancelledAtTheEnd:
        def report(self, percent: float, stage: str = "", eta_s: float | None = None) -> None:
            if percent == 100:
                raise JobCancelled("enough")

    ask(house, Order(house.assets.add(noise()).name))
    row = house.jobs.claim("w")
    assert row is not None

    with pytest.raises(JobCancelled):
        house.work.perform(to_separation(row), CancelledAtTheEnd())

    assert [asset for asset, _holder in house.assets.holds] == [to_separation(row).order.asset]
