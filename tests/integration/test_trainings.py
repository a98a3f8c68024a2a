"""Trainings through the gateway against a provider with faults, with a datasets process that dies in between."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from services.standin.provider import Pace
from services.standin.webhooks import signed
from tests.house import House
from tests.integration.conftest import NOWHERE
from tests.material.fake_replicate import TOKEN, FakeReplicate
from tests.targets import is_local
from tonewright_client.demo_dataset import write_dataset

PRICE = 10_000


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeReplicate]:
    server = FakeReplicate(tmp_path_factory.mktemp("provider"), pace=Pace(train_s=0.1, predict_s=0.0, step_s=3.0))
    server.hang_s = 30.0
    yield server
    server.stop()


@pytest.fixture(scope="module")
def platform(
    fake: FakeReplicate, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[House]:
    if not is_local(request.config):
        pytest.skip(f"processes of our own run on a local target, and this is {NOWHERE}")
    environment = {
        "TONEWRIGHT_DATASETS_REPLICATE_URL": fake.url,
        "TONEWRIGHT_DATASETS_REPLICATE_TOKEN": TOKEN,
        "TONEWRIGHT_DATASETS_REPLICATE_TIMEOUT_S": "1.5",
        "TONEWRIGHT_DATASETS_TRAINING_DOUBT_S": "2",
        "TONEWRIGHT_DATASETS_TRAINING_TICK_S": "0.1",
        "TONEWRIGHT_DATASETS_TRAINING_POLL_MIN_S": "0.3",
        "TONEWRIGHT_DATASETS_TRAINING_POLL_MAX_S": "1",
        "TONEWRIGHT_DATASETS_TRAINING_PRICE_USD_MICROS_PER_S": str(PRICE),
    }
    running = House(tmp_path_factory.mktemp("house-trainings"), environment)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def export(platform: House, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A finished export of an artist of ada's."""
    folder = tmp_path_factory.mktemp("dataset")
    write_dataset(folder)
    with platform.client() as client:
        artist = client.create_artist("Ada's trained act")
        for number, path in enumerate(sorted(folder.glob("*.wav"))):
            asset = artist.assets.upload(path)["name"]
            caption = f"{COLOURS[number]} over a steady beat, hopeful and driving, growing into a wide ending. BPM: 120"
            artist.training_items.create(asset=asset, caption=caption)
        return dict(artist.operations.wait(artist.exports.start()))


COLOURS = (
    "Warm pads and round bass",
    "Bright plucks and dry drums",
    "Glassy bells and soft keys",
    "Dusty samples and slow strings",
    "Deep sub bass and crisp hats",
    "Wide brass and hand percussion",
    "Muted guitar and tape noise",
    "Thin organ and brushed drums",
    "Broken chords and low toms",
)


def ask(platform: House, export: dict[str, Any], key: str, **values: Any) -> httpx2.Response:
    artist = export["name"].partition("/exports/")[0]
    body = {
        "training": {"export": export["name"], "destination": "ada/sound"},
        "max_cost_usd_micros": 10_000_000,
        "create_destination": True,
        **values,
    }
    with platform.http() as http:
        return http.post(f"/v1/{artist}/trainings", json=body, headers={"Idempotency-Key": key})


def read(platform: House, name: str) -> dict[str, Any]:
    with platform.http() as http:
        return dict(http.get(f"/v1/{name}").raise_for_status().json())


def until(done: Callable[[], Any], *, within_s: float = 60.0) -> Any:
    end = time.monotonic() + within_s
    while not (found := done()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)
    return found


def ended(platform: House, name: str) -> dict[str, Any]:
    def final() -> dict[str, Any] | None:
        found = read(platform, name)
        return found if found["state"] in ("SUCCEEDED", "FAILED", "CANCELLED", "LOST") else None

    return dict(until(final))


def test_a_repeated_request_is_one_training(platform: House, fake: FakeReplicate, export: dict[str, Any]) -> None:
    answers = [ask(platform, export, "once") for _ in range(3)]

    assert {answer.status_code for answer in answers} == {202}
    (name,) = {answer.json()["metadata"]["target"] for answer in answers}
    training = ended(platform, name)
    assert training["state"] == "SUCCEEDED"
    assert training["cost_usd_micros"] == training["expected_cost_usd_micros"] == 900 * PRICE
    assert training["version"].startswith("ada/sound:")
    assert training["findings"][0]["reason"] == "TRAINER_IS_STANDIN"
    assert len(fake.standin.records.all("trainings")) == fake.creates == 1
    with platform.http() as http:
        artist = name.partition("/trainings/")[0]
        budget = http.get(f"/v1/{artist}/training-budget").json()
        refused = http.post(f"/v1/{artist}/trainings", json={"training": {}})
    assert budget["spent_today_usd_micros"] == 900 * PRICE
    assert refused.status_code == 400


@pytest.mark.parametrize(("fault", "creates"), [("hang_after", 1), ("hang_before", 2)])
def test_a_process_that_is_killed_while_it_submits_makes_no_second_training(
    platform: House, fake: FakeReplicate, export: dict[str, Any], fault: str, creates: int
) -> None:
    before, made = fake.creates, len(fake.standin.records.all("trainings"))
    fake.will(fault)
    name = ask(platform, export, fault).json()["metadata"]["target"]
    until(lambda: fake.creates == before + 1)

    platform.processes()["datasets"].send_signal(signal.SIGKILL)
    platform.wait_ready()
    training = ended(platform, name)

    assert training["state"] == "SUCCEEDED"
    assert fake.creates == before + creates
    assert len(fake.standin.records.all("trainings")) == made + 1


def test_webhooks_are_believed_for_their_signature_alone(platform: House, fake: FakeReplicate) -> None:
    run = fake.standin.records.all("trainings")[0]
    body = json.dumps({**run, "status": "failed", "error": "forged"}).encode()
    now = int(time.time())
    headers = {
        "right": signed(fake.standin.secret, "msg_1", now, body),
        "other": signed("whsec_" + "QUJD" * 8, "msg_2", now, body),
        "old": signed(fake.standin.secret, "msg_3", now - 400, body),
        "bare": {"content-type": "application/json"},
    }

    with platform.http(principal=None) as http:
        answers = {
            kind: http.post("/v1/webhooks/replicate", content=body, headers=sent) for kind, sent in headers.items()
        }
        stranger = http.post("/v1/webhooks/stranger", content=body, headers=headers["right"])

    assert {kind: answer.status_code for kind, answer in answers.items()} == {
        "right": 204,
        "other": 403,
        "old": 403,
        "bare": 403,
    }
    assert answers["bare"].json()["reason"] == "WEBHOOK_REFUSED"
    assert stranger.status_code == 404


def test_the_token_is_in_no_log_and_no_answer(platform: House) -> None:
    logs = [path for path in Path(platform.home, "logs").glob("*.log") if TOKEN in path.read_text(errors="replace")]

    assert logs == []
