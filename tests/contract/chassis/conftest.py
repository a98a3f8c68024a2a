from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.db import Database
from chassis.objects import ObjectStore, open_store
from chassis.queue import Queue
from chassis.testing.data import MemoryStore
from tests.contract.chassis.world import Place, migrated_place


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A migrated database."""
    server = request.getfixturevalue("postgres") if request.param == "postgres" else None
    return migrated_place(request.param, tmp_path, server)


@pytest.fixture
def db(place: Place) -> Iterator[Database]:
    """The database as the service's role sees it."""
    database = place.open()
    yield database
    database.close()


@pytest.fixture(params=["memory", "disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An object store of each adapter."""
    if request.param == "memory":
        return MemoryStore()
    if request.param == "disk":
        return open_store(f"file://{tmp_path}/objects")
    url: str = request.getfixturevalue("s3_server").url
    return open_store(url.replace("/objects?", f"/{tmp_path.name}?"))


@pytest.fixture(params=["filesystem", "rabbitmq", "redis"])
def broker_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of each broker."""
    if request.param == "filesystem":
        return f"filesystem://{tmp_path}/queue"
    name = {"rabbitmq": "rabbitmq", "redis": "redis_server"}[request.param]
    url: str = request.getfixturevalue(name).url
    return url


@pytest.fixture
def queue(broker_url: str) -> Iterator[Queue]:
    """A queue on each broker."""
    opened = Queue(broker_url)
    yield opened
    opened.close()
