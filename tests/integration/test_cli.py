"""The `tonewright` command as people run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.house import House
from tests.integration.shell import run
from tonewright_client import ArtistHandle


def test_demo_walks_to_the_end_and_exits_zero(house: House) -> None:
    done = run(house, "demo")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "reopen it" in done.stdout
    assert "FAILED" not in done.stdout
    assert "allowed by Demo Artist" in done.stdout or "skipped: no trainer is set up" in done.stdout


def test_demo_exits_non_zero_when_a_step_fails(house: House, tmp_path: Path) -> None:
    broken = tmp_path / "song.wav"
    broken.write_bytes(b"no music at all")

    done = run(house, "demo", str(broken))

    assert done.returncode == 1
    assert "FAILED" in done.stdout


def test_doctor_tells_what_is_up_and_what_is_wrong_with_a_key(house: House) -> None:
    fine, bad = run(house, "doctor"), run(house, "doctor", key="twk_wrong")

    assert (fine.returncode, bad.returncode) == (0, 1), fine.stdout + bad.stdout
    assert "api-key" in bad.stdout


def test_a_file_becomes_an_asset_and_comes_back(
    house: House, artist: ArtistHandle, piece: Path, tmp_path: Path
) -> None:
    uploaded = run(house, "--json", "assets", str(piece), artist=artist.name)
    name = json.loads(uploaded.stdout)[0]["name"]

    back = run(house, "assets", str(tmp_path / "back.wav"), "--download", name, artist=artist.name)

    assert back.returncode == 0, back.stderr
    assert (tmp_path / "back.wav").read_bytes() == piece.read_bytes()


@pytest.mark.parametrize(
    "verb",
    [
        ["artists"],
        ["members"],
        ["live-sets"],
        ["assets"],
        ["captions"],
        ["templates"],
        ["stems", "list"],
        ["stems", "models"],
        ["items"],
        ["items", "duplicates"],
        ["snapshots"],
        ["exports"],
        ["trainings"],
        ["generations"],
        ["conversations"],
        ["training-files"],
        ["sessions"],
        ["performances"],
        ["operations"],
    ],
    ids=" ".join,
)
@pytest.mark.target("embedded")
def test_every_resource_has_a_verb(house: House, artist: ArtistHandle, verb: list[str]) -> None:
    done = run(house, "--json", *verb, artist=artist.name)

    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), list)


def test_the_profile_is_changed_from_a_file(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    changes = tmp_path / "profile.json"
    changes.write_text('{"notes": "close and warm"}')

    run(house, "profile", str(changes), artist=artist.name)

    assert json.loads(run(house, "profile", artist=artist.name).stdout)["notes"] == "close and warm"


def test_a_refusal_is_one_clear_line(house: House) -> None:
    done = run(house, "assets", artist="artists/nobody-here")

    assert done.returncode == 1
    assert "404 ARTIST_NOT_FOUND" in done.stderr
    assert "Traceback" not in done.stderr
