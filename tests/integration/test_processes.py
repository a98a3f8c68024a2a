"""Starting, ending and starting again: nothing left behind, nothing lost, no second start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from services.launcher.settings import PROCESSES, STANDIN
from tests.house import ROOT, House, is_running


@pytest.fixture(scope="module")
def own_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A platform that the tests of this module end and start again."""
    house = House(tmp_path_factory.mktemp("own-house"), {})
    house.start()
    yield house
    house.stop()


def test_every_process_runs_and_the_launcher_says_ready(own_house: House) -> None:
    assert set(own_house.processes()) == {spec.name for spec in (*PROCESSES, STANDIN)}
    assert _said(own_house, f"tonewright is ready at {own_house.url}")


def test_the_key_is_readable_by_its_owner_alone(own_house: House) -> None:
    assert oct((own_house.home / "keys" / "gateway.key").stat().st_mode & 0o777) == "0o600"


def test_a_second_start_from_the_same_folder_is_refused(own_house: House) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "services.launcher"],
        cwd=ROOT,
        env=own_house.environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert str(own_house.pid) in second.stderr


def test_a_fallen_process_is_started_again(own_house: House) -> None:
    first = own_house.processes()["prompt"]

    first.kill()
    own_house.wait_ready()

    deadline = time.monotonic() + 20
    while own_house.processes().get("prompt") in (None, first) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert own_house.processes()["prompt"].pid != first.pid


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_everything_within_ten_seconds_and_a_restart_finds_the_data(
    own_house: House, number: signal.Signals, piece: Path
) -> None:
    with own_house.client() as client:
        artist = client.create_artist(f"Kept over {number.name}")
        asset = artist.assets.upload(piece)
        session = artist.sessions.create("Kept", {"version": 1})
    tree = _tree(own_house.pid)
    start = time.monotonic()

    own_house.stop(number)

    assert time.monotonic() - start < 10
    assert not [pid for pid in tree if is_running(pid)]
    own_house.start()
    with own_house.client() as client:
        again = client.artist(artist.name)
        assert again.assets.get(asset["name"])["sha256"] == asset["sha256"]
        assert again.sessions.get(session["name"])["display_name"] == "Kept"


def test_children_end_when_the_launcher_is_killed(own_house: House) -> None:
    tree = _tree(own_house.pid)

    os.kill(own_house.pid, signal.SIGKILL)

    deadline = time.monotonic() + 10
    while any(is_running(pid) for pid in tree) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in tree if is_running(pid)]
    own_house.stop()
    own_house.start()


def _tree(pid: int) -> list[int]:
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


def _said(house: House, line: str) -> bool:
    deadline = time.monotonic() + 5
    while line not in house.log() and time.monotonic() < deadline:
        time.sleep(0.05)
    return line in house.log()
