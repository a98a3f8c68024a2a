"""The picture of a Live Set's arrangement."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from chassis.errors import FieldInvalid
from services.prompt.domain.time_axis import TimeAxis
from services.prompt.domain.timeline import color_of, draw_timeline
from tests.material.live_set import ClipPlan, LiveSetPlan, TrackPlan, full_plan, live_set_bytes
from tests.unit.prompt.house import House

NASTY = "\"><script>alert(1)</script><image href='http://x'/>&xxe; ]]> %00"


def _drawn(house: House, plan: LiveSetPlan, width: int = 1200) -> ElementTree.Element:
    live_set = house.add_live_set(live_set_bytes(plan))
    return ElementTree.fromstring(house.live_sets.timeline("nova", live_set.uid, width))


def _texts(picture: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in picture.iter("{http://www.w3.org/2000/svg}text")]


def test_tracks_clips_locators_and_both_axes_are_drawn(nova: House) -> None:
    texts = _texts(_drawn(nova, full_plan()))

    for expected in ("Rhythmus", "beat", "tune", "Intro", "Drop", "Größe 東京 (muted)", "Ice (frozen)", "0:12", "8"):
        assert expected in texts
    assert "100 to 140 BPM" in texts


def test_names_cannot_become_markup(nova: House) -> None:
    plan = LiveSetPlan(
        tracks=[TrackPlan(NASTY, clips=[ClipPlan(NASTY, 0, 400)])], locators=[(0, NASTY)], scenes=[NASTY], scale=NASTY
    )

    picture = _drawn(nova, plan, 8000)

    tags = {element.tag.rpartition("}")[2] for element in picture.iter()}
    assert tags == {"svg", "title", "rect", "line", "text"}
    assert NASTY in _texts(picture)
    attributes = {name for element in picture.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on") or "href" in name or name == "style"}


def test_a_set_without_arrangement_shows_its_session(nova: House) -> None:
    clips = [ClipPlan("one", 0, 4), ClipPlan("two", 0, 8)]

    texts = _texts(_drawn(nova, LiveSetPlan(tracks=[TrackPlan("A", session_clips=clips)], scenes=["Verse", "Hook"])))

    assert {"one", "two", "Verse", "Hook", "No arrangement: session clips by scene"} <= set(texts)


def test_a_set_without_clips_says_so(nova: House) -> None:
    assert "This Live Set holds no clips." in _texts(_drawn(nova, LiveSetPlan(tracks=[TrackPlan("A")])))


@pytest.mark.parametrize("width", [200, 8000])
def test_nothing_is_drawn_beyond_the_width(nova: House, width: int) -> None:
    picture = _drawn(nova, full_plan(), width)

    edges = [
        float(item.attrib["x"]) + float(item.attrib["width"]) for item in picture.iter() if item.tag.endswith("rect")
    ]
    assert max(edges) <= width + 1
    assert picture.attrib["width"] == str(width)


@pytest.mark.parametrize("width", [-1, 199, 8001])
def test_a_width_beyond_reason_is_refused(nova: House, width: int) -> None:
    with pytest.raises(FieldInvalid, match="width"):
        nova.live_sets.timeline("nova", nova.add_live_set().uid, width)


@pytest.mark.parametrize("summary", [{}, {"tracks": [{}]}, {"tracks": [{"clips": [{"place": "arrangement"}]}]}])
def test_a_summary_with_holes_is_drawn(summary: dict[str, Any]) -> None:
    assert ElementTree.fromstring(draw_timeline(summary, 400)).tag.endswith("svg")


def test_many_tracks_are_cut_with_a_note(nova: House) -> None:
    plan = replace(full_plan(), tracks=[TrackPlan(f"T{number}") for number in range(310)])

    assert "10 more tracks are not drawn" in _texts(_drawn(nova, plan))


def test_bars_begin_anew_where_the_signature_changes() -> None:
    axis = TimeAxis(14, ((0, 120),), ((0, 4), (6, 3)))

    assert axis.bar_ticks(10) == [(0, 1), (4, 2), (6, 3), (9, 4), (12, 5)]


def test_seconds_follow_a_moving_tempo() -> None:
    axis = TimeAxis(16, ((0, 60), (8, 60), (8, 120)), ((0, 4),))

    assert [(round(beat, 1), second) for beat, second in axis.second_ticks(3)] == [(0, 0), (5, 5), (12, 10)]


def test_an_endless_set_has_few_ticks() -> None:
    axis = TimeAxis(1e15, ((0, 120),), ((0, 4),))

    assert len(axis.bar_ticks(10)) <= 10
    assert axis.second_ticks(10) == []


def test_colours_differ_by_place() -> None:
    assert len({color_of(place, 0) for place in range(70)}) > 60
    assert color_of(None, 3) != color_of(None, 4)
