"""`tonewright train`: a folder in, a checked dataset out, and a model if asked; a second run goes on."""

from __future__ import annotations

import json
import shutil
import signal
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.house import House
from tests.integration.shell import run_here, start
from tests.integration.train_house import BOMB, DESTINATION, OWN_CAPTION, OWN_PIECE, write_folder
from tonewright_client import ArtistHandle
from tonewright_client.cli_train import Terminal
from tonewright_client.demo_dataset import PIECES, write_dataset
from tonewright_client.demo_material import write_piece
from tonewright_client.guide import Guide
from tonewright_client.guide_outcome import Choices
from tonewright_client.training_folder import look
from tonewright_client.training_items import ConsentFacts

pytestmark = pytest.mark.target("embedded")


def _train(house: House, artist: ArtistHandle, folder: Path, *more: str, code: int = 0) -> dict[str, Any]:
    target = str(folder.with_name("out.zip"))
    arguments = ("--json", "train", str(folder), "--yes", "--out", target, "--consent-by", "Ada", *more)
    done = run_here(house, *arguments, artist=artist.name)
    assert done.exit_code == code, f"{done.output}\n{done.exception!r}"
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_messy_folder_becomes_a_dataset_and_says_what_waits_for_a_person(
    house: House, artist: ArtistHandle, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "nights")

    first = _train(house, artist, folder, code=1)

    rows = {Path(row["file"]).name: row for row in first["recordings"]}
    assert list(first["refused_live_sets"]) == [BOMB]
    assert rows["low tide copy.wav"]["copy_of"] == "low tide.wav"
    assert "AUDIO_TRUNCATED" in rows["broken.wav"]["error"]
    assert [line.split(",")[0] for line in first["advice"][:2]] == [
        f"mend or remove {BOMB}",
        "mend or remove broken.wav",
    ]
    assert rows[f"{OWN_PIECE}.wav"]["caption"] == OWN_CAPTION
    assert sum(row["state"] in ("READY", "EXPORTED") for row in rows.values()) == len(PIECES) + 1
    assert not any("Samples" in name for name in (row["file"] for row in first["recordings"]))
    with zipfile.ZipFile(first["archive"]) as archive:
        assert len(archive.namelist()) == 2 * (len(PIECES) + 1)


def test_a_second_run_sends_makes_and_pays_for_nothing(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "nights")
    paying = ("--start", DESTINATION, "--max-cost", "12", "--prompt", "warm pads at night")
    first = _train(house, artist, folder, *paying)

    again = _train(house, artist, folder, *paying)

    assert all(row["uploaded"] for row in first["recordings"])
    assert not any(row["uploaded"] for row in again["recordings"])
    for part in ("snapshot", "export", "training", "generation"):
        assert again[part]["name"] == first[part]["name"]
    assert again["caption_run"] is None
    assert len(list(artist.trainings.list())) == len(list(artist.generations.list())) == 1
    assert Path(first["clip"]).stat().st_size > 100_000


@pytest.mark.long
def test_what_changed_is_all_that_a_second_run_makes(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "nights", PIECES[:7])
    few = _train(house, artist, folder, code=3)
    write_dataset(folder, PIECES[7:])

    enough = _train(house, artist, folder)

    assert (few["readiness"]["ready"], enough["readiness"]["ready"]) == (False, True)
    assert any("add 1 more" in line for line in few["advice"])
    assert sum(row["uploaded"] for row in enough["recordings"]) == 1
    assert enough["caption_run"]["item_count"] == 1
    assert enough["snapshot"]["name"] != few["snapshot"]["name"]


def test_a_training_above_the_agreed_cost_or_of_too_few_pairs_is_not_started(
    house: House, artist: ArtistHandle, tmp_path: Path
) -> None:
    folder = write_dataset(tmp_path / "nights", PIECES[:2])

    found = _train(house, artist, folder, "--start", DESTINATION, "--max-cost", "12", code=3)

    assert found["training"] is None
    assert list(artist.trainings.list()) == []


def test_what_no_trainer_may_or_can_use_is_left_out_by_name(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "nights", PIECES[:2])
    write_piece(folder / "blink.wav", bars=1)
    asset = artist.assets.upload(folder / "low tide.wav")
    no: ConsentFacts = {"training_allowed": False, "given_by": "Bob"}
    artist.training_items.create(asset=asset["name"], display_name="low tide", consent=no)

    found = _train(house, artist, folder, code=3)

    told = "\n".join(found["advice"])
    assert "blink is left out" in told
    assert "low tide is left out" in told
    assert found["snapshot"]["item_count"] == 1
    (kept,) = artist.training_items.list(query="low tide")
    assert kept["consent"] is not None
    assert kept["consent"]["given_by"] == "Bob"


def test_what_was_deleted_since_is_made_anew(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "nights", PIECES[:1])
    first = _train(house, artist, folder, code=3)
    artist.exports.delete(first["export"]["name"])
    artist.snapshots.delete(first["snapshot"]["name"])
    Path(first["archive"]).unlink()

    again = _train(house, artist, folder, code=3)

    assert again["snapshot"]["content_sha256"] == first["snapshot"]["content_sha256"]
    assert again["export"]["content_etag"] == first["export"]["content_etag"]
    assert Path(again["archive"]).exists()


def test_a_name_that_is_only_alike_is_left_for_a_person(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "nights", PIECES[3:4])
    shutil.move(folder / "paper lanterns.wav", folder / "paper lanternes.wav")

    (row,) = _train(house, artist, folder, code=3)["recordings"]

    assert row["live_set"] == ""
    assert row["unsure"].startswith(f"{artist.name}/live-sets/")


def test_a_person_who_agrees_is_believed(artist: ArtistHandle, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "nights", PIECES[3:4])
    shutil.move(folder / "paper lanterns.wav", folder / "paper lanternes.wav")
    asked: list[str] = []

    class Person(Terminal):
        def agrees(self, question: str) -> bool | None:
            asked.append(question)
            return True

    outcome = Guide(artist, Choices(), Person(artist, may_ask=True)).gather(look(folder))

    assert len(asked) == 1
    assert "paper lanternes.wav" in asked[0]
    assert outcome.items[0]["live_set"] == outcome.rows[0].live_set != ""


def test_ctrl_c_leaves_what_was_made_for_the_next_run(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "nights")
    target = str(tmp_path / "out.zip")

    stopped = start(house, "train", str(folder), "--yes", "--consent-by", "Ada", "--out", target, artist=artist.name)
    end = time.monotonic() + 60
    while not list(artist.assets.list()) and time.monotonic() < end:
        time.sleep(0.05)
    stopped.send_signal(signal.SIGINT)
    said = "".join(stopped.communicate(timeout=30))
    found = _train(house, artist, folder)

    assert stopped.returncode == 130, said
    assert "goes on from here" in said
    assert not all(row["uploaded"] for row in found["recordings"])
    assert len(list(artist.training_items.list())) == len(PIECES)
