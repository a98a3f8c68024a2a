"""Files and what they belong to, by their names."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from chassis.errors import FieldInvalid
from services.datasets.domain.matching import Match, Target, match_files, normal_stem
from services.datasets.use_cases.items import ItemFacts
from tests.unit.datasets.house import ARTIST, House, key
from tests.unit.datasets.rulebook import WORDS


@pytest.mark.parametrize(
    ("file_name", "normal"),
    [
        ("Night Drive.wav", "night drive"),
        ("night_drive-FINAL master v2.WAV", "night drive"),
        ("C:\\Bounces\\Night-Drive_bounce3.mp3", "night drive"),
        ("exports/Night Drive (1).flac", "night drive"),
        ("Night Drive 92bpm Am.wav", "night drive"),
        ("Night Drive [92 BPM] F# minor.wav", "night drive"),
        ("92 bpm night drive mixdown.aiff", "night drive"),
        ("Night Drive Mix 3.m4a", "night drive"),
        ("Ｎｉｇｈｔ Drive.wav", "night drive"),
        ("Straße 7.als", "strasse 7"),
        ("Final Mix.wav", "final mix"),
        ("am I.wav", "am i"),
        ("Café.wav", "café"),
        ("Cafe\u0301.wav", "café"),
        ("", ""),
        ("....", ""),
    ],
)
def test_a_name_is_reduced_to_the_song(file_name: str, normal: str) -> None:
    assert normal_stem(file_name) == normal


def test_the_same_song_is_exact_and_a_similar_name_a_proposal() -> None:
    targets = [Target("s1", ("Night Drive v3.als",)), Target("s2", ("Sunrise.als",))]

    found = match_files(["night-drive final.wav", "Sunrize.wav", "Completely other.wav"], targets)

    assert found == [Match("s1", 1.0, exact=True), Match("s2", 0.8571, exact=False), Match()]


def test_of_several_versions_the_one_of_the_same_version_is_meant() -> None:
    targets = [Target("new", ("Song v3.als",)), Target("old", ("Song v2.als",))]

    found = match_files(["song_v2.wav", "Song master.wav"], targets)

    assert found == [Match("old", 1.0, exact=True), Match("new", 1.0, exact=False)]


def test_a_name_that_is_like_several_is_no_proposal() -> None:
    targets = [Target("s1", ("Midnight Run A1.als",)), Target("s2", ("Midnight Run B1.als",))]

    assert match_files(["Midnight Run C1.wav"], targets) == [Match()]


def test_an_item_that_waits_for_audio_of_its_live_set_is_named(house: House) -> None:
    live_set = house.captions.add_live_set("night-drive")
    item = house.items.create(ARTIST, ItemFacts(caption=f"{WORDS} BPM: 92", live_set=live_set), key())

    found = house.matching.match(ARTIST, ["night drive.wav"])[0]

    assert (found.live_set, found.training_item, found.exact) == (live_set, item.name, True)


def test_an_item_that_waits_is_found_by_its_own_title(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption=f"{WORDS} BPM: 92", display_name="Sunrise"), key())
    house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1"), display_name="Sunset"), key())

    found = house.matching.match(ARTIST, ["sunrise_master.wav", "sunset.wav"])

    assert [(one.training_item, one.exact) for one in found] == [(item.name, True), ("", False)]


@pytest.mark.parametrize("names", [[], ["a.wav"] * 201, [""], ["x" * 1001]])
def test_names_beyond_their_limits_are_refused(house: House, names: list[str]) -> None:
    with pytest.raises(FieldInvalid):
        house.matching.match(ARTIST, names)


def test_many_files_against_many_live_sets_take_little(figures: Callable[..., None]) -> None:
    targets = [Target(f"s{at}", (f"Piece number {at * 7919 % 10007} of the year.als",)) for at in range(2000)]
    names = [f"piece_number_{at * 7919 % 10007}_of_the_yeer.wav" for at in range(0, 2000, 20)]

    began_s = time.perf_counter()
    found = match_files(names, targets)

    figures(files=len(names), live_sets=len(targets), seconds=time.perf_counter() - began_s)
    assert len(found) == len(names)
