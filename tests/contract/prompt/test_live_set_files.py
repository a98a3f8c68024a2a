"""What the reader finds in Live Sets of every major version."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from services.prompt.alsfile.reader import LiveSetReader
from services.prompt.alsfile.scales import read_key
from services.prompt.alsfile.tempo import TempoMap, decode_signature
from tests.material.live_set import (
    MAJORS,
    ClipPlan,
    LiveSetPlan,
    TrackPlan,
    full_plan,
    live_set_bytes,
    live_set_xml,
    small_plan,
)


def _summary(plan: LiveSetPlan) -> dict[str, Any]:
    return dict(LiveSetReader().read([live_set_bytes(plan)]).summary)


def test_a_set_tells_tempo_signature_tracks_devices_and_clips() -> None:
    summary = _summary(small_plan(tempo_bpm=123.4567))

    assert summary["overview"] == {
        "tempo": 123.457,
        "time_signature": "4/4",
        "midi_tracks": 3,
        "audio_tracks": 1,
        "group_tracks": 1,
        "return_tracks": 1,
        "total_tracks": 6,
        "clips": 4,
        "devices": 11,
    }
    assert summary["live_version"] == "Ableton Live 11.3.21"
    assert summary["plugin_usage"]["Operator"] == 1
    assert summary["plugins_by_track"]["Beat"] == ["Simpler", "Drum Buss"]
    assert summary["track_breakdown"]["Sub Bass"]["group"] == "Music"
    assert summary["track_hierarchy"][2] == {"name": "Sub Bass", "type": "MIDI", "index": 2, "level": 1}
    assert summary["key"] == {
        "root": 9,
        "root_name": "A",
        "scale": "Minor",
        "trusted": True,
        "in_key": True,
        "evidence": "set",
        "confidence": 1.0,
    }
    assert summary["midi_stats"]["notes"] == 84
    assert summary["locators"][1]["name"] == "Lift"


def test_no_path_of_the_machine_gets_out() -> None:
    summary = _summary(small_plan())

    assert summary["sample_index"]["rain.wav"] == {"path": "rain.wav", "tracks": ["Field"]}
    assert "/Users" not in json.dumps(summary)
    assert "someone" not in json.dumps(summary)


def test_equal_track_names_are_told_apart() -> None:
    plan = LiveSetPlan(tracks=[TrackPlan("Keys"), TrackPlan("Keys"), TrackPlan("Größe 東京")])

    assert list(_summary(plan)["track_breakdown"]) == ["Keys", "Keys (2)", "Größe 東京"]


def test_a_set_without_tracks_is_a_set() -> None:
    assert _summary(LiveSetPlan())["overview"]["total_tracks"] == 0


def test_locators_are_sorted_and_timed_through_tempo_changes() -> None:
    plan = LiveSetPlan(tempo_bpm=60, tempo_events=[(4, 60), (4, 120)], locators=[(8, "b"), (4, "a")])

    assert _summary(plan)["locators"] == [
        {"beat": 4.0, "seconds": 4.0, "name": "a"},
        {"beat": 8.0, "seconds": 6.0, "name": "b"},
    ]


def test_third_party_plugins_and_muted_tracks_are_named() -> None:
    summary = _summary(LiveSetPlan(tracks=[TrackPlan("A", plugin="Serum", is_muted=True)]))

    assert summary["plugin_usage"] == {"Serum": 1}
    assert summary["tracks"][0]["devices"] == [{"name": "Serum", "kind": "vst3", "enabled": True, "depth": 0}]
    assert summary["muted_tracks"] == ["A"]


def test_session_clips_count() -> None:
    track = TrackPlan("A", session_clips=[ClipPlan("loop", 0, 4)])

    clip = _summary(LiveSetPlan(tracks=[track]))["tracks"][0]["clips"][0]

    assert (clip["place"], clip["start_beat"], clip["end_beat"], clip["looped"]) == ("session", 0, 4, True)


def test_plain_xml_is_read_too() -> None:
    assert LiveSetReader().read([live_set_xml(small_plan()).encode()]).summary["overview"]["tempo"] == 120


def test_a_set_of_a_newer_live_is_read_with_a_warning() -> None:
    summary = _summary(replace(small_plan(), minor_version="13.0_1", creator="Ableton Live 13.0"))

    assert "13.0" in summary["warnings"][0]


@pytest.mark.parametrize(("code", "text"), [(201, "4/4"), (200, "3/4"), (302, "6/8"), (99, "1/2"), (-1, ""), (1.5, "")])
def test_time_signatures_are_decoded(code: float, text: str) -> None:
    assert decode_signature(code) == text


def test_a_tempo_ramp_is_integrated() -> None:
    ramp = TempoMap(60, ((0, 60), (8, 120)))

    assert ramp.seconds_at(8) == pytest.approx(60 * 8 * 0.6931471805599453 / 60)
    assert ramp.seconds_at(9) == pytest.approx(60 * 8 * 0.6931471805599453 / 60 + 0.5)


@pytest.mark.parametrize("major", MAJORS)
def test_every_major_version_reads_alike(major: int) -> None:
    summary = _summary(full_plan(major))

    assert summary["live_major_version"] == major
    assert summary["overview"] == {
        "tempo": 100.0,
        "time_signature": "6/8",
        "midi_tracks": 4,
        "audio_tracks": 2,
        "group_tracks": 2,
        "return_tracks": 1,
        "total_tracks": 9,
        "clips": 6,
        "devices": 16,
    }
    assert [(track["name"], track["level"], track["group"]) for track in summary["tracks"][:5]] == [
        ("Tutti", 0, None),
        ("Rhythmus", 1, "Tutti"),
        ("Drums", 2, "Rhythmus"),
        ("Keys", 0, None),
        ("Keys (2)", 0, None),
    ]
    assert summary["plugin_usage"] == {
        "Operator": 2,
        "Simpler": 2,
        "Auto Filter": 1,
        "Drum Buss": 1,
        "New Thing2024": 1,
        "Ozone": 1,
        "Pro-Q 3": 1,
        "Reverb": 1,
        "Serum": 1,
        "Shaper Box": 1,
    }
    assert [device["kind"] for device in summary["tracks"][3]["devices"]] == [
        "vst",
        "vst3",
        "au",
        "max",
        "stock",
        "stock",
    ]
    assert summary["muted_tracks"] == ["Größe 東京"]
    assert summary["frozen_tracks"] == ["Ice"]
    assert [track["name"] for track in summary["tracks"] if track["has_automation"]] == ["Keys (2)", _vocals(major)]
    assert list(summary["sample_index"]) == ["hat.wav", "kick.wav", "rain.wav", "vox.aif"]
    assert [mark["name"] for mark in summary["locators"]] == ["Intro", "Drop", "Coda"]
    assert [mark["seconds"] for mark in summary["locators"]] == [0.0, 4.8, 8.5]
    assert [scene["name"] for scene in summary["scenes"]] == ["Intro", "Lift"]
    assert summary["arrangement"]["length_seconds"] == 12.5
    assert [(point["beat"], point["bpm"]) for point in summary["tempo_automation"]] == [
        (0, 100),
        (8, 100),
        (8, 140),
        (16, 120),
    ]


def _vocals(major: int) -> str:
    """How the audio track that nobody named is shown: Live 8 keeps no such name, readers take the clip's."""
    return "Vox take" if major == 8 else "7-Audio"


@pytest.mark.parametrize(
    ("major", "key"),
    [
        (8, ("E", "Minor", "notes", False)),
        (9, ("E", "Minor", "notes", False)),
        (10, ("B", "Minor", "set", True)),
        (11, ("B", "Minor", "set", True)),
        (12, ("B", "Minor", "set", True)),
    ],
)
def test_the_key_comes_from_the_set_where_a_version_keeps_one(major: int, key: tuple[str, str, str, bool]) -> None:
    found = _summary(full_plan(major))["key"]

    assert (found["root_name"], found["scale"], found["evidence"], found["trusted"]) == key


def test_the_betas_of_live_12_write_scales_by_name() -> None:
    summary = _summary(replace(full_plan(12), is_beta=True, scale="Dorian"))

    assert (summary["live_version"], summary["key"]["scale"]) == ("Ableton Live 12.0b16", "Dorian")


@pytest.mark.parametrize("major", MAJORS)
def test_notes_are_counted_as_they_are_heard(major: int) -> None:
    stats = _summary(full_plan(major))["midi_stats"]

    # The beat loops four times (16), the tune begins at its second beat and goes on for nine (9), the frozen track's
    # clip plays once (4), and so does the session clip (4); clips that are off, takes and grooves count for nothing.
    assert (stats["notes"], stats["notes_in_arrangement"], stats["notes_in_session"]) == (33, 29, 4)
    assert (stats["notes_written"], stats["drum_notes"], stats["pitch_min"], stats["pitch_max"]) == (16, 16, 36, 71)


@pytest.mark.parametrize("major", MAJORS)
def test_drum_pads_are_listed_with_the_pitch_that_plays_them(major: int) -> None:
    track = _summary(full_plan(major))["tracks"][2]

    assert [(pad["pitch"], pad["name"]) for pad in track["drum_pads"]] == [
        (36, "Kick"),
        (42, "Hat"),
        (38, "Instrument Rack"),
    ]
    assert (track["device_count"], track["nested_device_count"]) == (2, 4)


@pytest.mark.parametrize("major", MAJORS)
def test_warnings_name_what_a_caption_should_know(major: int) -> None:
    assert _summary(full_plan(major))["warnings"] == [
        "the tempo moves between 100 and 140 BPM; 100 is taken",
        "1 frozen track(s): what is counted is what they held before freezing",
    ]


def test_clips_set_to_a_scale_are_the_best_evidence() -> None:
    clips = [ClipPlan("a", 0, 4, scale=(2, "Dorian")), ClipPlan("b", 4, 8, scale=(2, "Dorian"))]

    summary = _summary(LiveSetPlan(tracks=[TrackPlan("A", clips=clips)], root=0, scale="Major", major=12))

    assert summary["key"]["evidence"] == "clips"
    assert (summary["key"]["root_name"], summary["key"]["scale"], summary["key"]["trusted"]) == ("D", "Dorian", True)
    assert [one["source"] for one in summary["key_evidence"]] == ["clips", "set"]


def test_a_changing_signature_is_listed() -> None:
    plan = LiveSetPlan(signature_events=[(0, 201), (16, 200)])

    assert _summary(plan)["time_signature_changes"] == [
        {"beat": 0.0, "time_signature": "4/4"},
        {"beat": 16.0, "time_signature": "3/4"},
    ]


def test_a_long_list_is_cut_with_a_warning_and_counted_whole() -> None:
    clips = [ClipPlan("x", place, place + 1) for place in range(2_500)]

    summary = _summary(LiveSetPlan(tracks=[TrackPlan("A", clips=clips)]))

    assert summary["overview"]["clips"] == 2_500
    assert len(summary["tracks"][0]["clips"]) == 2_000
    assert "only the first 2,000 of 2,500 clips are listed; the counts hold all" in summary["warnings"]


@pytest.mark.parametrize(
    ("scale", "clips", "expected"),
    [
        (("0", "Major"), [], ("C", "Major", False)),
        (("0", "Major"), [("0", "0")], ("C", "Major", True)),
        (("11", "1"), [], ("B", "Minor", True)),
        (("3", "Dorian"), [], ("D#", "Dorian", True)),
    ],
)
def test_a_key_is_trusted_only_when_somebody_chose_it(
    scale: tuple[str, str], clips: list[tuple[str, str]], expected: tuple[str, str, bool]
) -> None:
    key, _evidence = read_key(scale, in_key=True, clips=clips)

    assert key is not None
    assert (key["root_name"], key["scale"], key["trusted"]) == expected
