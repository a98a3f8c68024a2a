"""Archives that are kept as one object, on both stores, down to the link that leads to them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import soundfile

from tests.house import House
from tests.material.audio import piece
from tonewright_client import ArtistHandle

CAPTION = "Warm pads over a steady beat, calm and wide, for a night drive. BPM: 120"


@pytest.fixture(scope="module")
def artist(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArtistHandle]:
    """An artist with two items."""
    with house.client("ada") as client:
        made = client.create_artist("Archivist of wholes")
        for take in (1, 2):
            # Long enough that an S3 server copies most of it by itself.
            song = tmp_path_factory.mktemp("songs") / "song.wav"
            soundfile.write(song, piece(65.0 * take, rate_hz=44_100, seed=take).mix, 44_100, subtype="PCM_16")
            asset = made.assets.upload(song)
            made.training_items.create(asset=asset["name"], caption=CAPTION.replace("calm", f"calm number {take}"))
        yield made


def test_a_stored_archive_has_the_bytes_of_a_streamed_one(artist: ArtistHandle, house: House, tmp_path: Path) -> None:
    streamed = artist.operations.wait(artist.exports.start(display_name="Set"))
    stored = artist.operations.wait(artist.exports.start(display_name="Set", options={"stored": True}))

    first = artist.exports.download(str(streamed["name"]), tmp_path / "first.zip")
    second = artist.exports.download(str(stored["name"]), tmp_path / "second.zip")

    assert stored["content_etag"] == streamed["content_etag"]
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(second) as found:
        assert found.testzip() is None
        assert found.namelist() == ["track-0001.wav", "track-0001.txt", "track-0002.wav", "track-0002.txt"]


def test_its_link_ends_in_zip_and_needs_no_key(artist: ArtistHandle, house: House) -> None:
    stored = artist.operations.wait(artist.exports.start(options={"stored": True}))

    link = artist.exports.link(str(stored["name"]))
    with house.http(None) as stranger:
        answer = stranger.get(link, follow_redirects=True)

    assert urlsplit(link).path.endswith(".zip")
    assert answer.status_code == 200
    assert len(zipfile.ZipFile(io.BytesIO(answer.content)).namelist()) == 4
