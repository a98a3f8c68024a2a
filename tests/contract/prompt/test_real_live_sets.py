"""Real Live Sets against values that were read off by hand, where a folder of them is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.prompt.alsfile.reader import LiveSetReader
from tests.material.real_live_sets import CHECKED, Checked

FOLDER = os.environ.get("TONEWRIGHT_ALS_FOLDER", "")
if not FOLDER:
    pytest.skip(
        "real Live Sets are other people's and not shipped: TONEWRIGHT_ALS_FOLDER names a folder of them",
        allow_module_level=True,
    )


@pytest.mark.parametrize("name", CHECKED)
def test_a_real_set_reads_as_by_hand(name: str) -> None:
    expected = CHECKED[name]

    summary = LiveSetReader().read([(Path(FOLDER) / name).read_bytes()]).summary

    overview, tracks, key = summary["overview"], summary["tracks"], summary["key"]
    stats = summary["midi_stats"]
    counts = ("midi_tracks", "audio_tracks", "group_tracks", "return_tracks", "clips", "devices")
    tempos = tuple((point["beat"], point["bpm"]) for point in summary["tempo_automation"])
    found = Checked(
        creator=summary["live_version"],
        overview=(overview["tempo"], overview["time_signature"], *(overview[name] for name in counts)),
        tracks=tuple(track["name"] for track in tracks),
        devices={
            track["name"]: (track["device_count"], track["nested_device_count"])
            for track in tracks
            if track["device_count"]
        },
        clips={track["name"]: track["clip_count"] for track in tracks if track["clip_count"]},
        muted=tuple(summary["muted_tracks"]),
        automated=tuple(track["name"] for track in tracks if track["has_automation"]),
        locators=tuple((mark["beat"], mark["name"]) for mark in summary["locators"]),
        tempos=tempos[: len(expected.tempos)],
        key=(f"{key['root_name']} {key['scale']}", key["evidence"]) if key and key["trusted"] else ("", ""),
        notes=tuple(
            stats[name] for name in ("notes_written", "notes_in_session", "notes_in_arrangement", "drum_notes")
        ),
        samples=len(summary["sample_index"]),
        length_beats=summary["arrangement"]["length_beats"],
    )
    assert found == expected
    assert bool(tempos) == bool(expected.tempos)
