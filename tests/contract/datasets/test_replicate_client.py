"""The client of Replicate's API: what its answers mean, and which hosts it speaks to."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chassis.testing import FakeClock
from services.datasets.domain.provider_runs import ProviderAway, ProviderRefused, ProviderThrottled, ProviderUnsure
from services.datasets.replicate import Replicate, is_loopback
from services.datasets.replicate.files import Files

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
RUN = {
    "id": "r1",
    "status": "processing",
    "input": {"dataset_path": "https://a/x.zip"},
    "created_at": "2026-01-01T00:00:00Z",
}


class Answers:
    """A server that gives prepared answers, in order.

    Attributes:
        asked: Method, path, headers and body of each request.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self._next: list[tuple[int, dict[str, str], bytes]] = []
        answers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                sent = {name.lower(): value for name, value in self.headers.items()}
                answers.asked.append((self.command, self.path, sent, self.rfile.read(length)))
                status, headers, body = answers._next.pop(0)
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def give(self, status: int, body: Any = b"", **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._next.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, data))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def answers() -> Iterator[Answers]:
    with contextlib.closing(Answers()) as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def client(answers: Answers, clock: FakeClock) -> Iterator[Replicate]:
    with contextlib.closing(Replicate(f"{answers.url}/v1", "r8_secret", clock, max_output_bytes=64)) as made:
        yield made


def start(client: Replicate) -> Any:
    return client.start_training("maker/trainer:v1", "ada/sound", {"dataset_path": "https://a/x.zip"}, "https://b/hook")


def test_a_training_is_sent_as_the_api_wants_it(client: Replicate, answers: Answers) -> None:
    answers.give(201, RUN)

    told = start(client)

    method, path, headers, body = answers.asked[0]
    assert (method, path) == ("POST", "/v1/models/maker/trainer/versions/v1/trainings")
    assert headers["authorization"] == "Bearer r8_secret"
    assert json.loads(body) == {
        "destination": "ada/sound",
        "input": {"dataset_path": "https://a/x.zip"},
        "webhook": "https://b/hook",
        "webhook_events_filter": ["start", "completed"],
    }
    assert (told.id, told.create_time) == ("r1", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "PROVIDER_TOKEN_REFUSED"),
        (402, "PROVIDER_WANTS_PAYMENT"),
        (422, "PROVIDER_REFUSED"),
        (404, "TRAINER_NOT_FOUND"),
    ],
)
def test_refusals_have_reasons_and_keep_the_token_to_themselves(
    client: Replicate, answers: Answers, status: int, reason: str
) -> None:
    answers.give(status, {"detail": "no, thanks", "status": status})

    with pytest.raises(ProviderRefused) as raised:
        start(client)

    assert raised.value.error.reason == reason
    assert "r8_secret" not in str(raised.value)


@pytest.mark.parametrize(("status", "body"), [(500, b""), (503, b""), (408, b""), (201, b"<html>"), (201, b"{}")])
def test_answers_that_say_nothing_leave_it_unclear(
    client: Replicate, answers: Answers, status: int, body: bytes
) -> None:
    answers.give(status, body)

    with pytest.raises(ProviderUnsure):
        start(client)


@pytest.mark.parametrize(
    ("headers", "detail", "wait_s"),
    [
        ({"retry_after": "7"}, "", 7.0),
        ({"retry_after": "Thu, 01 Jan 2026 00:00:20 GMT"}, "", 20.0),
        ({"ratelimit_reset": "11"}, "", 11.0),
        ({}, "Request was throttled. Your rate limit resets in ~30s.", 30.0),
        ({}, "", 10.0),
        ({"retry_after": "1e9"}, "", 900.0),
    ],
)
def test_throttling_says_how_long(
    client: Replicate, answers: Answers, headers: dict[str, str], detail: str, wait_s: float
) -> None:
    answers.give(429, {"detail": detail}, **headers)

    with pytest.raises(ProviderThrottled) as raised:
        start(client)

    assert raised.value.retry_after_s == wait_s


def test_a_used_up_limit_is_left_alone(client: Replicate, answers: Answers, clock: FakeClock) -> None:
    answers.give(200, RUN, ratelimit_remaining="0", ratelimit_reset="9")
    client.training("r1")

    with pytest.raises(ProviderThrottled):
        client.training("r1")
    clock.advance(9)
    answers.give(404)

    assert client.training("r1") is None
    assert len(answers.asked) == 2


def test_nobody_there_has_taken_nothing(clock: FakeClock) -> None:
    with contextlib.closing(Answers()) as gone:
        url = gone.url
    with contextlib.closing(Replicate(url, "t", clock)) as client, pytest.raises(ProviderAway):
        start(client)


def test_a_list_is_followed_to_its_end(client: Replicate, answers: Answers) -> None:
    other = {**RUN, "id": "r0", "input": {"dataset_path": "https://a/y.zip"}}
    answers.give(200, {"results": [other], "next": f"{answers.url}/v1/trainings?cursor=a"})
    answers.give(200, {"results": [{**RUN, "input": None}], "next": None})
    answers.give(200, RUN)

    found = client.find_training("https://a/x.zip", LONG_AGO)

    assert found is not None
    assert found.id == "r1"
    assert [path for _, path, _, _ in answers.asked] == ["/v1/trainings", "/v1/trainings?cursor=a", "/v1/trainings/r1"]


def test_a_list_is_read_no_further_than_needed(client: Replicate, answers: Answers) -> None:
    answers.give(200, {"results": [RUN], "next": f"{answers.url}/v1/trainings?cursor=a"})

    assert client.find_training("https://a/x.zip", datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=1)) is None
    assert len(answers.asked) == 1


@pytest.mark.parametrize("page", [{"results": [], "next": "https://evil.example.com/v1/trainings"}, {"no": 1}, []])
def test_a_list_that_leads_elsewhere_or_nowhere_is_no_answer(client: Replicate, answers: Answers, page: object) -> None:
    answers.give(200, page)

    with pytest.raises(ProviderUnsure):
        client.find_training("https://a/x.zip", LONG_AGO)


def test_the_newest_version_is_looked_up(client: Replicate, answers: Answers) -> None:
    answers.give(200, {"results": [{"id": "new"}, {"id": "old"}]})
    answers.give(200, {"results": []})

    assert client.trainer_version("maker/trainer:v1") == "maker/trainer:v1"
    assert client.trainer_version("maker/trainer:latest") == "maker/trainer:new"
    with pytest.raises(ProviderRefused):
        client.trainer_version("maker/trainer")


def test_a_destination_is_made_private_and_once(client: Replicate, answers: Answers) -> None:
    answers.give(404)
    answers.give(409, {"detail": "exists"})
    answers.give(200, {"name": "sound"})

    client.ensure_destination("ada/sound", create=True)

    assert json.loads(answers.asked[1][3]) == {
        "owner": "ada",
        "name": "sound",
        "visibility": "private",
        "hardware": "gpu-l40s",
    }


def test_a_version_that_is_gone_plays_nothing(client: Replicate, answers: Answers) -> None:
    answers.give(404)

    with pytest.raises(ProviderRefused) as raised:
        client.start_prediction("ada/sound:f00", {"prompt": "pads"}, "")

    assert raised.value.error.reason == "VERSION_NOT_FOUND"
    assert json.loads(answers.asked[0][3]) == {"version": "f00", "input": {"prompt": "pads"}}


def test_the_webhook_secret_is_kept(client: Replicate, answers: Answers, clock: FakeClock) -> None:
    answers.give(200, {"key": "whsec_YQ=="})
    answers.give(200, {"key": "whsec_Yg=="})

    first, again, early = client.webhook_secret(), client.webhook_secret(), client.webhook_secret(fresh=True)
    clock.advance(61)

    assert first == again == early == "whsec_YQ=="
    assert client.webhook_secret(fresh=True) == "whsec_Yg=="


def test_audio_is_fetched_from_the_provider_without_the_token(client: Replicate, answers: Answers) -> None:
    answers.give(302, b"", location="/files/b.wav")
    answers.give(200, b"RIFF", content_type="audio/x-wav; charset=x")

    with contextlib.closing(client.fetch_output(f"{answers.url}/files/a.wav")) as file:
        assert (file.size_bytes, file.media_type) == (4, "audio/x-wav")

    assert all("authorization" not in headers for _, _, headers, _ in answers.asked)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://replicate.delivery.evil.example.com/x.wav",
        "http://replicate.delivery/x.wav",
        "https://user:word@replicate.delivery/x.wav",
        "file:///etc/passwd",
        "http://localhost/x.wav",
    ],
)
def test_audio_is_fetched_from_no_other_host(client: Replicate, answers: Answers, url: str) -> None:
    answers.give(302, b"", location=url)

    for asked in (url, f"{answers.url}/files/a.wav"):
        with pytest.raises(ProviderRefused) as raised:
            client.fetch_output(asked)
        assert raised.value.error.reason == "OUTPUT_ADDRESS_REFUSED"


def test_the_delivery_host_is_the_providers_own() -> None:
    files = Files("https://api.replicate.com/v1", 1, 1)

    with contextlib.closing(files):
        files._check_host("https://replicate.delivery/x/out.wav")
        files._check_host("https://pbxt.replicate.delivery/x/out.wav")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [(200, b"x" * 65, "OUTPUT_TOO_LARGE"), (404, b"", "GENERATION_OUTPUT_LOST"), (302, b"", "OUTPUT_ADDRESS_REFUSED")],
)
def test_audio_that_cannot_be_kept_says_why(
    client: Replicate, answers: Answers, status: int, body: bytes, reason: str
) -> None:
    for _ in range(4):
        answers.give(status, body, location=f"{answers.url}/files/a.wav")

    with pytest.raises(ProviderRefused) as raised:
        client.fetch_output(f"{answers.url}/files/a.wav")

    assert raised.value.error.reason == reason


def test_a_busy_host_of_audio_is_asked_again_later(client: Replicate, answers: Answers) -> None:
    answers.give(503)

    with pytest.raises(ProviderAway):
        client.fetch_output(f"{answers.url}/files/a.wav")


def test_an_archive_is_looked_at_by_its_first_bytes(client: Replicate, answers: Answers) -> None:
    answers.give(206, b"PK\x03\x04")
    answers.give(200, b"<html>")
    answers.give(503)

    client.check_archive(f"{answers.url}/x.zip")
    with pytest.raises(ProviderRefused, match="TONEWRIGHT_GATEWAY_PUBLIC_URL"):
        client.check_archive(f"{answers.url}/x.zip")
    with pytest.raises(ProviderAway):
        client.check_archive(f"{answers.url}/x.zip")
    assert answers.asked[0][2]["range"] == "bytes=0-3"
    assert "authorization" not in answers.asked[0][2]


def test_what_is_on_this_machine_is_known() -> None:
    assert is_loopback("http://127.0.0.1:8090/v1")
    assert is_loopback("http://[::1]:8090/v1")
    assert is_loopback("http://localhost/v1")
    assert not is_loopback("https://api.replicate.com/v1")
