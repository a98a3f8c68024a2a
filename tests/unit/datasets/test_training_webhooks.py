"""Webhooks of the provider: believed for their signature, applied forward, each once; and what is generated."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from chassis.errors import FieldInvalid
from services.datasets.domain.generations import GenerationNotFound, Sampling
from services.datasets.domain.provider_failures import GenerationOutputLost
from services.datasets.domain.provider_runs import ProviderAway, ProviderRefused, ProviderUnsure, RunState
from services.datasets.domain.trainings import Training, TrainingNotSucceeded
from services.datasets.domain.webhook_signatures import WebhookRefused, is_signed
from services.datasets.use_cases.webhooks import WebhookProviderUnknown
from tests.unit.datasets.house import ARTIST, House, key
from tests.unit.datasets.training_house import ScriptedProvider, TrainingHouse, go_on

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"another secret of 24 byt").decode()


@pytest.fixture
def provider(house: House) -> ScriptedProvider:
    return ScriptedProvider(house.clock.now)


@pytest.fixture
def place(house: House, provider: ScriptedProvider) -> TrainingHouse:
    return TrainingHouse(house, provider)


@pytest.fixture
def training(place: TrainingHouse) -> Training:
    made = place.start(place.export())
    place.tender.tend()
    return place.desk.get(ARTIST, made.uid)


def headers_of(body: bytes, at_s: float, *, event: str = "msg_1", secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(at_s))
    signed = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), f"{event}.{stamp}.".encode() + body, "sha256")
    signature = f"v1,{base64.b64encode(signed).decode()}"
    return {"webhook-id": event, "webhook-timestamp": stamp, "webhook-signature": signature}


def send(place: TrainingHouse, told: Mapping[str, object], *, event: str = "msg_1", secret: str = SECRET) -> None:
    body = json.dumps(told).encode()
    headers = headers_of(body, place.clock.now().timestamp(), event=event, secret=secret)
    place.webhooks.receive("replicate", headers, body)


def test_the_public_vector_is_signed() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }

    body = b'{"test": 2432232314}'
    several = f"v1,AAAA v2,x {headers['webhook-signature']}"

    assert is_signed(headers, body, SECRET)
    assert is_signed({**headers, "webhook-signature": several}, body, SECRET)
    assert not is_signed(headers, b'{"test":2432232314}', SECRET)
    assert not is_signed({**headers, "webhook-id": "msg_other"}, body, SECRET)
    assert not is_signed({**headers, "webhook-signature": "v1a,é"}, body, SECRET)
    assert not is_signed(headers, body, "whsec_%%%")


def test_a_webhook_moves_a_training(place: TrainingHouse, training: Training) -> None:
    send(place, {"id": "run1", "status": "succeeded", "predict_time_s": 10.0, "output": {"version": "ada/sound:v"}})

    ended = place.desk.get(ARTIST, training.uid)
    assert (ended.state, ended.version, ended.cost_usd_micros) == (RunState.SUCCEEDED, "ada/sound:v", 112_000)


def test_webhooks_out_of_order_and_repeated_change_nothing_wrongly(place: TrainingHouse, training: Training) -> None:
    done: dict[str, Any] = {"id": "run1", "status": "succeeded", "output": {"version": "ada/sound:v"}}
    send(place, done, event="msg_2")
    ended = place.desk.get(ARTIST, training.uid)

    for event, told in (("msg_1", {"id": "run1", "status": "processing"}), ("msg_2", done), ("msg_3", done)):
        send(place, told, event=event)
    send(place, {"id": "run1", "status": "failed", "error": "late"}, event="msg_4")
    send(place, {"id": "run1", "status": "processing"}, event="msg_2")

    assert place.desk.get(ARTIST, training.uid) == ended


def test_a_repeated_webhook_is_not_applied_again(
    place: TrainingHouse, provider: ScriptedProvider, training: Training
) -> None:
    body = json.dumps({"id": "run1", "status": "processing", "logs": "one"}).encode()
    headers = headers_of(body, place.clock.now().timestamp())
    place.webhooks.receive("replicate", headers, body)
    before = place.desk.get(ARTIST, training.uid)

    place.webhooks.receive("replicate", headers, body)

    assert place.desk.get(ARTIST, training.uid).revision == before.revision


@pytest.mark.parametrize("change", ["secret", "body", "id", "stamp", "none", "old", "future", "no_id"])
def test_forged_and_old_webhooks_are_refused(place: TrainingHouse, training: Training, change: str) -> None:
    body = json.dumps({"id": "run1", "status": "failed", "error": "forged"}).encode()
    now_s = place.clock.now().timestamp()
    at_s = {"old": now_s - 301, "future": now_s + 301}.get(change, now_s)
    headers = headers_of(body, at_s, secret=OTHER if change == "secret" else SECRET)
    headers |= {"id": {"webhook-id": "msg_9"}, "stamp": {"webhook-timestamp": str(int(now_s) + 1)}}.get(change, {})
    headers |= {"none": {"webhook-signature": ""}, "no_id": {"webhook-id": ""}}.get(change, {})

    with pytest.raises(WebhookRefused):
        place.webhooks.receive("replicate", headers, body + b" " * (change == "body"))

    assert place.desk.get(ARTIST, training.uid) == training


def test_a_webhook_of_a_run_that_is_not_ours_is_accepted_and_changes_nothing(
    place: TrainingHouse, training: Training
) -> None:
    send(place, {"id": "stranger", "status": "succeeded"})
    send(place, {"nothing": 1}, event="msg_2")

    assert place.desk.get(ARTIST, training.uid) == training


def test_a_webhook_settles_a_submission_in_doubt(place: TrainingHouse, provider: ScriptedProvider) -> None:
    provider.script = [(ProviderUnsure("cut"), True)]
    training = place.start(place.export())
    place.tender.tend()

    send(place, {"id": "run1", "status": "starting", "input": {"dataset_path": training.archive_url}})

    kept = place.desk.get(ARTIST, training.uid)
    assert (kept.provider_id, kept.state) == ("run1", RunState.QUEUED)
    assert provider.asked.count("create") == 1


def test_a_secret_that_was_replaced_is_asked_for_again(place: TrainingHouse, provider: ScriptedProvider) -> None:
    asked: list[bool] = []

    def secret(*, fresh: bool = False) -> str:
        asked.append(fresh)
        return OTHER if fresh else SECRET

    provider.webhook_secret = secret  # type: ignore[method-assign]

    send(place, {"nothing": 1}, secret=OTHER)

    assert asked == [False, True]


def test_a_secret_that_cannot_be_had_refuses(place: TrainingHouse, provider: ScriptedProvider) -> None:
    def secret(*, fresh: bool = False) -> str:
        raise ProviderAway("no route")

    provider.webhook_secret = secret  # type: ignore[method-assign]

    with pytest.raises(WebhookRefused):
        send(place, {"nothing": 1})


def test_another_providers_webhooks_are_not_taken(place: TrainingHouse) -> None:
    with pytest.raises(WebhookProviderUnknown):
        place.webhooks.receive("stranger", {}, b"{}")


def test_old_webhooks_are_forgotten(place: TrainingHouse, training: Training, house: House) -> None:
    send(place, {"id": "run1", "status": "processing"})
    house.clock.advance(1300)

    place.tender.show()

    assert not place.webhooks._events.seen("msg_1")


@dataclass
class Sound:
    """A fetched output."""

    path: str = "/nowhere.wav"
    size_bytes: int = 4
    sha256: str = "ab" * 32
    media_type: str = "audio/wav"
    closed: bool = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def trained(place: TrainingHouse, provider: ScriptedProvider, training: Training) -> Training:
    provider.tell("run1", status="succeeded", output={"version": "ada/sound:v"})
    go_on(place, 10)
    return place.desk.get(ARTIST, training.uid)


def generated(place: TrainingHouse, trained: Training, request_id: str = "g1") -> str:
    sampling = Sampling("warm pads. BPM: 92")
    return place.generations.create(ARTIST, "ada", trained.name, sampling, "", key(request_id)).uid


def test_music_of_a_trained_version_becomes_an_asset(
    place: TrainingHouse, provider: ScriptedProvider, trained: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = Sound()
    monkeypatch.setattr(provider, "fetch_output", lambda url: sound)
    uid = generated(place, trained)
    again = generated(place, trained)
    place.tender.tend()
    provider.tell("run2", status="succeeded", output="https://replicate.delivery/x/out.wav")
    go_on(place, 10)

    made = place.generations.get(ARTIST, uid)
    assert again == uid
    assert (made.state, made.asset) == (RunState.SUCCEEDED, f"artists/{ARTIST}/assets/{sound.sha256[:12]}")
    assert place.keeper.kept == [(made.name, sound.sha256)]
    assert sound.closed
    assert provider.runs["run2"].input["seed"] == made.sampling.seed > 0
    assert place.lineage.of(made.name, size=0, token="").training.uid == trained.uid
    assert [one.uid for one in place.generations.page(ARTIST, trained.name, size=0, token="").items] == [uid]


def test_an_unclear_prediction_is_found_by_its_inputs(
    place: TrainingHouse, provider: ScriptedProvider, trained: Training
) -> None:
    provider.script = [(ProviderUnsure("cut"), True)] * 2
    first, second = generated(place, trained, "g1"), generated(place, trained, "g2")

    go_on(place, 300)

    ids = {place.generations.get(ARTIST, uid).provider_id for uid in (first, second)}
    assert ids == {"run2", "run3"}
    assert provider.asked.count("create") == 3


def test_audio_that_cannot_be_fetched_is_tried_again(
    place: TrainingHouse, provider: ScriptedProvider, trained: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[object] = [ProviderAway("busy"), ProviderRefused(GenerationOutputLost("gone"))]

    def fetch(url: str) -> Sound:
        raise answers.pop(0)  # type: ignore[misc]

    monkeypatch.setattr(provider, "fetch_output", fetch)
    uid = generated(place, trained)
    place.tender.tend()
    provider.tell("run2", status="succeeded", output=["https://replicate.delivery/x/out.wav"])

    go_on(place, 30)

    ended = place.generations.get(ARTIST, uid)
    assert (ended.state, ended.error_reason, ended.deliveries) == (RunState.FAILED, "GENERATION_OUTPUT_LOST", 1)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"status": "succeeded", "output": None}, "GENERATION_EMPTY"),
        ({"status": "failed", "error": "NSFW"}, "GENERATION_FAILED"),
    ],
)
def test_a_generation_that_fails_says_why(
    place: TrainingHouse, provider: ScriptedProvider, trained: Training, told: dict[str, object], reason: str
) -> None:
    uid = generated(place, trained)
    place.tender.tend()
    provider.tell("run2", **told)
    go_on(place, 10)

    assert place.generations.get(ARTIST, uid).error_reason == reason


def test_a_generation_is_cancelled(place: TrainingHouse, provider: ScriptedProvider, trained: Training) -> None:
    uid = generated(place, trained)
    place.tender.tend()
    place.generations.cancel(ARTIST, uid)
    go_on(place, 10)

    assert place.generations.get(ARTIST, uid).state is RunState.CANCELLED


def test_nothing_is_generated_from_an_unfinished_training(place: TrainingHouse, training: Training) -> None:
    with pytest.raises(TrainingNotSucceeded, match="QUEUED"):
        generated(place, training)
    with pytest.raises(GenerationNotFound):
        place.generations.get(ARTIST, "0" * 32)


@pytest.mark.parametrize(
    "values", [{"prompt": " "}, {"duration_s": 121}, {"temperature": 0}, {"top_p": 1.5}, {"seed": -1}]
)
def test_what_cannot_be_played_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(FieldInvalid):
        Sampling(**{"prompt": "pads", **values})  # type: ignore[arg-type]
