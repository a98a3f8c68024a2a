"""Each thing the platform leans on is taken away and given back: typed answers, a truthful /readyz, nothing lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.house import House
from tests.material.fake_issuer import FakeIssuer
from tests.material.fake_openai import FakeOpenAI
from tonewright_client import ArtistHandle
from tools.backends import Backend

pytestmark = pytest.mark.target("backends")
SESSION = {"display_name": "Lost?", "snapshot": {"version": 1}}


@contextmanager
def _down(stop: Callable[[], None], start: Callable[[], None], house: House) -> Iterator[None]:
    stop()
    try:
        yield
    finally:
        start()
        house.wait_ready(within_s=60)


def _is_typed_outage(answer: httpx2.Response, dependency: str, *, reason: str = "DEPENDENCY_UNAVAILABLE") -> bool:
    body = answer.json()
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True), answer.text
    assert (body["reason"], body["metadata"].get("dependency")) == (reason, dependency), body
    assert answer.headers["content-type"] == "application/problem+json"
    return True


def _readyz_names(http: httpx2.Client, dependency: str, *, status: int = 503) -> bool:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        answer = http.get("/readyz")
        if answer.status_code == status and dependency in answer.text:
            return True
        time.sleep(0.2)
    raise AssertionError(f"/readyz does not name {dependency}: {answer.status_code} {answer.text}")


def test_without_the_broker_a_create_answers_and_the_job_runs(
    house: House, artist: ArtistHandle, piece: Path, rabbitmq: Backend
) -> None:
    asset = artist.assets.upload(piece)

    with _down(rabbitmq.pause, rabbitmq.resume, house), house.http() as http:
        answer = http.post(f"/v1/{artist.name}/separations", json={"asset": asset["name"]})
        assert answer.status_code == 202, answer.text

    done = artist.operations.wait(answer.json())
    assert done["state"] == "SUCCEEDED"


def test_without_the_database_calls_are_503_and_nothing_is_lost(
    house: House, artist: ArtistHandle, postgres: Backend
) -> None:
    session = artist.sessions.create("Before", {"version": 1})

    with _down(postgres.pause, postgres.resume, house), house.http() as http:
        assert _is_typed_outage(http.get(f"/v1/{session['name']}"), "database")
        assert _is_typed_outage(http.post(f"/v1/{artist.name}/sessions", json=SESSION), "database")
        assert _readyz_names(http, "database")

    assert artist.sessions.get(session["name"])["display_name"] == "Before"
    assert artist.sessions.create("After", {"version": 1})["display_name"] == "After"


def test_without_the_object_store_uploads_are_503_and_nothing_is_lost(
    house: House, artist: ArtistHandle, piece: Path, s3_server: Backend
) -> None:
    asset = artist.assets.upload(piece)

    with _down(s3_server.pause, s3_server.resume, house), house.http() as http:
        upload = http.post(
            f"/v1/{artist.name}/assets", content=piece.read_bytes() + b"\0\0", headers={"Content-Type": "audio/wav"}
        )
        assert _is_typed_outage(upload, "objects")
        assert _is_typed_outage(http.get(f"/v1/{asset['name']}/content"), "objects")
        assert _readyz_names(http, "objects")

    with house.http() as http:
        assert http.get(f"/v1/{asset['name']}/content").content == piece.read_bytes()


def test_without_openai_captions_are_503(house: House, artist: ArtistHandle, piece: Path, openai: FakeOpenAI) -> None:
    asset = artist.assets.upload(piece)
    path, body = f"/v1/{artist.name}/captions:generate", {"asset": asset["name"]}

    with _down(openai.stop, openai.start, house), house.http() as http:
        assert _is_typed_outage(http.post(path, json=body), "openai")
        # Everything but new captions goes on, so the platform stays ready and says what is degraded.
        assert _readyz_names(http, "openai", status=200)

    with house.http() as http:
        answer = http.post(path, json=body)
    assert answer.status_code in (200, 201), answer.text
    assert answer.json()["provenance"]["engine"] == "openai"


def test_without_the_issuer_unknown_keys_are_503_and_known_ones_work(house: House, issuer: FakeIssuer) -> None:
    with house.http(None) as http:
        first = http.get("/v1/me", headers=_bearer(issuer))
        assert first.status_code == 200, first.text
        known = _bearer(issuer)
        issuer.rotate()

        with _down(issuer.stop, issuer.start, house):
            assert _is_typed_outage(_eventually(http, _bearer(issuer), 503), "oidc", reason="ISSUER_UNAVAILABLE")
            assert http.get("/v1/me", headers=known).status_code == 200
            with house.http() as ada:
                assert ada.get("/v1/me").status_code == 200

        again = _eventually(http, _bearer(issuer), 200)
    assert again.status_code == 200, again.text


def _bearer(issuer: FakeIssuer) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token('carol')}"}


def _eventually(http: httpx2.Client, headers: dict[str, str], status: int) -> httpx2.Response:
    """The answer with this status; the gateway pauses up to 10 s between two looks at the issuer's keys."""
    deadline = time.monotonic() + 20
    answer = http.get("/v1/me", headers=headers)
    while answer.status_code != status and time.monotonic() < deadline:
        time.sleep(0.5)
        answer = http.get("/v1/me", headers=headers)
    return answer


def test_an_expired_token_says_what_to_do(house: House, issuer: FakeIssuer) -> None:
    token = issuer.token("carol", expires_in_s=-3600)

    with house.http(None) as http:
        answer = http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.json()["reason"]) == (401, "TOKEN_EXPIRED")
    assert "sign in" in answer.json()["detail"] or "new" in answer.json()["detail"]
