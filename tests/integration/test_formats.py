"""Exports in every format through the running platform: packed, fetched, unpacked, and read by the trainer's rules."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
import soundfile as sf

from tests.house import House
from tests.material import audio
from tests.material import dataset_readers as readers
from tests.material.trainer import Inputs, TrainedFile, prepare_and_start
from tonewright_client import ArtistHandle
from tonewright_client.models import EmulateTrainingResponse, Export, ExportFormat, Snapshot

pytestmark = pytest.mark.target("embedded")

CAPTIONS = {
    "wav": "Dusty drum machine under warm electric piano, slow and deep, with a tape-worn bass that leaves wide gaps "
    "between the notes and never hurries. BPM: 95",
    "mp3": "Driving acid synthesizer over a straight kick, dark and hypnotic, filters opening step by step until the "
    "hats carry the groove alone. BPM: 127.5",
    "flac": "Bright acoustic guitar with strings, hopeful and calm, room sound around every pluck and a soft shaker "
    "far behind it in the mix. BPM: 72",
}
TEMPI = [95.0, 127.5, 72.0]
LENGTHS_S = {"wav": 66.5, "mp3": 40.0, "flac": 32.0}


@dataclass(frozen=True)
class Dataset:
    artist: ArtistHandle
    snapshot: Snapshot
    folder: Path


@pytest.fixture(scope="module")
def dataset(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    """A snapshot of three recordings of three kinds."""
    folder = tmp_path_factory.mktemp("formats")
    with house.client("ada") as client:
        artist = client.create_artist("Ada's formats")
        items = [_item(artist, folder, kind) for kind in CAPTIONS]
        yield Dataset(artist, artist.snapshots.create(selection={"training_items": items}), folder)


def _item(artist: ArtistHandle, folder: Path, kind: str) -> str:
    path = folder / f"take.{kind}"
    pitch = 110.0 * (1 + len(kind) + ord(kind[0]) % 7)
    tone = audio.tone(pitch, LENGTHS_S[kind], rate_hz=32_000, channels=1)
    path.write_bytes(audio.encode(tone, rate_hz=32_000, format=kind))
    asset = artist.assets.upload(path)
    return artist.training_items.create(
        display_name=f"take {kind}", asset=asset["name"], caption=CAPTIONS[kind], key="B minor", time_signature="4/4"
    )["name"]


def archive(dataset: Dataset, word: ExportFormat) -> Path:
    started = dataset.artist.exports.start(snapshot=dataset.snapshot["name"], format=word, display_name="night set")
    made = cast(Export, dataset.artist.operations.wait(started))
    return dataset.artist.exports.download(made["name"], dataset.folder / f"{word}-{made['file_name']}")


def unpacked(dataset: Dataset, word: ExportFormat) -> Path:
    folder = dataset.folder / word
    with zipfile.ZipFile(archive(dataset, word)) as zipped:
        assert zipped.testzip() is None
        zipped.extractall(folder)
    return folder


def test_the_trainer_finds_in_an_archive_what_the_emulation_says(dataset: Dataset, tmp_path: Path) -> None:
    started = dataset.artist.exports.start(snapshot=dataset.snapshot["name"], display_name="night set")
    export = cast(Export, dataset.artist.operations.wait(started))
    path = dataset.artist.exports.download(export["name"], tmp_path / export["file_name"])

    done = prepare_and_start(path, tmp_path / "work", Inputs(auto_labeling=False, drop_vocals=False))
    by_export = dataset.artist.trainings.emulate(export=export["name"])
    by_snapshot = dataset.artist.trainings.emulate(snapshot=dataset.snapshot["name"])
    by_selection = dataset.artist.trainings.emulate()

    assert foretold(by_export) == sorted(done, key=lambda file: file.path)
    assert foretold(by_export) == foretold(by_snapshot) == foretold(by_selection)
    assert by_export["chunk_count"] == len(done) == 6
    assert (by_export["step_count"], by_export["sample_count"]) == (300, 2400)


def foretold(told: EmulateTrainingResponse) -> list[TrainedFile]:
    found = [
        TrainedFile(
            piece["name"],
            round(piece["duration_s"] * 1000),
            item["prepared_rate_hz"],
            item["prepared_channels"],
            item["caption"],
        )
        for item in told["items"]
        for piece in item["pieces"]
    ]
    return sorted(found, key=lambda file: file.path)


def test_every_reader_gets_every_caption_and_tempo(dataset: Dataset) -> None:
    captions = list(CAPTIONS.values())

    craft = readers.audiocraft(unpacked(dataset, "AUDIOCRAFT"))["train"]
    table = readers.audiofolder(unpacked(dataset, "HF_AUDIOFOLDER"))["train"]
    tags = readers.acestep_v1(unpacked(dataset, "ACESTEP_V1"))
    samples = readers.acestep_15(unpacked(dataset, "ACESTEP_15"))
    prompts = readers.stable_audio(unpacked(dataset, "STABLE_AUDIO"))
    pairs = [readers.pairs(unpacked(dataset, "PAIRED_TEXT")), readers.pairs(unpacked(dataset, "MUSICGEN_TRAINER"))]
    shard = readers.webdataset(archive(dataset, "WEBDATASET").read_bytes())

    for heard in (craft, table, prompts, *pairs):
        assert [one.caption for one in heard] == captions
    for heard in (craft, table, prompts, tags):
        assert [one.bpm for one in heard] == TEMPI
    assert [(one.bpm, one.key, one.extra["timesignature"]) for one in samples] == [
        (95, "B minor", "4"), (128, "B minor", "4"), (72, "B minor", "4")
    ]  # fmt: skip
    assert [(told["prompt"], told["bpm"]) for _, told in shard] == list(zip(captions, TEMPI, strict=True))
    for heard in (craft, table, tags, samples, prompts, *pairs):
        assert [round(sf.info(one.audio).duration) for one in heard] == [66, 40, 32]


def test_dreambooth_gets_pieces_of_30_s_at_most(dataset: Dataset) -> None:
    found = readers.audiofolder(unpacked(dataset, "MUSICGEN_DREAMBOOTH"))["train"]

    assert [round(sf.info(one.audio).duration, 1) for one in found] == [30.0, 30.0, 6.5, 30.0, 10.0, 30.0]
    assert {one.caption for one in found} == set(CAPTIONS.values())
