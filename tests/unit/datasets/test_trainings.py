"""Trainings as people ask for them, and as a provider takes them, without a network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chassis.errors import FieldInvalid, NameInvalid, RequestIdReused
from services.datasets.domain.costs import Past, Prices, TrainingBudgetSpent, TrainingTooExpensive, expected_seconds
from services.datasets.domain.findings import Finding, Severity
from services.datasets.domain.items import Consent
from services.datasets.domain.provider_failures import DestinationNotFound, ProviderTokenRefused
from services.datasets.domain.provider_runs import (
    ProviderAway,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnsure,
    RunState,
    tail,
)
from services.datasets.domain.snapshots import SnapshotMember
from services.datasets.domain.trainer_logs import LogProgress, failure_of, log_progress
from services.datasets.domain.training_parameters import TrainingParameters
from services.datasets.domain.training_ports import TrainingFilter
from services.datasets.domain.trainings import (
    ArchiveNotPublic,
    ExportNotTrainable,
    TrainerNotConfigured,
    Training,
    TrainingNotFound,
    TrainingWouldFail,
)
from services.datasets.use_cases.exports import ExportWish
from services.datasets.use_cases.items import ItemFacts
from services.datasets.use_cases.trainings import Setup
from tests.unit.datasets.house import ARTIST, House, key
from tests.unit.datasets.training_house import ScriptedProvider, TrainingHouse, go_on

LOG = """Using trainer
[01-01 10:00:00][flashy.solver][INFO] - Train | Epoch 1 | 40/100 | 1.9 it/sec | loss 5.1
[01-01 10:00:09][flashy.solver][INFO] - Train Summary | Epoch 1 | loss=4.9
[01-01 10:00:20][flashy.solver][INFO] - Train | Epoch 2 | 20/100 | 1.9 it/sec | loss 4.8
"""


@pytest.fixture
def provider(house: House) -> ScriptedProvider:
    return ScriptedProvider(house.clock.now)


@pytest.fixture
def place(house: House, provider: ScriptedProvider) -> TrainingHouse:
    return TrainingHouse(house, provider)


@pytest.fixture
def training(place: TrainingHouse) -> Training:
    return place.start(place.export())


def now_of(place: TrainingHouse, training: Training) -> Training:
    return place.desk.get(ARTIST, training.uid)


def test_a_training_is_kept_before_anything_is_sent(place: TrainingHouse, provider: ScriptedProvider) -> None:
    training = place.start(place.export())

    assert training.state is RunState.SUBMITTING
    assert training.archive_url.endswith(f"dataset.zip?training={training.uid}")
    assert provider.asked == []


def test_a_repeat_gives_the_same_training(place: TrainingHouse) -> None:
    export = place.export()
    first = place.start(export)

    again = place.start(export)

    assert again.uid == first.uid
    assert len(place.desk.page(ARTIST, TrainingFilter(), size=0, token="").items) == 1
    with pytest.raises(RequestIdReused):
        place.desk.create(ARTIST, "ada", place.wish(export), key("r1", b"another body"))


def test_news_moves_a_training_to_its_end(place: TrainingHouse, provider: ScriptedProvider, training: Training) -> None:
    place.tender.tend()
    provider.tell("run1", status="processing", logs=LOG)
    go_on(place, 10)
    seen = now_of(place, training)
    provider.tell("run1", status="succeeded", logs=LOG, predict_time_s=900.0, output={"version": "ada/sound:f00"})
    go_on(place, 60)

    ended = now_of(place, training)
    assert (seen.state, seen.epoch, seen.step, seen.progress_percent) == (RunState.RUNNING, 2, 120, 40.0)
    assert (ended.state, ended.version) == (RunState.SUCCEEDED, "ada/sound:f00")
    assert (ended.cost_usd_micros, ended.progress_percent) == (10_080_000, 100.0)
    assert ended.log_tail == LOG


def test_old_news_takes_nothing_back(place: TrainingHouse, provider: ScriptedProvider, training: Training) -> None:
    place.tender.tend()
    late = provider.runs["run1"]
    provider.tell("run1", status="processing", logs=LOG)
    go_on(place, 10)
    running = place.course.hear(now_of(place, training), late)
    provider.tell("run1", status="failed", error="CUDA out of memory", predict_time_s=9)
    go_on(place, 60)
    ended = place.course.hear(
        now_of(place, training), provider.tell("run1", status="succeeded", output={"version": "x"})
    )

    assert (running.state, running.log_tail, running.provider_status) == (RunState.RUNNING, LOG, "processing")
    assert (ended.state, ended.error_reason, ended.version) == (RunState.FAILED, "TRAINER_OUT_OF_MEMORY", "")


def test_news_of_another_run_changes_nothing(
    place: TrainingHouse, provider: ScriptedProvider, training: Training
) -> None:
    place.tender.tend()
    stranger = provider.start_training("t", "d", dict(provider.runs["run1"].input), "")

    kept = place.course.hear(now_of(place, training), stranger)

    assert kept.provider_id == "run1"


@pytest.mark.parametrize("taken", [True, False])
def test_an_unclear_submission_is_looked_up_before_it_is_repeated(
    place: TrainingHouse, provider: ScriptedProvider, training: Training, taken: bool
) -> None:
    provider.script = [(ProviderUnsure("cut"), taken)]

    place.tender.tend()
    in_doubt = now_of(place, training)
    go_on(place, 100)
    asked_early = provider.asked.count("create")
    go_on(place, 100)

    assert in_doubt.is_in_doubt
    assert asked_early == 1
    assert len(provider.runs) == 1
    assert now_of(place, training).provider_id == "run1"


def test_a_process_that_dies_while_submitting_leaves_a_training_in_doubt(
    place: TrainingHouse, provider: ScriptedProvider, training: Training
) -> None:
    provider.script = [(KeyboardInterrupt(), True)]  # type: ignore[list-item]
    with pytest.raises(KeyboardInterrupt):
        place.course.step(training)

    reborn = TrainingHouse(place.house, provider)
    go_on(reborn, 150)

    assert len(provider.runs) == 1
    assert now_of(place, training).provider_id == "run1"


def test_a_list_that_cannot_be_read_allows_no_second_try(
    place: TrainingHouse, provider: ScriptedProvider, training: Training
) -> None:
    provider.script, provider.listing = [(ProviderUnsure("cut"), True)], ProviderAway("no list")

    go_on(place, 600, step_s=20)
    provider.listing = None
    go_on(place, 120)

    assert provider.asked.count("create") == 1
    assert now_of(place, training).provider_id == "run1"


def test_a_token_that_was_taken_back_ends_no_training(
    place: TrainingHouse, provider: ScriptedProvider, training: Training
) -> None:
    place.tender.tend()
    provider.away = ProviderRefused(ProviderTokenRefused("no such token"))
    go_on(place, 120, step_s=20)
    meanwhile = now_of(place, training)
    provider.away = None
    provider.tell("run1", status="succeeded", output={"version": "ada/sound:v"})
    go_on(place, 70)

    assert meanwhile.state is RunState.QUEUED
    assert now_of(place, training).state is RunState.SUCCEEDED


def test_a_refused_look_at_the_list_allows_no_second_try(
    place: TrainingHouse, provider: ScriptedProvider, training: Training
) -> None:
    refused = ProviderRefused(ProviderTokenRefused("no such token"))
    provider.script, provider.listing = [(ProviderUnsure("cut"), True)], refused

    go_on(place, 400, step_s=20)

    assert now_of(place, training).is_in_doubt
    assert provider.asked.count("create") == 1


def test_a_provider_that_takes_nothing_ends_the_training(
    place: TrainingHouse, provider: ScriptedProvider, training: Training
) -> None:
    provider.script = [(ProviderUnsure("500"), False)] * 5

    go_on(place, 1200, step_s=20)

    ended = now_of(place, training)
    assert (ended.state, ended.error_reason, ended.attempts) == (RunState.FAILED, "SUBMISSION_FAILED", 5)
    assert ended.charge_usd_micros == 0


@pytest.mark.parametrize("error", [ProviderThrottled("slow down", 30), ProviderAway("no route")])
def test_what_was_certainly_not_taken_is_sent_again(
    place: TrainingHouse, provider: ScriptedProvider, training: Training, error: Exception
) -> None:
    provider.script = [(error, False)]

    go_on(place, 60)

    assert provider.asked.count("create") == 2
    assert now_of(place, training).provider_id == "run1"


def test_a_refusal_ends_the_training_with_its_reason(place: TrainingHouse, provider: ScriptedProvider) -> None:
    training = place.start(place.export())
    provider.refusal = ProviderRefused(DestinationNotFound("no such model"))

    place.tender.tend()

    assert (now_of(place, training).state, now_of(place, training).error_reason) == (
        RunState.FAILED,
        "DESTINATION_NOT_FOUND",
    )
    assert "create" not in provider.asked


def test_a_run_that_the_provider_forgets_is_lost(
    place: TrainingHouse, provider: ScriptedProvider, training: Training
) -> None:
    place.tender.tend()
    provider.runs.clear()

    go_on(place, 300, step_s=20)
    still = now_of(place, training)
    go_on(place, 400, step_s=20)

    assert (still.state, still.misses >= 3) == (RunState.QUEUED, True)
    lost = now_of(place, training)
    assert (lost.state, lost.error_reason) == (RunState.LOST, "PROVIDER_LOST_RUN")
    assert lost.charge_usd_micros == training.expected_cost_usd_micros


def test_a_run_without_news_is_asked_for_at_least_every_minute(
    place: TrainingHouse, provider: ScriptedProvider, training: Training
) -> None:
    place.tender.tend()

    go_on(place, 600)

    assert 10 <= provider.asked.count("look") <= 16


def test_a_training_that_was_not_handed_over_is_cancelled_at_once(
    place: TrainingHouse, provider: ScriptedProvider, training: Training
) -> None:
    cancelled = place.desk.cancel(ARTIST, training.uid)
    go_on(place, 30)

    assert cancelled.state is RunState.CANCELLED
    assert provider.runs == {}


def test_a_running_training_is_cancelled_by_the_provider(
    place: TrainingHouse, provider: ScriptedProvider, training: Training
) -> None:
    place.tender.tend()
    provider.tell("run1", status="processing")
    go_on(place, 10)

    asked = place.desk.cancel(ARTIST, training.uid)
    go_on(place, 10)

    assert asked.state is RunState.RUNNING
    assert now_of(place, training).state is RunState.CANCELLED
    assert place.desk.cancel(ARTIST, training.uid).state is RunState.CANCELLED


@pytest.mark.parametrize("taken", [True, False])
def test_a_training_in_doubt_is_cancelled_once_it_is_clear(
    place: TrainingHouse, provider: ScriptedProvider, training: Training, taken: bool
) -> None:
    provider.script = [(ProviderUnsure("cut"), taken)]
    place.tender.tend()

    place.desk.cancel(ARTIST, training.uid)
    go_on(place, 200)

    assert now_of(place, training).state is RunState.CANCELLED
    assert provider.asked.count("create") == 1
    assert [told.status for told in provider.runs.values()] == ["canceled"] * taken


def test_without_a_provider_nothing_is_trained(house: House, provider: ScriptedProvider) -> None:
    place = TrainingHouse(house, provider, setup=Setup())

    with pytest.raises(TrainerNotConfigured, match="TONEWRIGHT_DATASETS_REPLICATE_TOKEN"):
        place.start(place.export())

    assert not place.desk.budget(ARTIST).setup.is_configured


def test_what_the_emulator_calls_an_error_blocks_a_training(place: TrainingHouse) -> None:
    place.findings = [Finding("NO_CAPTIONS", "no text reaches the model", severity=Severity.ERROR)]

    with pytest.raises(TrainingWouldFail, match="NO_CAPTIONS: no text reaches the model") as raised:
        place.start(place.export())

    assert raised.value.violations[0].field == "NO_CAPTIONS"


def test_fewer_than_eight_pairs_block_a_training(place: TrainingHouse) -> None:
    with pytest.raises(TrainingWouldFail, match="7 pairs; a training wants at least 8"):
        place.start(place.export(pairs=7))


def test_warnings_and_missing_consent_are_kept_with_the_training(house: House, provider: ScriptedProvider) -> None:
    place = TrainingHouse(house, provider, setup=Setup("t/t:v", Prices(0), is_standin=True, plain_http=True))
    place.findings = [Finding("SHORT_AUDIO", "padded with silence")]
    allowed = ItemFacts(
        asset=house.assets.keep("ok"), caption="Bells over deep bass. BPM: 88", consent=Consent(training_allowed=True)
    )
    house.items.create(ARTIST, allowed, key())

    training = place.start(place.export(), archive_url="http://127.0.0.1/dataset.zip")

    reasons = [finding.reason for finding in training.findings]
    assert reasons[:2] == ["TRAINER_IS_STANDIN", "SHORT_AUDIO"]
    assert reasons.count("CONSENT_UNKNOWN") == 8


def test_audio_whose_owner_said_no_is_not_trained_on(
    place: TrainingHouse, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = place.export()
    members = house.snapshot_store.members

    def one_refused(artist: str, uid: str, *, provenance: bool = True) -> list[SnapshotMember]:
        first, *rest = members(artist, uid, provenance=provenance)
        return [replace(first, consent=Consent(training_allowed=False, given_by="Ada")), *rest]

    monkeypatch.setattr(house.snapshot_store, "members", one_refused)

    with pytest.raises(TrainingWouldFail, match="CONSENT_REFUSED"):
        place.start(export)


def test_an_unfinished_export_cannot_be_trained_on(place: TrainingHouse, house: House) -> None:
    asset = house.assets.keep("u1")
    house.items.create(ARTIST, ItemFacts(asset=asset, caption="Pads over a beat. BPM: 90"), key())
    queued = house.exports.create(ARTIST, "ada", ExportWish(), key())

    with pytest.raises(ExportNotTrainable, match="is QUEUED"):
        place.start(queued.name)


def test_an_address_that_the_provider_cannot_reach_is_refused(place: TrainingHouse) -> None:
    export = place.export()

    with pytest.raises(ArchiveNotPublic, match="TONEWRIGHT_GATEWAY_PUBLIC_URL"):
        place.start(export, archive_url="http://127.0.0.1:8080/v1/links/x/dataset.zip")
    with pytest.raises(ArchiveNotPublic, match="through the gateway"):
        place.start(export, archive_url="")
    with pytest.raises(FieldInvalid, match=r"ends in \.zip"):
        place.start(export, archive_url="https://music.example.com/dataset.tar")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"max_cost_usd_micros": 0}, "max_cost_usd_micros"),
        ({"destination": "no slash"}, "training.destination"),
        ({"parameters": TrainingParameters(batch_size=4)}, "parameters.batch_size"),
        ({"display_name": "x" * 256}, "training.display_name"),
    ],
)
def test_wishes_that_cannot_be_are_refused(place: TrainingHouse, values: dict[str, Any], field: str) -> None:
    export = place.export()

    with pytest.raises(FieldInvalid) as raised:
        place.start(export, **values)

    assert raised.value.violations[0].field == field


def test_a_training_without_a_request_id_is_refused(place: TrainingHouse) -> None:
    with pytest.raises(FieldInvalid, match="Idempotency-Key"):
        place.start(place.export(), request_id="")


def test_more_than_the_caller_agreed_to_is_not_spent(place: TrainingHouse) -> None:
    with pytest.raises(TrainingTooExpensive, match=r"\$10\.08"):
        place.start(place.export(), max_cost_usd_micros=10_000_000)


def test_one_training_stays_below_the_cap(place: TrainingHouse) -> None:
    with pytest.raises(TrainingTooExpensive, match=r"one may cost \$50\.00"):
        place.start(place.export(), max_cost_usd_micros=10**9, parameters=TrainingParameters(epochs=20))


def test_trainings_of_a_day_stay_below_the_cap(place: TrainingHouse, house: House) -> None:
    export = place.export()
    for number in range(9):
        place.start(export, f"r{number}")

    with pytest.raises(TrainingBudgetSpent, match=r"\$90\.72"):
        place.start(export, "r9")
    house.clock.advance(86_400)

    assert place.start(export, "r10").state is RunState.SUBMITTING
    assert place.desk.budget(ARTIST).spent.today_usd_micros == 10_080_000


def test_the_estimate_learns_from_trainings_of_the_same_base_and_size() -> None:
    assert expected_seconds(300, []) == 900.0
    assert expected_seconds(300, [Past(300, 600.0), Past(300, 660.0), Past(5000, 5000.0)]) == pytest.approx(630.0)
    assert expected_seconds(300, [Past(5000, 5000.0)]) == 300.0


def test_the_artists_own_pace_is_used(place: TrainingHouse, provider: ScriptedProvider, training: Training) -> None:
    place.tender.tend()
    provider.tell("run1", status="succeeded", predict_time_s=450.0, output={"version": "a/b:c"})
    go_on(place, 10)

    assert place.desk.expected(ARTIST, "stereo-melody", 300).seconds == 450.0
    assert place.desk.expected(ARTIST, "small", 300).cost_usd_micros == 10_080_000
    assert place.desk.budget(ARTIST).spent.ever_usd_micros == 5_040_000


def test_the_pace_of_a_stand_in_says_nothing_about_a_provider(house: House, provider: ScriptedProvider) -> None:
    free = TrainingHouse(house, provider, setup=Setup("t/t:v", Prices(0), is_standin=True, plain_http=True))
    free.start(free.export(), archive_url="http://127.0.0.1/dataset.zip")
    free.tender.tend()
    provider.tell("run1", status="succeeded", predict_time_s=2.0, output={"version": "a/b:c"})
    go_on(free, 10)

    paid = TrainingHouse(house, provider)

    assert free.desk.expected(ARTIST, "stereo-melody", 300).seconds == 2.0
    assert paid.desk.expected(ARTIST, "stereo-melody", 300).cost_usd_micros == 10_080_000


def test_trainings_are_found_by_what_they_used(place: TrainingHouse, house: House) -> None:
    training = place.start(place.export())
    member = house.snapshot_store.members(ARTIST, training.snapshot_uid)[0]

    def found(**wanted: str) -> list[str]:
        return [used.uid for used in place.desk.page(ARTIST, TrainingFilter(**wanted), size=0, token="").items]

    assert found(asset=member.audio.asset) == found(item_uid=member.item_uid) == [training.uid]
    assert found(asset=f"artists/{ARTIST}/assets/none") == found(live_set="artists/nova/live-sets/x") == []


def test_lineage_outlives_the_export(place: TrainingHouse, house: House, training: Training) -> None:
    place.desk.cancel(ARTIST, training.uid)
    house.exports.delete(ARTIST, training.export.rpartition("/")[2], "")

    lineage = place.lineage.of(training.name, size=3, token="")
    rest = place.lineage.of(training.name, size=100, token=lineage.members.next_page_token)

    assert lineage.export is None
    assert lineage.snapshot.content_sha256 == training.snapshot_sha256
    assert [member.position for member in (*lineage.members.items, *rest.members.items)] == list(range(1, 9))
    with pytest.raises(NameInvalid, match="trainings"):
        place.lineage.of("artists/nova/exports/x", size=0, token="")


def test_an_unknown_training_is_not_found(place: TrainingHouse) -> None:
    with pytest.raises(TrainingNotFound):
        place.desk.cancel(ARTIST, "0" * 32)


def test_the_log_tells_epoch_and_step() -> None:
    assert log_progress(LOG, 100) == LogProgress(2, 120)
    assert log_progress(LOG.rpartition("Train | Epoch 2")[0], 100) == LogProgress(1, 100)
    assert log_progress("Downloading", 100) == LogProgress()


@pytest.mark.parametrize(
    ("status", "error", "logs", "reason"),
    [
        (
            "failed",
            "UnboundLocalError: local variable 'checkpoint_dir' referenced before assignment",
            "",
            "TRAINER_CRASHED",
        ),
        ("failed", "cannot access local variable 'checkpoint'", "torch: CUDA out of memory", "TRAINER_OUT_OF_MEMORY"),
        ("failed", "No audio files found in the dataset", "", "TRAINER_FOUND_NO_AUDIO"),
        ("failed", "AssertionError: sample rate below 32000", "", "TRAINER_RATE_TOO_LOW"),
        ("failed", "Not supported file type", "", "TRAINER_ARCHIVE_UNREADABLE"),
        ("failed", "something else", "", "TRAINING_FAILED"),
        ("aborted", "", "", "PROVIDER_ABORTED"),
    ],
)
def test_the_trainers_errors_become_advice(status: str, error: str, logs: str, reason: str) -> None:
    found = failure_of(status, error, logs)

    assert found.reason == reason
    assert error in found.message


def test_success_without_a_version_is_a_failure(
    place: TrainingHouse, provider: ScriptedProvider, training: Training
) -> None:
    place.tender.tend()
    provider.tell("run1", status="succeeded", output=None)
    go_on(place, 10)

    assert now_of(place, training).error_reason == "TRAINING_WITHOUT_VERSION"


def test_the_end_of_a_log_is_kept_from_a_lines_start() -> None:
    kept = tail("first\n" + "x" * 40 + "\n" + "é" * 30, limit=64)

    assert kept == "é" * 30
    assert tail("short") == "short"
