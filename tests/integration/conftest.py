"""The running platform, once per target: `embedded` needs no server, `backends` runs on real ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.context import acting_as, in_request
from tests.house import House
from tests.integration.stems_house import ADA
from tests.material.fake_issuer import AUDIENCE, FakeIssuer
from tests.material.fake_openai import FakeOpenAI
from tests.targets import CLUSTER_TARGETS, LOCAL_TARGETS, chosen
from tonewright_client import ArtistHandle, Tonewright

NOWHERE = "nowhere"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that asks for `house` on every chosen target; a mark for the cluster is one for kind as well."""
    if "house" in metafunc.fixturenames:
        marked = metafunc.definition.get_closest_marker("target")
        wanted = set(marked.args) if marked else {*LOCAL_TARGETS, *CLUSTER_TARGETS}
        wanted |= set(CLUSTER_TARGETS) if "cluster" in wanted else set()
        targets = [target for target in chosen(metafunc.config) if target in wanted]
        metafunc.parametrize("house", targets or [NOWHERE], indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that make no sense on the chosen targets; they are not skipped, they do not apply."""
    left = [item for item in items if getattr(item, "callspec", None) and _target_of(item) == NOWHERE]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


def _target_of(item: pytest.Item) -> object:
    assert isinstance(item, pytest.Function)
    return item.callspec.params.get("house")


@pytest.fixture(scope="session")
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The platform on one target, shared by all tests of that target."""
    if request.param in CLUSTER_TARGETS:
        yield request.getfixturevalue("cluster")
        return
    home = tmp_path_factory.mktemp(f"house-{request.param}")
    environment = {} if request.param == "embedded" else request.getfixturevalue("outside")
    running = House(home, environment)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def outside(real_backends: dict[str, str], openai: FakeOpenAI, issuer: FakeIssuer) -> dict[str, str]:
    """The variables of a platform on real servers, with a model provider and an identity issuer on loopback."""
    return {
        **real_backends,
        "TONEWRIGHT_PROMPT_OPENAI_BASE_URL": openai.url,
        "TONEWRIGHT_PROMPT_OPENAI_API_KEY": "sk-tests",
        "TONEWRIGHT_GATEWAY_OIDC_ISSUER": issuer.url,
        "TONEWRIGHT_GATEWAY_OIDC_AUDIENCE": AUDIENCE,
    }


@pytest.fixture(scope="session")
def openai() -> Iterator[FakeOpenAI]:
    """A model provider that speaks OpenAI's protocol."""
    server = FakeOpenAI()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def issuer() -> Iterator[FakeIssuer]:
    """An OpenID Connect issuer."""
    server = FakeIssuer()
    yield server
    server.stop()


@pytest.fixture
def as_ada() -> Iterator[None]:
    """The test calls services itself, as the gateway does for ada."""
    with acting_as(ADA), in_request():
        yield


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
    """A short piece of music as WAV, long enough for a trainer."""
    from tonewright_client.demo_material import write_piece

    return write_piece(tmp_path_factory.mktemp("material") / "piece.wav", bars=3)
