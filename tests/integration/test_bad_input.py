"""Bad input at every edge gets a 4xx that says what to do, and leaves everything running."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.house import House
from tonewright_client import ArtistHandle


@pytest.fixture
def http(house: House) -> Iterator[httpx2.Client]:
    with house.http() as connected:
        yield connected


def _refused(answer: httpx2.Response, status: int, reason: str, *words: str) -> None:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert (answer.status_code, body["reason"]) == (status, reason), body
    said = json.dumps(body)
    assert all(word in said for word in words), (words, body)
    assert body["type"].endswith(reason.lower())
    assert body["request_id"]


def _upload(http: httpx2.Client, artist: ArtistHandle, content: bytes, **headers: str) -> httpx2.Response:
    return http.post(f"/v1/{artist.name}/assets", content=content, headers={"Content-Type": "audio/wav", **headers})


def test_a_wrong_hash(http: httpx2.Client, artist: ArtistHandle, piece: Path) -> None:
    answer = _upload(http, artist, piece.read_bytes(), **{"X-Content-SHA256": "0" * 64})

    assert answer.status_code == 400, answer.text
    assert "SHA-256" in answer.text or "sha256" in answer.text
    assert not list(artist.assets.list())


def test_truncated_audio(http: httpx2.Client, artist: ArtistHandle, piece: Path) -> None:
    whole = piece.read_bytes()

    _refused(_upload(http, artist, whole[: len(whole) // 2]), 400, "AUDIO_TRUNCATED", "upload")


def test_text_renamed_to_wav(http: httpx2.Client, artist: ArtistHandle) -> None:
    answer = _upload(http, artist, b"these are the lyrics, not the song\n" * 50)

    assert (answer.status_code, answer.headers["content-type"]) in {
        (400, "application/problem+json"),
        (415, "application/problem+json"),
    }
    assert "WAV" in answer.text


def test_an_empty_upload(http: httpx2.Client, artist: ArtistHandle) -> None:
    assert 400 <= _upload(http, artist, b"").status_code < 500


def test_a_zip_bomb_as_a_live_set(http: httpx2.Client, artist: ArtistHandle) -> None:
    bomb = io.BytesIO()
    with gzip.GzipFile(fileobj=bomb, mode="wb", compresslevel=9) as file:
        file.write(b'<?xml version="1.0"?><Ableton><LiveSet>')
        for _ in range(700):
            file.write(b" " * (1 << 20))
    answer = http.post(f"/v1/{artist.name}/live-sets?file_name=bomb.als", content=bomb.getvalue())

    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["reason"].startswith("LIVE_SET")
    assert not list(artist.live_sets.list())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a set",
        gzip.compress(b"<Other/>"),
        gzip.compress(b'<!DOCTYPE a [<!ENTITY b "c">]><Ableton>&b;</Ableton>'),
    ],
    ids=["empty", "text", "wrong-root", "entities"],
)
def test_files_that_are_no_live_set(http: httpx2.Client, artist: ArtistHandle, content: bytes) -> None:
    answer = http.post(f"/v1/{artist.name}/live-sets?file_name=x.als", content=content)

    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["detail"]


@pytest.mark.target("embedded", "backends")  # reads the size of a process
def test_two_hundred_megabytes_of_json(house: House, artist: ArtistHandle) -> None:
    gateway = house.processes()["gateway"]
    idle = gateway.memory_info().rss

    def body() -> Iterator[bytes]:
        yield b'{"display_name": "'
        for _ in range(200):
            yield b"x" * (1 << 20)

    with house.http() as http:
        answer = http.post(f"/v1/{artist.name}/sessions", content=body(), headers={"Content-Type": "application/json"})

    _refused(answer, 413, "BODY_TOO_LARGE", "10485760")
    assert gateway.memory_info().rss - idle < 64 << 20


def test_unknown_fields_and_wrong_types_are_all_named(http: httpx2.Client, artist: ArtistHandle) -> None:
    answer = http.post(f"/v1/{artist.name}/sessions", json={"display_name": 7, "colour": "red"})

    _refused(answer, 400, "FIELD_INVALID", "display_name", "colour")
    assert len(answer.json()["errors"]) == 2


def test_json_that_is_none(http: httpx2.Client, artist: ArtistHandle) -> None:
    answer = http.post(
        f"/v1/{artist.name}/sessions", content=b'{"display_name": ', headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_another_content_type(http: httpx2.Client, artist: ArtistHandle) -> None:
    answer = http.post(f"/v1/{artist.name}/sessions", content=b"a=b", headers={"Content-Type": "text/csv"})

    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nowhere", 404), ("DELETE", "/v1/me", 405), ("GET", "/v1/artists?page_size=-1", 400)],
)
def test_paths_and_queries(http: httpx2.Client, method: str, path: str, status: int) -> None:
    answer = http.request(method, path)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_range_beyond_the_end(http: httpx2.Client, artist: ArtistHandle, piece: Path) -> None:
    asset = artist.assets.upload(piece)

    answer = http.get(f"/v1/{asset['name']}/content", headers={"Range": "bytes=999999999-"})

    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{piece.stat().st_size}"


def test_a_forged_key(house: House) -> None:
    with house.http(None) as http:
        answer = http.get("/v1/me", headers={"Authorization": "Bearer twk_" + "x" * 43})

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.target("embedded")  # on S3 the link is the store's own
def test_a_forged_link(house: House, artist: ArtistHandle, piece: Path) -> None:
    asset = artist.assets.upload(piece)
    link = artist.assets.link(asset["name"])
    token = link.split("/links/")[1].split("/")[0]
    forged = link.replace(token, token[:-4] + ("aaaa" if token[-4:] != "aaaa" else "bbbb"))

    with house.http(None) as http:
        answer = http.get(forged)

    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
