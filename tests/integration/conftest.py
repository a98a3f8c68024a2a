"""The running platform, once per target: `embedded` needs no server, `backends` runs on real ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import TARGETS
from tests.house import House
from tonewright_client import ArtistHandle, Tonewright


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that asks for `house` on every chosen target."""
    if "house" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--target").split(",")
        marked = metafunc.definition.get_closest_marker("target")
        targets = [target for target in TARGETS if target in chosen and (not marked or target in marked.args)]
        metafunc.parametrize("house", targets, indirect=True, scope="session")


@pytest.fixture(scope="session")
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The platform on one target, shared by all tests of that target."""
    home = tmp_path_factory.mktemp(f"house-{request.param}")
    environment = {} if request.param == "embedded" else request.getfixturevalue("real_backends")
    running = House(home, environment)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def client(house: House) -> Iterator[Tonewright]:
    """The SDK with ada's key."""
    with house.client("ada") as connected:
        yield connected


@pytest.fixture
def artist(client: Tonewright) -> ArtistHandle:
    """A new artist of ada's."""
    return client.create_artist("Ada's act")


@pytest.fixture(scope="session")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short piece of music as WAV."""
    from tonewright_client.demo_material import write_piece

    return write_piece(tmp_path_factory.mktemp("material") / "piece.wav", bars=2)
