"""What the reader finds in Live Sets, and what it says of files that are none."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import InvalidArgument
from services.prompt.alsfile.container import Limits
from services.prompt.alsfile.reader import LiveSetReader
from services.prompt.alsfile.scales import read_key
from services.prompt.alsfile.tempo import TempoMap, decode_signature
from tests.material.live_set import ClipPlan, LiveSetPlan, TrackPlan, live_set_bytes, live_set_xml, small_plan

CORPUS = Path(os.environ.get("TONEWRIGHT_ALS_CORPUS") or Path(__file__).resolve().parents[4] / "shared/data/als")
HEAD = b'<?xml version="1.0"?><Ableton MinorVersion="11.0_1" Creator="Ableton Live 11.0"><LiveSet><Tracks>'
TAIL = b"</Tracks></LiveSet></Ableton>"


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
    assert summary["key"] == {"root": 9, "root_name": "A", "scale": "Minor", "trusted": True, "in_key": True}
    assert summary["midi_stats"]["notes"] == 84
    assert summary["locators"][1]["name"] == "Lift"


def test_no_path_of_the_machine_gets_out() -> None:
    summary = _summary(small_plan())

    assert summary["sample_index"]["rain.wav"] == {"path": "Samples/Imported/rain.wav", "tracks": ["Field"]}
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
    key = read_key(scale, in_key=True, clips=clips)

    assert key is not None
    assert (key["root_name"], key["scale"], key["trusted"]) == expected


WHOLE = live_set_bytes()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "LIVE_SET_NOT_GZIP"),
        (b"a text file", "LIVE_SET_NOT_GZIP"),
        (b"PK\x03\x04zip", "LIVE_SET_NOT_GZIP"),
        (WHOLE[:200], "LIVE_SET_TRUNCATED"),
        (WHOLE[:300] + b"\xff" * 50 + WHOLE[350:], "LIVE_SET_DAMAGED"),
        (gzip.compress(HEAD + b"<Broken></Tracks>"), "LIVE_SET_NOT_XML"),
        (gzip.compress(b"not xml at all"), "LIVE_SET_NOT_XML"),
        (gzip.compress(HEAD), "LIVE_SET_NOT_XML"),
        (gzip.compress(b"<Other/>"), "LIVE_SET_WRONG_ROOT"),
        (gzip.compress(b"<Ableton/>"), "LIVE_SET_WRONG_ROOT"),
        (gzip.compress(b'<!DOCTYPE a [<!ENTITY b "c">]><Ableton>&b;</Ableton>'), "LIVE_SET_DOCTYPE_REFUSED"),
        (gzip.compress(HEAD + b"<a>" * 200 + b"</a>" * 200 + TAIL), "LIVE_SET_TOO_DEEP"),
        (gzip.compress(b"<Ableton><LiveSet>" + b" " * (20 << 20)), "LIVE_SET_EXPANDS_TOO_MUCH"),
        (gzip.compress(b'<Ableton MinorVersion="7.0_1"><LiveSet/></Ableton>'), "LIVE_SET_VERSION_UNSUPPORTED"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_a_bad_file_is_refused_with_its_reason_and_advice(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        LiveSetReader().read([data])

    assert refusal.value.reason == reason
    assert any(word in refusal.value.message for word in ("send", "save", "upload", "split", "unpack"))


@pytest.mark.parametrize(
    ("limits", "data", "reason"),
    [
        (Limits(file_bytes=100), WHOLE, "LIVE_SET_TOO_LARGE"),
        (Limits(xml_bytes=1000), WHOLE, "LIVE_SET_TOO_LARGE"),
        (Limits(elements=20), WHOLE, "LIVE_SET_TOO_LARGE"),
        (Limits(seconds=0), WHOLE, "LIVE_SET_TOO_SLOW"),
        (
            Limits(memory_bytes=40 << 20, ratio=10_000),
            gzip.compress(HEAD + b'<MidiTrack Id="' + b"x" * (60 << 20) + b'"/>' + TAIL),
            "LIVE_SET_TOO_LARGE",
        ),
    ],
    ids=["file", "xml", "elements", "time", "memory"],
)
def test_a_reader_keeps_within_its_limits(limits: Limits, data: bytes, reason: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        LiveSetReader(limits).read([data])

    assert refusal.value.reason == reason


def test_a_refused_file_leaves_the_reader_working() -> None:
    reader = LiveSetReader(slots=1, wait_s=0.1)
    for _ in range(3):
        with pytest.raises(InvalidArgument):
            reader.read([b"nothing"])

    assert reader.read([WHOLE]).size_bytes == len(WHOLE)


REAL = {
    "live8-patch-markers-auto.als": (8, 95.3, 19, 58),
    "live9-patch-2-0point.als": (9, 135.0, 27, 160),
    "automation.als": (10, 120.0, 1, 0),
    "automation-pathological.als": (10, 119.5, 1, 0),
    "example-120.als": (10, 120.0, 1, 4),
    "node_Foo.als": (11, 199.99, 7, 0),
    "L12-automation.als": (12, 120.0, 1, 0),
    "Techno Live Set.als": (12, 124.0, 16, 12),
}


@pytest.mark.parametrize("name", REAL)
def test_real_sets_of_live_8_to_12_are_read(name: str) -> None:
    if not (CORPUS / name).exists():
        pytest.skip(f"no real Live Sets here; TONEWRIGHT_ALS_CORPUS names a folder that holds {name}")

    summary = LiveSetReader().read([(CORPUS / name).read_bytes()]).summary

    overview = summary["overview"]
    found = (summary["live_major_version"], overview["tempo"], overview["total_tracks"], overview["clips"])
    assert found == REAL[name]
    assert overview["time_signature"] == "4/4"
    assert not summary["warnings"]


@pytest.mark.parametrize(
    "rounds", [pytest.param(30), pytest.param(2000, marks=[pytest.mark.long, pytest.mark.timeout(1800)])]
)
def test_damaged_sets_are_read_or_refused_and_the_reader_goes_on(rounds: int) -> None:
    chance = random.Random(11)
    reader = LiveSetReader()
    whole, text = live_set_bytes(small_plan()), live_set_xml(small_plan())

    for _ in range(rounds):
        damaged = bytearray(chance.choice([whole, text.encode()]))
        for _ in range(chance.randint(1, 12)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        del damaged[len(damaged) - chance.choice([0, 0, 0, chance.randrange(len(damaged))]) :]
        with contextlib.suppress(InvalidArgument):
            reader.read([bytes(damaged)])

    assert reader.read([whole]).summary["overview"]["total_tracks"] == 6
