"""Session fixtures of real servers: missing ones fail in CI and are one named skip elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tools.backends import Backend, BackendMissing, Postgres, start_postgres, start_rabbitmq, start_redis, start_s3


def _served(name: str, start: Callable[[], Backend]) -> Iterator[Backend]:
    try:
        server = start()
    except BackendMissing as error:
        if os.environ.get("CI"):
            pytest.fail(f"backend {name} is missing: {error}", pytrace=False)
        pytest.skip(f"backend {name} is missing: {error}")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    yield from _served("postgres", start_postgres)  # type: ignore[misc]


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[Backend]:
    """A RabbitMQ server."""
    yield from _served("rabbitmq", start_rabbitmq)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Backend]:
    """A Redis server."""
    yield from _served("redis", start_redis)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Backend]:
    """An S3 server; its credentials are in the environment while it runs."""
    for server in _served("s3", start_s3):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in server.env.items():
                patch.setenv(name, value)
            yield server


@pytest.fixture(scope="session")
def real_backends(postgres: Postgres, rabbitmq: Backend, s3_server: Backend) -> dict[str, str]:
    """The variables of a platform on real servers, with a database of its own."""
    database = postgres.create_database()
    return {
        "TONEWRIGHT_DATABASE_URL": database.app_url,
        "TONEWRIGHT_MIGRATION_DATABASE_URL": database.owner_url,
        "TONEWRIGHT_BROKER_URL": rabbitmq.url,
        "TONEWRIGHT_OBJECTS_URL": s3_server.url,
        **s3_server.env,
    }
