"""Audio made ready for a trainer by the running platform: normalised, cut, without vocals, and what is heard in it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import soundfile as sf

from audiofiles.loudness import LoudnessMeter
from tests.house import House
from tests.material import audio
from tests.material.loops import RATE_HZ, loop
from tonewright_client import ArtistHandle
from tonewright_client.exports import ExportChoices
from tonewright_client.models import Asset, Export

pytestmark = pytest.mark.target("embedded")

CAPTION = (
    "Dusty drum machine under warm electric piano, slow and deep, with a tape-worn bass that leaves wide gaps between "
    "the notes and never hurries. BPM: 120"
)


@dataclass(frozen=True)
class Shelf:
    artist: ArtistHandle
    folder: Path
    item: str

    def upload(self, name: str, data: bytes) -> Asset:
        path = self.folder / name
        path.write_bytes(data)
        return self.artist.assets.upload(path)

    def export(self, options: ExportChoices) -> tuple[Export, dict[str, bytes]]:
        """The archive with the options, and its files."""
        started = self.artist.exports.start(selection={"training_items": [self.item]}, options=options)
        made = cast(Export, self.artist.operations.wait(started))
        path = self.artist.exports.download(made["name"], self.folder / made["file_name"])
        with zipfile.ZipFile(path) as zipped:
            return made, {name: zipped.read(name) for name in zipped.namelist()}


@pytest.fixture(scope="module")
def shelf(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """An artist with one item of 36 s, in mono at 48 kHz."""
    folder = tmp_path_factory.mktemp("ready")
    with house.client("ada") as client:
        artist = client.create_artist("Ada's shelf")
        (folder / "take.flac").write_bytes(audio.encode(audio.mix(36.0, channels=1), format="flac"))
        asset = artist.assets.upload(folder / "take.flac")
        item = artist.training_items.create(display_name="take", asset=asset["name"], caption=CAPTION)
        yield Shelf(artist, folder, item["name"])


def test_what_is_heard_in_an_upload_comes_with_it(shelf: Shelf) -> None:
    asset = shelf.upload("loop.wav", audio.encode(loop("rock", 93.0), rate_hz=RATE_HZ))

    heard = shelf.artist.assets.get(asset["name"])["analysis"]

    assert heard is not None
    assert heard["tempo_bpm"] == pytest.approx(93.0, rel=0.02)
    assert heard["tempo_confidence"] >= 0.5


def test_a_normalised_archive_has_the_rate_channels_loudness_and_pieces_asked_for(shelf: Shelf) -> None:
    options: ExportChoices = {"audio_mode": "NORMALISED", "cut": True, "loudness_lufs": -20.0}

    _made, files = shelf.export(options)
    again = shelf.export(options)[1]
    sounds = {name: sf.read(io.BytesIO(data), always_2d=True) for name, data in files.items() if name.endswith(".wav")}

    assert files == again
    assert [(frames.shape, rate) for frames, rate in sounds.values()] == [
        ((30 * 44_100, 2), 44_100),
        ((6 * 44_100, 2), 44_100),
    ]
    assert _loudness(np.concatenate([frames for frames, _rate in sounds.values()])) == pytest.approx(-20.0, abs=0.2)


def test_vocals_are_removed_by_the_platform_itself(shelf: Shelf) -> None:
    made, files = shelf.export({"audio_mode": "NORMALISED", "remove_vocals": True})
    plain = shelf.export({"audio_mode": "NORMALISED"})[1]
    (listed,) = (file for file in shelf.artist.exports.files(made["name"]) if file["path"].endswith(".wav"))
    (name,) = (name for name in files if name.endswith(".wav"))

    separations = list(shelf.artist.separations.list())
    sizes = {len(files[name]), len(plain[name])}
    shelf.artist.exports.delete(made["name"])

    assert "vocals removed by" in listed["conversion"]
    assert [separation["stem_set"] for separation in separations] == ["TWO_STEMS"]
    assert len(sizes) == 1
    assert files[name] != plain[name]


def _loudness(frames: np.ndarray) -> float | None:
    meter = LoudnessMeter(44_100, frames.shape[1])
    meter.feed(frames.astype(np.float32))
    return meter.integrated_lufs()
