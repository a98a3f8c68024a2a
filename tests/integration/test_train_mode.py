"""From Live Sets and recordings to a trained model, and back from its music to every caption behind it."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House
from tests.integration.shell import run_here
from tests.integration.train_house import BOMB, STEERING, SUFFIX, Journey, travel, write_folder
from tests.material.cutting_proxy import CuttingProxy
from tonewright_client import Tonewright
from tonewright_client.audio import file_sha256
from tonewright_client.demo_dataset import PIECES

pytestmark = pytest.mark.target("embedded")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The musician's folder."""
    return write_folder(tmp_path_factory.mktemp("music") / "nights")


@pytest.fixture(scope="module")
def journey(house: House, folder: Path) -> Iterator[Journey]:
    """The way once walked."""
    with house.client("ada") as client:
        yield travel(client.create_artist("Ada's nights"), folder)


def test_a_hostile_live_set_is_refused_and_the_others_are_read(journey: Journey) -> None:
    assert journey.refused == {BOMB: "LIVE_SET_DOCTYPE_REFUSED"}
    assert len(journey.live_sets) == len(PIECES) + 1


def test_a_live_set_that_gives_orders_is_not_obeyed(journey: Journey) -> None:
    captions = {member["display_name"]: member["caption"] for member in journey.lineage["members"]}

    assert "HACKED" not in captions[STEERING].upper()
    assert captions[STEERING].endswith("BPM: 118")


def test_a_clip_knows_every_caption_recording_and_live_set_behind_it(journey: Journey, folder: Path) -> None:
    lineage = journey.lineage

    assert lineage["generation"] is not None
    assert lineage["training"] is not None
    assert lineage["export"] is not None
    assert lineage["snapshot"] is not None
    assert lineage["generation"]["name"] == journey.generation["name"]
    assert lineage["training"]["version"] == journey.training["version"] != ""
    assert lineage["export"]["content_etag"] == journey.export["content_etag"]
    assert lineage["training"]["snapshot_sha256"] == lineage["snapshot"]["content_sha256"]
    assert [member["training_item"] for member in lineage["members"]] == list(journey.items.values())
    for title, member in zip(journey.items, lineage["members"], strict=True):
        assert (member["asset"], member["live_set"]) == (journey.assets[title], journey.live_sets[title])
        assert member["live_set_sha256"] == file_sha256(folder / f"{title}.als")
        assert member["audio"] is not None
        assert member["audio"]["sha256"] == file_sha256(folder / f"{title}.wav")
        assert member["provenance"]
        assert member["licence"] == "CC-BY-4.0"
        assert member["consent"] is not None
        assert member["consent"]["given_by"] == "Ada"


def test_an_edit_is_a_revision_that_the_lineage_names(journey: Journey) -> None:
    edited, *others = journey.lineage["members"]

    assert (edited["caption_revision"], edited["caption_source"]) == (2, "EDITED")
    assert SUFFIX.rstrip(".") in edited["caption"]
    assert edited["caption"].endswith("BPM: 96")
    assert {(one["caption_revision"], one["caption_source"]) for one in others} == {(1, "GENERATED")}


def test_the_archive_holds_the_captions_and_the_very_recordings(journey: Journey, folder: Path, tmp_path: Path) -> None:
    path = journey.artist.exports.download(journey.export["name"], tmp_path / "nights.zip")

    with zipfile.ZipFile(path) as archive:
        texts = [archive.read(name).decode() for name in archive.namelist() if name.endswith(".txt")]
        first = archive.read("track-0001.wav")
    assert texts == [member["caption"] for member in journey.lineage["members"]]
    assert first == (folder / "night drive.wav").read_bytes()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_download_cut_at_a_random_byte_goes_on_there(
    house: House, journey: Journey, tmp_path: Path, seed: int
) -> None:
    size = journey.export["size_bytes"]
    cut = random.Random(seed).randrange(size // 4, size // 2)
    whole = journey.artist.exports.download(journey.export["name"], tmp_path / "whole.zip").read_bytes()

    proxy = CuttingProxy(house.gateway_address(), after_bytes=cut)
    with proxy.running(), Tonewright(proxy.url, house.keys["ada"]) as client:
        exports = client.artist(journey.artist.name).exports
        path = exports.download(journey.export["name"], tmp_path / "cut.zip")

    assert proxy.cuts >= 1
    assert path.read_bytes() == whole


def test_which_trainings_used_a_track_is_answered_from_each_of_its_parts(journey: Journey) -> None:
    trainings, title = journey.artist.trainings, "cold harbour"
    wanted = [journey.training["name"]]

    assert [one["name"] for one in trainings.list(asset=journey.assets[title])] == wanted
    assert [one["name"] for one in trainings.list(training_item=journey.items[title])] == wanted
    assert [one["name"] for one in trainings.list(live_set=journey.live_sets[title])] == wanted
    assert list(trainings.list(asset=journey.generation["asset"])) == []


def test_the_clip_is_an_asset_that_plays(journey: Journey, tmp_path: Path) -> None:
    asset = journey.artist.assets.get(journey.generation["asset"])

    path = journey.artist.assets.download(asset["name"], tmp_path / "clip.wav")

    assert asset["duration_s"] == pytest.approx(4.0, abs=0.1)
    assert file_sha256(path) == asset["sha256"]


def test_an_archive_of_ours_is_foreign_to_nobody(house: House, journey: Journey, tmp_path: Path) -> None:
    path = journey.artist.exports.download(journey.export["name"], tmp_path / "ours.zip")

    said = run_here(house, "--json", "emulate", str(path), artist=journey.artist.name)
    known = journey.artist.trainings.emulate(export=journey.export["name"])

    found = json.loads(said.stdout)
    assert said.exit_code == 0, said.output
    assert [item["path"] for item in found["items"]] == [item["path"] for item in known["items"]]
    for theirs, ours in zip(found["items"], known["items"], strict=True):
        assert (theirs["chunk_count"], theirs["caption"]) == (ours["chunk_count"], ours["caption"])
        assert theirs["padded_s"] == pytest.approx(ours["padded_s"], abs=0.01)
