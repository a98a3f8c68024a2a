"""Equal separations are computed once, whoever asks; a separation is heard before its end."""

from __future__ import annotations

import asyncio
import re
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from tests.house import House
from tests.material.cutting_proxy import CuttingProxy
from tonewright_client import ArtistHandle, Tonewright
from tonewright_client.models import Separation
from tonewright_client.performance import connect
from tonewright_client.socket_messages import StemsReady

RATE_HZ = 44_100
VOCALS: Any = {"stem_set": "TWO_STEMS", "target_stem": "vocals"}
BASS: Any = {"stem_set": "SUBSET", "wanted_stems": ["bass"]}
pytestmark = pytest.mark.target("embedded", "backends")


def _noise(path: Path, duration_s: float, seed: int) -> Path:
    frames = np.random.default_rng(seed).uniform(-0.2, 0.2, (int(duration_s * RATE_HZ), 2))
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes((frames * 32767).astype("<i2").tobytes())
    return path


def _runs(house: House) -> float:
    """How many runs have made stems, as the worker counts them."""
    port = house.ports["TONEWRIGHT_STEMS_WORKER_OPS_PORT"]
    text = httpx2.get(f"http://127.0.0.1:{port}/metrics", timeout=10, trust_env=False).text
    counts = re.findall(r"^tonewright_stems_separation_run_seconds_count\{.*\} (\S+)$", text, re.MULTILINE)
    return sum(map(float, counts))


async def _perform(artist: ArtistHandle, asset: str) -> str:
    """A performance of the asset, until its stems are ready; gives the separation that it has."""
    created = await asyncio.to_thread(lambda: artist.performances.create(asset=asset))
    ticket = await asyncio.to_thread(artist.performances.connect, created["name"])
    async with await connect(ticket["socket_url"]) as performance:
        await performance.start()
        await performance.wait_for(StemsReady)
        await performance.stop()
    return created["name"]


async def _all_at_once(house: House, artist: ArtistHandle, asset: str) -> Mapping[str, Any]:
    """Two performances, and a dataset of another person's, all queued before the worker looks."""
    with house.client("bob") as bob, house.held_stems_worker() as let_go:
        theirs = bob.artist(artist.name)
        async with asyncio.TaskGroup() as tasks:
            performing = [tasks.create_task(_perform(artist, asset)) for _number in range(2)]
            labels = {"purpose": "dataset"}
            operation = await asyncio.to_thread(lambda: theirs.separations.start(asset, labels=labels, **VOCALS))
            async with asyncio.timeout(30):
                while len(list(artist.separations.list())) < 3:
                    await asyncio.sleep(0.05)
            let_go()
            made = await asyncio.to_thread(theirs.operations.wait, operation)
        assert all(task.done() for task in performing)
    return made


def test_two_performances_and_a_dataset_share_one_computation(
    house: House, artist: ArtistHandle, tmp_path: Path
) -> None:
    artist.add_member("bob", "EDITOR")
    asset = artist.assets.upload(_noise(tmp_path / "song.wav", 2.0, seed=1))["name"]
    before = _runs(house)

    asyncio.run(_all_at_once(house, artist, asset))
    later = artist.separations.start(asset, priority="BATCH", publish_chunks=True, **VOCALS)
    asyncio.run(_perform(artist, asset))
    rows = list(artist.separations.list(asset=asset))

    worked = [row for row in rows if not row["shared_with"]]
    assert [row["state"] for row in rows] == ["SUCCEEDED"] * 5
    assert len(worked) == 1
    assert {row["shared_with"] for row in rows if row["shared_with"]} == {worked[0]["name"]}
    assert {tuple(stem["asset"] for stem in row["stems"]) for row in rows} == {
        tuple(stem["asset"] for stem in worked[0]["stems"])
    }
    assert later["done"]
    assert _runs(house) - before == 1


@pytest.mark.target("embedded")
def test_another_artist_does_its_own_work(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    song = _noise(tmp_path / "song.wav", 0.5, seed=2)
    before = _runs(house)

    with house.client("bob") as bob:
        for one in (artist, bob.create_artist("Bob's")):
            one.operations.wait(
                one.separations.start(one.assets.upload(song)["name"], stem_set="SUBSET", wanted_stems=["bass"])
            )

    assert _runs(house) - before == 2


def test_chunks_are_heard_while_the_rest_is_separated_and_make_up_the_stems(
    house: House, artist: ArtistHandle, tmp_path: Path
) -> None:
    asset = artist.assets.upload(_noise(tmp_path / "long.wav", 20.0, seed=3))
    separations = artist.separations
    order: Any = {
        "publish_chunks": True,
        "priority": "INTERACTIVE",
        "stem_set": "SUBSET",
        "wanted_stems": ["bass", "drums"],
    }
    name = separations.start(asset["name"], **order)["metadata"]["target"]

    heard: dict[str, list[npt.NDArray[np.int32]]] = {}
    places, states, last = [], [], None
    for event in separations.follow(name, chunks=True):
        last = event.separation
        if event.chunk:
            files = separations.download_chunk(event.chunk, tmp_path / "chunks")
            places.append((event.chunk["offset_frames"], event.chunk["frame_count"]))
            states.append(separations.get(name)["state"] if len(places) == 1 else last["state"])
            for stem, path in files.items():
                heard.setdefault(stem, []).append(soundfile.read(path, dtype="int32", always_2d=True)[0])
    assert last is not None
    finished: Separation = last
    files = separations.download(finished, tmp_path / "stems")

    assert finished["state"] == "SUCCEEDED", finished
    assert finished["output_gain_db"] == 0
    assert states[0] == "RUNNING"
    assert set(states) == {"RUNNING"}
    assert [start for start, _count in places] == [sum(count for _at, count in places[:n]) for n in range(len(places))]
    assert sum(count for _start, count in places) == asset["frames"]
    for stem, path in files.items():
        whole = soundfile.read(path, dtype="int32", always_2d=True)[0]
        assert np.array_equal(np.concatenate(heard[stem]), whole), stem
    rest = [event.chunk for event in separations.follow(name, chunks=True, first_chunk=2) if event.chunk]
    assert [chunk["index"] for chunk in rest] == list(range(2, len(places)))


@pytest.mark.target("embedded")
def test_a_line_that_breaks_all_the_time_loses_and_repeats_no_chunk(
    house: House, artist: ArtistHandle, tmp_path: Path
) -> None:
    asset = artist.assets.upload(_noise(tmp_path / "song.wav", 20.0, seed=4))
    name = artist.separations.start(asset["name"], publish_chunks=True, **BASS)["metadata"]["target"]

    proxy = CuttingProxy(house.gateway_address(), after_bytes=6_000)
    with proxy.running(), Tonewright(proxy.url, house.keys["ada"]) as badly_connected:
        separations = badly_connected.artist(artist.name).separations
        events = list(separations.follow(name, chunks=True))

    assert [event.chunk["index"] for event in events if event.chunk] == list(range(5))
    assert events[-1].separation["state"] == "SUCCEEDED"
    assert proxy.cuts >= 1
