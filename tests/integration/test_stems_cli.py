"""`tonewright stems`: recordings in, folders of stems out."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from PIL import Image

from tests.house import House
from tests.integration.shell import run, run_here, start
from tonewright_client import ArtistHandle
from tonewright_client.waveforms import FOOT, HEAD, LEFT, RIGHT, ROW, WIDTH

RATE_HZ = 44_100
SOURCES = ["drums", "bass", "other", "vocals"]


def _recording(path: Path, *, seed: int, duration_s: float = 3.0) -> npt.NDArray[np.float64]:
    """A click train over a chord, 16 bits, so that every stem has something."""
    random = np.random.default_rng(seed)
    at = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    chord = sum(np.sin(2 * np.pi * pitch * at) for pitch in (55.0 + seed, 220.0, 330.0)) * 0.08
    clicks = random.uniform(-0.3, 0.3, at.size) * np.exp(-30 * (at % 0.5))
    frames = np.stack([chord + clicks, chord * 0.7 + clicks], axis=1)
    soundfile.write(path, frames, RATE_HZ, subtype="PCM_16")
    read: npt.NDArray[np.float64] = soundfile.read(path, dtype="float64")[0]
    return read


def _split(house: House, artist: ArtistHandle, *arguments: str) -> list[Any]:
    done = run_here(house, "--json", "stems", "split", *arguments, artist=artist.name)
    assert done.exit_code == 0, done.output
    found: list[Any] = json.loads(done.stdout)
    return found


def _frames(path: str) -> npt.NDArray[np.float64]:
    frames: npt.NDArray[np.float64] = soundfile.read(path, dtype="float64")[0]
    return frames


def _coloured_lines(picture: Image.Image, row: int) -> int:
    top, column = HEAD + row * ROW, (LEFT, WIDTH - RIGHT)
    pixels = np.asarray(picture.convert("RGB"))[top : top + ROW, column[0] : column[1]].astype(int)
    is_coloured = np.ptp(pixels, axis=2) > 40
    return int(is_coloured.any(axis=1).sum())


def _until(ask: Callable[[], Any], *, within_s: float = 30.0) -> Any:
    end = time.monotonic() + within_s
    while not (found := ask()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found


@pytest.mark.target("embedded")
def test_two_files_become_two_folders_with_pictures_and_a_second_run_is_free(
    house: House, artist: ArtistHandle, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.wav", tmp_path / "two.flac"
    sources = {"one": _recording(one, seed=1), "two": _recording(two, seed=2)}
    arguments = ["stems", "split", str(one), str(two), "--out", str(tmp_path / "out"), "--picture"]

    first = run(house, *arguments, artist=artist.name)
    again = run_here(house, *arguments, artist=artist.name)

    assert first.returncode == 0, first.stdout + first.stderr
    assert "stub (signal processing, no model)" in first.stdout
    assert "dsp-stub" in first.stdout
    assert "times as fast as it plays" in first.stdout
    assert "remembered" not in first.stdout
    assert again.stdout.count("remembered, no work was done") == 2
    for name, source in sources.items():
        files = {stem: tmp_path / "out" / name / f"{stem}.flac" for stem in SOURCES}
        stems = [_frames(str(path)) for path in files.values()]
        assert {stem.shape for stem in stems} == {source.shape}
        assert np.abs(sum(stems) - source).max() < 1e-6
        with Image.open(tmp_path / "out" / name / "stems.png") as picture:
            assert (picture.format, picture.size) == ("PNG", (WIDTH, HEAD + 4 * ROW + FOOT))
            lines = [_coloured_lines(picture, row) for row in range(4)]
        assert max(lines) >= ROW / 2
        assert min(lines) >= 2


@pytest.mark.target("embedded")
def test_stems_come_as_asked_for(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    source = _recording(tmp_path / "song.wav", seed=3)
    song, out = str(tmp_path / "song.wav"), str(tmp_path / "out")

    [wav] = _split(house, artist, song, "--out", out, "--format", "wav", "--residual", "--priority", "interactive")
    [mp3] = _split(house, artist, song, "--out", out, "--format", "mp3", "--only", "bass, drums", "--deterministic")
    asset = wav["asset"]
    [two] = _split(house, artist, asset, "--out", out, "--two-stems", "vocals", "--overlap", "0.1", "--seed", "7")

    assert list(wav["files"]) == [*SOURCES, "residual"]
    assert soundfile.info(wav["files"]["drums"]).subtype == "FLOAT"
    assert np.abs(sum(_frames(path) for path in wav["files"].values()) - source).max() < 1e-6
    assert wav["separation"]["priority"] == "INTERACTIVE"
    assert (wav["uploaded"], mp3["uploaded"]) == (True, False)
    assert list(mp3["files"]) == ["drums", "bass"]
    assert {_frames(path).shape for path in mp3["files"].values()} == {source.shape}
    assert two["files"] == {stem: f"{out}/song/{stem}.flac" for stem in ("vocals", "instruments")}
    assert two["separation"]["parameters"]["seed"] == 7


def test_a_damaged_file_is_named_and_the_others_are_split(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    _recording(tmp_path / "good.wav", seed=4, duration_s=1.0)
    (tmp_path / "bad.wav").write_bytes(b"no music at all")

    files = [str(tmp_path / "bad.wav"), str(tmp_path / "good.wav")]
    done = run_here(
        house, "stems", "split", *files, "--only", "bass", "--out", str(tmp_path / "out"), artist=artist.name
    )

    assert done.exit_code == 1
    assert "bad.wav: 4" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in (tmp_path / "out" / "good").iterdir()] == ["bass.flac"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "htdemucs_99"], "there is no model htdemucs_99; choose one of: dsp-stub"),
        (["--only", "drums,kazoo"], "model dsp-stub has no stem kazoo; choose from: drums, bass, other, vocals"),
    ],
)
@pytest.mark.target("embedded")
def test_what_no_model_gives_is_refused_before_anything_is_sent(
    house: House, artist: ArtistHandle, tmp_path: Path, arguments: list[str], message: str
) -> None:
    _recording(tmp_path / "song.wav", seed=5, duration_s=0.1)

    done = run_here(house, "stems", "split", str(tmp_path / "song.wav"), *arguments, artist=artist.name)

    assert done.exit_code == 1
    assert message in done.stderr
    assert list(artist.assets.list()) == []


@pytest.mark.target("embedded", "backends")
def test_an_interrupt_cancels_the_separations_and_says_so(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    names = [str(tmp_path / f"{number}.wav") for number in range(2)]
    for number, name in enumerate(names):
        _recording(Path(name), seed=10 + number, duration_s=0.5)

    with house.held_stems_worker():
        command = start(house, "stems", "split", *names, "--out", str(tmp_path / "out"), artist=artist.name)
        _until(lambda: len(list(artist.separations.list())) == 2)
        command.send_signal(signal.SIGINT)
        said = command.communicate(timeout=60)[1]
    states = _until(
        lambda: [one["state"] for one in artist.separations.list() if one["state"] not in ("QUEUED", "RUNNING")]
    )

    assert command.returncode == 130
    assert "asking the server to cancel 2 separations" in said
    assert said.count(": cancelled (artists/") == 2, said
    assert set(states) == {"CANCELLED"}


@pytest.mark.target("embedded")
def test_separations_are_listed_drawn_and_cancelled_by_name(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    _recording(tmp_path / "song.wav", seed=6, duration_s=0.5)
    [made] = _split(house, artist, str(tmp_path / "song.wav"), "--only", "bass", "--out", str(tmp_path))
    name, png = made["separation"]["name"], tmp_path / "song.png"

    drawn = run_here(house, "stems", "picture", name, str(png), artist=artist.name)
    listed = run_here(house, "--json", "stems", "list", "--state", "succeeded", artist=artist.name)
    cancelled = run_here(house, "stems", "cancel", name, artist=artist.name)

    assert drawn.exit_code == 0, drawn.output
    assert png.read_bytes().startswith(b"\x89PNG")
    assert [one["name"] for one in json.loads(listed.stdout)] == [name]
    assert "SUCCEEDED" in cancelled.stdout
