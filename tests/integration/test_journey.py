"""The whole path through every service, as the demo walks it."""

from __future__ import annotations

from pathlib import Path

from tests.house import House
from tonewright_client import ArtistHandle, Tonewright
from tonewright_client.demo import walk


def test_the_demo_walks_every_step(client: Tonewright) -> None:
    report = walk(client, None, None)

    assert report.is_complete, report.rows[-1]


def test_the_same_bytes_are_one_asset(artist: ArtistHandle, piece: Path) -> None:
    first = artist.assets.upload(piece)
    second = artist.assets.upload(piece)

    assert first["name"] == second["name"]
    assert len(list(artist.assets.list())) == 1


def test_a_download_gives_the_bytes_back(artist: ArtistHandle, piece: Path, tmp_path: Path) -> None:
    asset = artist.assets.upload(piece)

    back = artist.assets.download(asset["name"], tmp_path / "back.wav")

    assert back.read_bytes() == piece.read_bytes()


def test_a_signed_link_needs_no_key(artist: ArtistHandle, piece: Path, house: House) -> None:
    asset = artist.assets.upload(piece)

    with house.http(None) as stranger:
        answer = stranger.get(artist.assets.link(asset["name"]))

    assert answer.status_code == 200
    assert answer.content == piece.read_bytes()


def test_the_same_idempotency_key_starts_one_separation(artist: ArtistHandle, piece: Path, house: House) -> None:
    asset = artist.assets.upload(piece)
    path, headers = f"/v1/{artist.name}/separations", {"Idempotency-Key": "once"}

    with house.http() as http:
        first = http.post(path, json={"asset": asset["name"]}, headers=headers)
        again = http.post(path, json={"asset": asset["name"]}, headers=headers)
        other = http.post(path, json={"asset": asset["name"], "stem_set": "TWO_STEMS"}, headers=headers)

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["name"] == again.json()["name"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["reason"]) == (409, "REQUEST_ID_REUSED")
    assert len(list(artist.separations.list())) == 1


def test_two_saves_from_one_state_lose_nothing(artist: ArtistHandle, house: House) -> None:
    session = artist.sessions.create("First", {"version": 1})
    artist.sessions.rename(session, "Renamed")

    with house.http() as http:
        late = http.patch(
            f"/v1/{session['name']}", json={"display_name": "Late"}, headers={"If-Match": f'"{session["etag"]}"'}
        )
        bare = http.patch(f"/v1/{session['name']}", json={"display_name": "Bare"})

    assert (late.status_code, late.json()["reason"]) == (412, "ETAG_MISMATCH")
    assert bare.status_code == 428
    assert artist.sessions.get(session["name"])["display_name"] == "Renamed"
