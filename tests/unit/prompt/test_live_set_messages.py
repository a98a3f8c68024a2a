"""Live Sets as messages: sizes that fit, keys that can be trusted, zips and pictures."""

from __future__ import annotations

import asyncio

import pytest

from services.prompt.api import live_sets as module
from services.prompt.api.live_sets import LiveSetMethods
from services.prompt.domain.live_sets import key_of
from tests.material.live_set import live_set_bytes, small_plan
from tests.unit.prompt.house import House, run_here
from tests.unit.prompt.test_live_set_imports import FOLDER, zipped
from tonewright.prompt.v1 import prompt_pb2 as p


@pytest.fixture
def methods(nova: House) -> LiveSetMethods:
    made = LiveSetMethods()  # type: ignore[abstract]
    made._live_sets, made._run, made._reading = nova.live_sets, run_here, asyncio.Semaphore(1)
    return made


async def test_a_page_of_summaries_is_cut_until_it_fits(
    nova: House, methods: LiveSetMethods, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tempo in range(5):
        nova.add_live_set(live_set_bytes(small_plan(100 + tempo)))
    monkeypatch.setattr(module, "_PAGE_BYTES", 25_000)

    seen, token, pages = list[float](), "", 0
    while pages == 0 or token:
        asked = p.ListLiveSetsRequest(parent="artists/nova", view=p.LIVE_SET_VIEW_FULL, page_token=token)
        page = await methods.ListLiveSets(asked, None)
        assert len(page.live_sets) == 1 or page.ByteSize() <= 25_000
        seen += [live_set.tempo_bpm for live_set in page.live_sets]
        token, pages = page.next_page_token, pages + 1

    assert sorted(seen) == [100, 101, 102, 103, 104]
    assert pages > 1


async def test_key_and_length_stand_beside_the_summary(nova: House, methods: LiveSetMethods) -> None:
    name = nova.add_live_set(live_set_bytes(small_plan())).name

    found = await methods.GetLiveSet(p.GetLiveSetRequest(name=name, view=p.LIVE_SET_VIEW_BASIC), None)

    assert (found.key, found.key_evidence, found.duration_s) == ("A minor", "set", 16.0)
    assert not found.summary.fields


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (None, ("", "")),
        ({"root_name": "C", "scale": "Major", "trusted": False, "evidence": "set"}, ("", "")),
        ({"root_name": "C", "scale": "Major", "trusted": True, "evidence": "notes"}, ("C major", "notes")),
        ({"root_name": "D", "scale": "Dorian", "trusted": True}, ("D Dorian", "set")),
    ],
)
def test_only_a_key_that_can_be_trusted_is_shown(key: dict[str, object] | None, shown: tuple[str, str]) -> None:
    assert key_of({"key": key}) == shown


async def test_a_zip_is_answered_file_by_file(nova: House, methods: LiveSetMethods) -> None:
    asked = p.ImportLiveSetsRequest(parent="artists/nova", object_key=nova.upload(zipped(FOLDER)))

    answer = await methods.ImportLiveSets(asked, None)

    assert [(result.path, result.HasField("live_set"), result.reason) for result in answer.results] == [
        ("Night Project/Night.als", True, ""),
        ("Sketches/Two.als", True, ""),
        ("broken.als", False, "LIVE_SET_NOT_GZIP"),
    ]
    assert answer.ignored_count == 5
    assert not answer.results[0].live_set.summary.fields


async def test_a_picture_is_svg(nova: House, methods: LiveSetMethods) -> None:
    asked = p.GetLiveSetTimelineRequest(name=nova.add_live_set().name, width=640)

    drawn = await methods.GetLiveSetTimeline(asked, None)

    assert drawn.media_type == "image/svg+xml"
    assert drawn.content.startswith(b"<svg")
    assert b'width="640"' in drawn.content
