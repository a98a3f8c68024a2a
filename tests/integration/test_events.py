"""Long work as its callers follow it: accepted, told of by events, waited for, listed, cancelled."""

from __future__ import annotations

import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from chassis.context import Caller, Role
from chassis.testing import FakeClock
from services.gateway.links import Signer
from tests.house import House
from tonewright_client import ArtistHandle
from tonewright_client.transport import parse_events

Event = tuple[str, str, dict[str, Any]]
TRACK_S = 30


@pytest.fixture(scope="session")
def track(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise that takes the stub engine a second or more."""
    path = tmp_path_factory.mktemp("track") / "track.wav"
    frames = np.random.default_rng(3).standard_normal((TRACK_S * 44_100, 2)) * 3000
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(frames.astype("<i2").tobytes())
    return path


@pytest.fixture
def http(house: House) -> Iterator[httpx2.Client]:
    with house.http() as connected:
        yield connected


@pytest.fixture
def stranger(house: House) -> Iterator[httpx2.Client]:
    """Has no key."""
    with house.http(None) as connected:
        yield connected


def _start(http: httpx2.Client, artist: ArtistHandle, track: Path) -> dict[str, Any]:
    asset = artist.assets.upload(track)
    answer = http.post(f"/v1/{artist.name}/separations", json={"asset": asset["name"]})
    assert answer.status_code == 202, answer.text
    operation: dict[str, Any] = answer.json()
    return operation


def _finished(artist: ArtistHandle, http: httpx2.Client, piece: Path) -> dict[str, Any]:
    return _wait(http, _start(http, artist, piece)["name"])


def _wait(http: httpx2.Client, name: str, **body: float) -> dict[str, Any]:
    answer = http.post(f"/v1/{name}:wait", json=body)
    assert answer.status_code == 200, answer.text
    operation: dict[str, Any] = answer.json()
    return operation


@contextmanager
def _followed(http: httpx2.Client, url: str, last_event_id: str = "") -> Iterator[Iterator[Event]]:
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    with http.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield parse_events(answer.iter_lines())


def test_long_work_is_accepted_with_the_place_where_it_is_followed(
    http: httpx2.Client, artist: ArtistHandle, piece: Path
) -> None:
    asset = artist.assets.upload(piece)

    answer = http.post(f"/v1/{artist.name}/separations", json={"asset": asset["name"]})

    assert answer.status_code == 202
    assert int(answer.headers["Retry-After"]) >= 1
    found = http.get(answer.headers["Location"])
    assert found.status_code == 200
    assert found.json()["name"] == answer.json()["name"]
    separation = http.get(f"/v1/{answer.json()['metadata']['target']}")
    assert separation.json()["asset"] == asset["name"]


def test_events_tell_each_change_and_end_with_the_result(
    house: House, http: httpx2.Client, artist: ArtistHandle, track: Path
) -> None:
    with house.held_stems_worker() as resume:
        operation = _start(http, artist, track)
        with _followed(http, f"/v1/{operation['name']}/events") as stream:
            first = next(stream)
            resume()
            events = [first, *stream]

    identities = [identity for identity, _, _ in events]
    facts = [data["metadata"] for _, _, data in events]
    percents = [fact["progress_percent"] for fact in facts]
    assert all(identities)
    assert len(set(identities)) == len(identities)
    assert [kind for _, kind, _ in events] == ["progress"] * (len(events) - 1) + ["done"]
    assert (facts[0]["state"], percents[0]) == ("QUEUED", 0)
    assert {fact["state"] for fact in facts[1:-1]} == {"RUNNING"}
    assert any(fact["stage"] for fact in facts[1:-1])
    assert percents == sorted(percents)
    assert any(0 < percent < 100 for percent in percents)
    assert (facts[-1]["state"], percents[-1]) == ("SUCCEEDED", 100)
    result = events[-1][2]["response"]
    assert result == http.get(f"/v1/{operation['metadata']['target']}").json()
    assert len(result["stems"]) == 4


def test_a_reconnect_with_the_last_id_repeats_nothing_and_misses_nothing(
    house: House, http: httpx2.Client, artist: ArtistHandle, track: Path
) -> None:
    with house.held_stems_worker() as resume:
        url = f"/v1/{_start(http, artist, track)['name']}/events"
        with _followed(http, url) as stream:
            seen = [next(stream)]
        with _followed(http, url, seen[-1][0]) as stream:
            resume()
            seen.append(next(stream))
    while seen[-1][1] != "done":
        with _followed(http, url, seen[-1][0]) as stream:
            seen.append(next(stream))
    after = http.get(url, headers={"Last-Event-ID": seen[-1][0]})

    identities = [identity for identity, _, _ in seen]
    assert len(set(identities)) == len(identities)
    assert seen[-1][2]["metadata"]["state"] == "SUCCEEDED"
    # EventSource reconnects by itself after the end; this is what stops it.
    assert (after.status_code, after.content) == (204, b"")


def test_a_ticket_opens_one_stream_without_a_key(
    house: House, http: httpx2.Client, stranger: httpx2.Client, artist: ArtistHandle, piece: Path
) -> None:
    operation = _finished(artist, http, piece)

    ticket = http.post(f"/v1/{operation['name']}/events:ticket").json()

    with _followed(stranger, ticket["url"]) as stream:
        events = list(stream)
    assert ticket["url"].startswith(f"{house.url}/v1/{operation['name']}/events?ticket=")
    assert 0 < ticket["expires_in_s"] <= 3600
    assert [data["name"] for _, _, data in events] == [operation["name"]]


def test_a_ticket_opens_nothing_else(
    http: httpx2.Client, stranger: httpx2.Client, artist: ArtistHandle, piece: Path
) -> None:
    mine, other = _finished(artist, http, piece)["name"], _finished(artist, http, piece)["name"]
    ticket = http.post(f"/v1/{mine}/events:ticket").json()["ticket"]

    answers = {
        "another stream": stranger.get(f"/v1/{other}/events", params={"ticket": ticket}),
        "the operation": stranger.get(f"/v1/{mine}", params={"ticket": ticket}),
        "a change": stranger.post(f"/v1/{mine}:cancel", params={"ticket": ticket}),
        "a changed ticket": stranger.get(f"/v1/{mine}/events", params={"ticket": f"{ticket[:-4]}AAAA"}),
        "a link": stranger.get(f"/v1/links/{ticket}/audio.wav"),
    }

    as_key = stranger.get(f"/v1/{mine}", headers={"Authorization": f"Bearer {ticket}"})

    said = {what: (answer.status_code, answer.json()["reason"]) for what, answer in answers.items()}
    assert said == {
        "another stream": (401, "TICKET_INVALID"),
        "the operation": (401, "KEY_MISSING"),
        "a change": (401, "KEY_MISSING"),
        "a changed ticket": (401, "TICKET_INVALID"),
        "a link": (404, "LINK_UNKNOWN"),
    }
    assert as_key.status_code == 401


def test_a_ticket_expires(
    house: House, http: httpx2.Client, stranger: httpx2.Client, artist: ArtistHandle, piece: Path
) -> None:
    name = _finished(artist, http, piece)["name"]
    ada = Caller("gateway", "ada", artist.name.removeprefix("artists/"), Role.VIEWER)
    # Signed by the gateway's own key, at a time that is over.
    expired = _signer(house).ticket(f"/v1/{name}/events", ada, 60)

    answer = stranger.get(f"/v1/{name}/events", params={"ticket": expired})

    assert (answer.status_code, answer.json()["reason"]) == (401, "TICKET_INVALID")
    assert "ask for a new one" in answer.json()["detail"]


def _signer(house: House) -> Signer:
    key = load_pem_private_key((house.home / "keys" / "gateway.key").read_bytes(), None)
    return Signer(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()), FakeClock())


def test_waiting_ends_with_the_work_or_with_the_time(
    house: House, http: httpx2.Client, artist: ArtistHandle, piece: Path
) -> None:
    with house.held_stems_worker():
        name = _start(http, artist, piece)["name"]
        began = time.monotonic()
        early = _wait(http, name, timeout_s=0.5)
        waited_s = time.monotonic() - began
    late = _wait(http, name, timeout_s=30)
    refused = http.post(f"/v1/{name}:wait", json={"timeout_s": 61})

    assert (early["done"], early["response"], early["error"]) == (False, None, None)
    assert waited_s >= 0.5
    assert (late["done"], late["metadata"]["state"]) == (True, "SUCCEEDED")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "timeout_s")


def test_the_operations_of_an_artist_are_listed_page_by_page(
    http: httpx2.Client, artist: ArtistHandle, piece: Path
) -> None:
    separation = _finished(artist, http, piece)["name"]
    asset = artist.assets.upload(piece)
    artist.training_items.create(asset=asset["name"], caption="Warm pads over a steady beat. BPM: 120")
    export = _wait(http, artist.exports.start()["name"])["name"]
    path = f"/v1/{artist.name}/operations"

    found, token, pages = [], "", 0
    while pages == 0 or token:
        page = http.get(path, params={"page_size": 1, "page_token": token}).json()
        found += [operation["name"] for operation in page["operations"]]
        token, pages = page["next_page_token"], pages + 1
    one = http.get(path, params={"filter": "separations"}).json()
    unknown = http.get(path, params={"filter": "nonsense"})
    foreign = http.get(path, params={"page_token": "nowhere~x"})

    assert sorted(found) == sorted([separation, export])
    assert [operation["name"] for operation in one["operations"]] == [separation]
    assert unknown.status_code == 404
    assert (foreign.status_code, foreign.json()["reason"]) == (400, "PAGE_TOKEN_INVALID")


def test_queued_work_is_cancelled_at_once(house: House, http: httpx2.Client, artist: ArtistHandle, piece: Path) -> None:
    with house.held_stems_worker():
        name = _start(http, artist, piece)["name"]
        answer = http.post(f"/v1/{name}:cancel")
        with _followed(http, f"/v1/{name}/events") as stream:
            events = list(stream)
    time.sleep(0.3)  # the worker is awake again and must leave it alone

    cancelled = answer.json()
    assert (answer.status_code, cancelled["done"], cancelled["response"]) == (200, True, None)
    assert cancelled["metadata"]["state"] == "CANCELLED"
    assert cancelled["error"]["code"] == "CANCELLED"
    assert [(kind, data) for _, kind, data in events] == [("done", cancelled)]
    assert http.get(f"/v1/{name}").json() == cancelled
    assert artist.separations.get(cancelled["metadata"]["target"])["state"] == "CANCELLED"


def test_running_work_is_cancelled_soon_and_leaves_no_stems(
    http: httpx2.Client, artist: ArtistHandle, track: Path
) -> None:
    name = _start(http, artist, track)["name"]
    running = http.get(f"/v1/{name}").json()
    while running["metadata"]["state"] == "QUEUED":
        running = http.get(f"/v1/{name}").json()

    answer = http.post(f"/v1/{name}:cancel")

    with _followed(http, f"/v1/{name}/events") as stream:
        ended = [data for _, kind, data in stream if kind == "done"]
    assert running["metadata"]["state"] == "RUNNING"
    assert answer.status_code == 200
    assert [data["metadata"]["state"] for data in ended] == ["CANCELLED"]
    assert ended[0]["error"]["code"] == "CANCELLED"
    separation = artist.separations.get(ended[0]["metadata"]["target"])
    assert (separation["state"], separation["stems"]) == ("CANCELLED", [])
    assert len(list(artist.assets.list())) == 1


def test_cancelling_what_has_ended_changes_nothing(http: httpx2.Client, artist: ArtistHandle, piece: Path) -> None:
    done = _finished(artist, http, piece)

    answer = http.post(f"/v1/{done['name']}:cancel")

    assert (answer.status_code, answer.json()) == (200, done)
