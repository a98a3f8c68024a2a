"""Trainings against a provider that speaks Replicate's protocol on loopback, with the faults of a network."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import replicate as official

from chassis.clock import SystemClock
from chassis.context import acting_as, in_request
from chassis.db import Database, migrate
from chassis.testing import caller_for
from services.datasets.domain.costs import Prices, TrainingBudgetSpent
from services.datasets.domain.provider_runs import Patience, RunState
from services.datasets.domain.training_ports import TrainingFilter
from services.datasets.domain.trainings import Training, TrainingNotFound
from services.datasets.replicate import Replicate
from services.datasets.use_cases.trainings import Setup
from services.standin.provider import TRAINER, TRAINER_VERSIONS, Pace
from tests.material.fake_replicate import TAKEN, TOKEN, UNTAKEN, FakeReplicate, silence, training_files
from tests.unit.datasets.house import ARTIST, House, key
from tests.unit.datasets.training_house import TrainingHouse

# Above the time in which the provider may still take what it was sent.
QUICK = Patience(doubt_s=2.0, poll_min_s=0.05, poll_max_s=0.2)
NEWEST = f"{TRAINER}:{TRAINER_VERSIONS[0]}"


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeReplicate]:
    server = FakeReplicate(tmp_path / "provider")
    yield server
    server.stop()


@pytest.fixture
def client(fake: FakeReplicate) -> Iterator[Replicate]:
    made = Replicate(fake.url, TOKEN, SystemClock(), timeout_s=0.25)
    with contextlib.closing(made):
        yield made


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


@pytest.fixture
def place(house: House, client: Replicate) -> TrainingHouse:
    setup = Setup(f"{TRAINER}:latest", Prices(11_200), plain_http=True)
    return TrainingHouse(house, client, setup=setup, clock=SystemClock(), patience=QUICK)


def begun(place: TrainingHouse, fake: FakeReplicate, export: str, number: int = 0) -> Training:
    return place.start(
        export,
        f"r{number}",
        archive_url=fake.archive(),
        create_destination=True,
        webhook_url="",
        max_cost_usd_micros=10**9,
    )


def tend_until(place: TrainingHouse, done: Callable[[], bool], *, within_s: float = 30.0) -> None:
    end = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < end, "it took too long"
        place.tender.tend()
        time.sleep(0.02)


def settled(place: TrainingHouse, trainings: list[Training]) -> Callable[[], bool]:
    return lambda: all(place.desk.get(ARTIST, one.uid).state.is_final for one in trainings)


def test_a_training_goes_from_the_wish_to_a_version_and_to_music(
    place: TrainingHouse, fake: FakeReplicate, house: House
) -> None:
    from services.datasets.domain.generations import Sampling

    fake.standin.pace = Pace(train_s=0.1, predict_s=0.0, step_s=3.0)
    training = begun(place, fake, place.export())
    tend_until(place, settled(place, [training]))
    ended = place.desk.get(ARTIST, training.uid)
    generation = place.generations.create(ARTIST, "ada", ended.name, Sampling("pads. BPM: 96", 2), "", key("g1"))
    tend_until(place, lambda: place.generations.get(ARTIST, generation.uid).state.is_final)

    assert (ended.state, ended.trainer, ended.step) == (RunState.SUCCEEDED, NEWEST, 300)
    assert ended.version.startswith("ada/sound:")
    assert (ended.predict_time_s, ended.cost_usd_micros) == (900.0, 10_080_000)
    assert "8 files, 8 pieces, 8 with text" in ended.log_tail
    made = place.generations.get(ARTIST, generation.uid)
    assert (made.state, [holder for holder, _ in place.keeper.kept]) == (RunState.SUCCEEDED, [made.name])


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_no_fault_makes_two_trainings_of_one_request(place: TrainingHouse, fake: FakeReplicate) -> None:
    submit_with_faults(place, fake, [*TAKEN, *UNTAKEN] * 4)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", [*TAKEN, *UNTAKEN])
@pytest.mark.parametrize("house", ["sqlite", "postgres"], indirect=True)
def test_fifty_faults_of_each_kind_make_no_training_twice(
    place: TrainingHouse, fake: FakeReplicate, fault: str
) -> None:
    submit_with_faults(place, fake, [fault] * 50)


def submit_with_faults(place: TrainingHouse, fake: FakeReplicate, faults: list[str]) -> None:
    """As many trainings at once, each of whose first submissions meets a fault; each is made once."""
    export, count = place.export(), len(faults)
    fake.will(*faults)

    trainings = [begun(place, fake, export, number) for number in range(count)]
    tend_until(place, settled(place, trainings), within_s=20 + 4 * count)

    ended = [place.desk.get(ARTIST, training.uid) for training in trainings]
    assert {training.state for training in ended} == {RunState.SUCCEEDED}
    made = [fake.taken(training.archive_url) for training in ended]
    assert [len(runs) for runs in made] == [1] * count
    assert [runs[0]["id"] for runs in made] == [training.provider_id for training in ended]
    assert fake.creates == count + sum(fault in UNTAKEN for fault in faults)


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_a_list_that_lags_makes_no_second_training(place: TrainingHouse, fake: FakeReplicate) -> None:
    fake.will("cut_after")
    fake.hidden_s = 0.6
    training = begun(place, fake, place.export())

    tend_until(place, settled(place, [training]))

    assert len(fake.taken(training.archive_url)) == fake.creates == 1


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_a_provider_that_is_away_is_waited_for(place: TrainingHouse, fake: FakeReplicate) -> None:
    training = begun(place, fake, place.export())
    fake.pause()
    for _ in range(5):
        place.tender.tend()
        time.sleep(0.05)
    waiting = place.desk.get(ARTIST, training.uid)
    fake.start()

    tend_until(place, settled(place, [training]))

    assert waiting.state is RunState.SUBMITTING
    assert len(fake.taken(training.archive_url)) == 1


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_two_processes_submit_once(place: TrainingHouse, fake: FakeReplicate) -> None:
    training = begun(place, fake, place.export())
    runs = [threading.Thread(target=place.course.step, args=[training]) for _ in range(6)]

    for run in runs:
        run.start()
    for run in runs:
        run.join()
    tend_until(place, settled(place, [training]))

    assert len(fake.taken(training.archive_url)) == fake.creates == 1


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"notes.txt": b"none"}, "TRAINER_FOUND_NO_AUDIO"),
        ({"dataset/a.wav": silence(22_050, 1.0)}, "TRAINER_RATE_TOO_LOW"),
        ({"dataset/._x.wav": b"junk", "a.wav": silence(44_100, 1.0)}, "TRAINING_FAILED"),
        ({"a.mp4": b"junk"}, "TRAINER_CRASHED"),
    ],
)
@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_archives_fail_as_at_the_real_trainer(
    place: TrainingHouse, fake: FakeReplicate, files: dict[str, bytes], reason: str
) -> None:
    training = place.start(place.export(), archive_url=fake.archive(files), create_destination=True, webhook_url="")

    tend_until(place, settled(place, [training]))

    assert place.desk.get(ARTIST, training.uid).error_reason == reason


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_what_cannot_be_submitted_is_told_before_it_costs(place: TrainingHouse, fake: FakeReplicate) -> None:
    export = place.export()
    gone = place.start(export, "gone", archive_url=fake.archive().replace("0.zip", "9.zip"))
    homeless = place.start(export, "homeless", archive_url=fake.archive())

    tend_until(place, settled(place, [gone, homeless]))

    assert place.desk.get(ARTIST, gone.uid).error_reason == "ARCHIVE_UNREACHABLE"
    assert place.desk.get(ARTIST, homeless.uid).error_reason == "DESTINATION_NOT_FOUND"
    assert fake.creates == 0


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_a_running_training_is_stopped(place: TrainingHouse, fake: FakeReplicate) -> None:
    fake.standin.pace = Pace(train_s=30.0)
    training = begun(place, fake, place.export())
    tend_until(place, lambda: place.desk.get(ARTIST, training.uid).step > 0)

    place.desk.cancel(ARTIST, training.uid)
    tend_until(place, settled(place, [training]))

    assert place.desk.get(ARTIST, training.uid).state is RunState.CANCELLED


def test_the_official_client_understands_the_stand_in(fake: FakeReplicate) -> None:
    theirs = official.Client(  # type: ignore[attr-defined]
        api_token=TOKEN, base_url=f"http://127.0.0.1:{fake.port}"
    )
    theirs.models.create(owner="ada", name="sound", visibility="private", hardware="gpu-l40s")

    training = theirs.trainings.create(
        version=NEWEST, input={"dataset_path": fake.archive(), "epochs": 1}, destination="ada/sound"
    )
    while training.status not in ("succeeded", "failed", "canceled"):
        time.sleep(0.05)
        training.reload()

    assert training.status == "succeeded"
    assert [found.id for found in theirs.trainings.list()] == [training.id]
    assert theirs.webhooks.default.secret().key == fake.standin.secret
    assert training.output is not None
    version = training.output["version"].rpartition(":")[2]
    prediction = theirs.predictions.create(version=version, input={"prompt": "pads", "duration": 1})
    prediction.wait()
    assert str(prediction.output).endswith("-out.wav")
    theirs._client.close()


def test_archives_of_the_exporters_shape_are_read(fake: FakeReplicate) -> None:
    files = training_files(2, seconds=31.0) | {"__MACOSX/x.wav": b"junk", ".DS_Store": b"junk"}
    run = fake.standin.start_training(TRAINER_VERSIONS[0], "ada/sound", {"dataset_path": fake.archive(files)}, "", [])

    end = time.monotonic() + 10
    while (kept := fake.standin.records.get("trainings", run["id"])) and kept["status"] != "succeeded":
        assert time.monotonic() < end, kept
        time.sleep(0.02)

    assert kept is not None
    assert "2 files, 2 pieces, 2 with text" in kept["logs"]


def test_of_many_requests_at_once_one_takes_the_last_of_the_budget(house: House, client: Replicate) -> None:
    setup = Setup(NEWEST, Prices(11_200, day_cap_usd_micros=15_000_000), plain_http=True)
    place = TrainingHouse(house, client, setup=setup, clock=SystemClock(), patience=QUICK)
    export, outcomes = place.export(), list[str]()

    def ask(number: int) -> None:
        with in_request(), acting_as(caller_for(ARTIST)):
            try:
                outcomes.append(place.start(export, f"r{number}").state.value)
            except TrainingBudgetSpent as error:
                outcomes.append(error.reason)

    threads = [threading.Thread(target=ask, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["SUBMITTING", *["TRAINING_BUDGET_SPENT"] * 5]
    assert place.desk.budget(ARTIST).spent.today_usd_micros == 10_080_000


def test_another_artist_sees_no_training(place: TrainingHouse, fake: FakeReplicate) -> None:
    training = begun(place, fake, place.export())

    with acting_as(caller_for("other")):
        assert place.desk.page("other", TrainingFilter(), size=0, token="").items == []
        with pytest.raises(TrainingNotFound):
            place.desk.get("other", training.uid)
        with pytest.raises(TrainingNotFound):
            place.lineage.of(training.name.replace(ARTIST, "other"), size=0, token="")
        assert place.desk.budget("other").spent.ever_usd_micros == 0
