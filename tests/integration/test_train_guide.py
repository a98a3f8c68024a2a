"""The commands of docs/train-mode.md do what it says, one after the other, as they stand there."""

from __future__ import annotations

import json
import re
import shlex
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.house import House
from tests.integration.shell import run_here
from tests.material.pages import TRAIN_MODE, blocks
from tonewright_client import ArtistHandle
from tonewright_client.demo_dataset import write_dataset
from tonewright_client.terminal import short

pytestmark = pytest.mark.target("embedded")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the musician stands: beside a folder `nights`."""
    write_dataset(tmp_path / "nights")
    return tmp_path


def _named(line: str, artist: ArtistHandle) -> str:
    """The line with the newest of each kind for the words in capitals."""
    lists: dict[str, Callable[[], Iterator[Any]]] = {
        "ASSET": artist.assets.list,
        "LIVE_SET": artist.live_sets.list,
        "ITEM": artist.training_items.list,
        "SNAPSHOT": artist.snapshots.list,
        "EXPORT": artist.exports.list,
        "TRAINING": artist.trainings.list,
    }
    found = {word: next(iter(list_()), None) for word, list_ in lists.items()}
    known = {word: short(one["name"]) for word, one in found.items() if one}
    return re.sub(r"\b[A-Z_]{4,}\b", lambda word: known.get(word[0], word[0]), line)


def test_every_command_of_the_guide_works(
    house: House, artist: ArtistHandle, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    lines = [line for mark in ("train", "steps") for line in "".join(blocks("sh", mark, TRAIN_MODE)).splitlines()]
    for line in lines:
        words = shlex.split(_named(line, artist), comments=True)[1:]

        done = run_here(house, *words, artist=artist.name)

        assert done.exit_code == 0, f"{line}\n{done.output}\n{done.exception}"

    assert {"nights.zip", "folder.zip", "nights-dataset.zip", "set.svg", "clip.wav"} <= {
        path.name for path in place.iterdir()
    }
    assert zipfile.ZipFile(place / "nights.zip").testzip() is None
    assert (place / "set.svg").read_text().startswith("<svg")


def test_the_python_of_the_guide_works(
    house: House, artist: ArtistHandle, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    (code,) = blocks("python", "train", TRAIN_MODE)

    exec(code, {"url": house.url, "key": house.keys["ada"], "name": artist.name})

    assert len(zipfile.ZipFile(place / "nights.zip").namelist()) == 2


def test_a_timeline_is_drawn_as_png_too(house: House, artist: ArtistHandle, place: Path) -> None:
    live_set = artist.live_sets.upload(place / "nights" / "night drive.als")

    done = run_here(
        house, "live-sets", "picture", live_set["name"], "--out", str(place / "set.png"), artist=artist.name
    )

    assert done.exit_code == 0, done.output
    with Image.open(place / "set.png") as picture:
        assert picture.width == 1200
        assert len(picture.getcolors(1 << 20) or ()) > 3


def test_json_is_what_machines_get(house: House, artist: ArtistHandle, place: Path) -> None:
    first = run_here(house, "--json", "live-sets", "import", str(place / "nights"), artist=artist.name)
    again = run_here(house, "--json", "live-sets", "import", str(place / "nights"), artist=artist.name)

    assert [one["already_there"] for one in json.loads(first.stdout)["results"]] == [False] * 8
    assert [one["already_there"] for one in json.loads(again.stdout)["results"]] == [True] * 8


def test_a_bare_id_leads_to_the_trainings_that_used_it(house: House, artist: ArtistHandle, place: Path) -> None:
    live_set = artist.live_sets.upload(place / "nights" / "night drive.als")

    known = run_here(house, "lineage", short(live_set["name"]), artist=artist.name)
    unknown = run_here(house, "lineage", "0" * 32, artist=artist.name)

    assert known.exit_code == 0, known.output
    assert "no training has used" in known.output
    assert unknown.exit_code == 1
    assert "has the id" in unknown.output
