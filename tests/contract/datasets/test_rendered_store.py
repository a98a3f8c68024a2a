"""What is known of audio made anew, on both databases, and two workers that make the same."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chassis.context import acting_as, in_request
from chassis.db import Database, migrate
from chassis.testing import caller_for
from services.datasets.domain.rendering import Rendered, RenderedPiece
from tests.material import audio
from tests.material.rendering import ARTIST, Studio, recipe

KEY = "a" * 64


@pytest.fixture(params=["sqlite", "postgres"])
def studio(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Studio]:
    url = owner_url = f"sqlite:///{tmp_path}/datasets.db"
    if request.param == "postgres":
        place = request.getfixturevalue("postgres").create_database()
        url, owner_url = place.app_url, place.owner_url
    migrate(owner_url, "services.datasets:migrations", "datasets", app_url=url)
    database = Database(url, "datasets")
    database.check_role()
    with in_request(), acting_as(caller_for(ARTIST)):
        yield Studio(database, tmp_path)
    database.close()


def rendered(count: int = 2, *, sha256: str = "0" * 64) -> Rendered:
    pieces = [
        RenderedPiece(f"artists/nova/datasets/audio/{KEY}/{at}.wav", 5 << 30, 2**32 - 1, sha256, at * 30, 30)
        for at in range(count)
    ]
    facts = {"gain_db": -1.5, "loudness_lufs": None, "is_limited": False}
    return Rendered(KEY, "audio/wav", 44_100, 2, tuple(pieces), facts)


def test_what_was_made_is_found_whole_by_its_artist_alone(studio: Studio) -> None:
    made = studio.rendered.add(ARTIST, rendered())

    assert studio.rendered.find(ARTIST, KEY) == made == rendered()
    assert studio.rendered.find(ARTIST, "b" * 64) is None
    with acting_as(caller_for("vega")):
        assert studio.rendered.find("vega", KEY) is None


def test_the_first_of_two_that_made_the_same_is_kept(studio: Studio) -> None:
    first = studio.rendered.add(ARTIST, rendered())

    assert studio.rendered.add(ARTIST, rendered(sha256="1" * 64)) == first


def test_what_is_forgotten_can_be_made_again(studio: Studio) -> None:
    studio.rendered.add(ARTIST, rendered())

    studio.rendered.forget(ARTIST, KEY)

    assert studio.rendered.find(ARTIST, KEY) is None
    assert studio.rendered.add(ARTIST, rendered(3)) == rendered(3)


def test_two_workers_that_make_the_same_at_once_do_no_harm(studio: Studio) -> None:
    kept, wanted = studio.shelf.keep(audio.mix(6.0)), recipe(loudness_lufs=-16.0)

    with ThreadPoolExecutor(4) as pool:
        works = [pool.submit(copy_context().run, studio.prepare, kept, wanted) for _ in range(4)]
        found = [work.result() for work in works]

    assert all(pieces == found[0] for pieces in found)
    assert studio.made() == [found[0][0].object_key]
    assert studio.bytes(found[0][0])


def test_another_recipe_is_another_object(studio: Studio) -> None:
    kept = studio.shelf.keep(audio.mix(1.0))
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"rate_hz": 32_000},
        {"channels": 1},
        {"loudness_lufs": -30.0},
        {"remove_vocals": True},
    )

    made = [studio.prepare(kept, replace(recipe(), **change))[0] for change in changes]

    assert len({piece.object_key for piece in made}) == len({piece.sha256 for piece in made}) == len(changes)
