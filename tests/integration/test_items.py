"""Training items through every process: captions by the rules, runs over many, files matched, copies found."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.house import House
from tests.integration.material_items import Studio, as_flac, song
from tests.material import audio
from tests.material.fake_openai import FakeOpenAI
from tonewright_client import ArtistHandle, Tonewright
from tonewright_client.errors import ApiError
from tonewright_client.models import CaptionRun, TrainingItem

WORDS = "Warm dusty drums and a round bass carry a slow melody of soft bells, calm and hopeful, for late evenings."


@pytest.fixture
def studio(artist: ArtistHandle, tmp_path: Path) -> Studio:
    return Studio(artist, tmp_path)


def test_a_caption_that_breaks_rules_is_refused_with_each_of_them(studio: Studio) -> None:
    with pytest.raises(ApiError) as caught:
        studio.artist.training_items.create(asset=studio.recording(1), caption="Pads from final.wav")

    assert (caught.value.status, caught.value.reason) == (400, "CAPTION_INVALID")
    assert {word for word in ("P4", "P8") if word in str(caught.value)} == {"P4", "P8"}


def test_an_items_findings_come_from_its_audio_caption_and_papers(studio: Studio) -> None:
    item = studio.artist.training_items.create(asset=studio.recording(1, duration_s=6), caption="Slow pads. BPM: 92")

    reasons = {finding["reason"] for finding in item["findings"]}
    assert {"P6", "SHORT_AUDIO", "CONSENT_UNKNOWN"} <= reasons
    assert (item["state"], item["caption_source"]) == ("READY", "MANUAL")
    assert item["audio"] is not None
    assert item["audio"]["pcm_sha256"]


def test_a_written_caption_is_generated_until_a_person_changes_it(studio: Studio) -> None:
    live_set, asset = studio.live_set("night-drive", 92), studio.recording(1)
    written = studio.artist.captions.generate(live_set=live_set, asset=asset)

    item = studio.artist.training_items.create(asset=asset, live_set=live_set, source_caption=written["name"])
    edited = studio.artist.training_items.update(item, caption=f"{WORDS} BPM: 92")
    back = studio.artist.training_items.restore(item["name"], 1)

    assert (item["caption"], item["caption_source"]) == (written["text"], "GENERATED")
    assert (edited["caption_source"], edited["source_caption"]) == ("EDITED", written["name"])
    assert edited["provenance"] is not None
    assert edited["provenance"]["raw_text"]
    assert edited["provenance"]["edited_by"] == "ada"
    assert (back["caption"], back["caption_source"], back["caption_revision"]) == (written["text"], "GENERATED", 3)
    sources = [revision["caption_source"] for revision in studio.artist.training_items.revisions(item["name"])]
    assert sources == ["GENERATED", "EDITED", "GENERATED"]


def test_another_live_set_turns_a_caption_that_no_longer_fits_into_a_proposal(studio: Studio) -> None:
    slow, fast = studio.live_set("slow", 92), studio.live_set("fast", 174)
    item = studio.artist.training_items.create(asset=studio.recording(1), live_set=slow, caption=f"{WORDS} BPM: 92")

    moved = studio.artist.training_items.update(item, live_set=fast)

    assert (moved["state"], moved["caption"]) == ("NEEDS_PROMPT", "")
    assert moved["proposal"] is not None
    assert moved["proposal"]["text"] == f"{WORDS} BPM: 92"
    assert [finding["reason"] for finding in moved["proposal"]["violations"]] == ["P5"]


def test_a_change_from_an_old_reading_is_refused(studio: Studio) -> None:
    item = studio.artist.training_items.create(caption=f"{WORDS} BPM: 92")
    studio.artist.training_items.update(item, licence="CC0-1.0")

    with pytest.raises(ApiError) as caught:
        studio.artist.training_items.update(item, caption=f"{WORDS} BPM: 93")

    assert caught.value.reason == "ETAG_MISMATCH"


def test_a_batch_tells_each_outcome_and_makes_no_copy(studio: Studio) -> None:
    first, second = studio.recording(1), studio.recording(2)

    results = studio.artist.training_items.create_all(
        [
            {"asset": first, "caption": f"{WORDS} BPM: 92", "provenance": {"source": "imported"}},
            {"asset": first},
            {"asset": second, "caption": "no tempo"},
            {"asset": second},
        ]
    )

    made = [result["training_item"] for result in results]
    assert [item and item["state"] for item in made] == ["READY", None, None, "NEEDS_PROMPT"]
    assert made[0] is not None
    assert made[0]["caption_source"] == "IMPORTED"
    reasons = [str(result["status"]) for result in results]
    assert "AUDIO_IN_USE" in reasons[1]
    assert "CAPTION_INVALID" in reasons[2]


def test_a_run_writes_every_missing_caption_and_leaves_peoples_words(studio: Studio) -> None:
    live_set = studio.live_set("night-drive", 92)
    items = studio.artist.training_items
    bare = [items.create(asset=studio.recording(at), live_set=live_set) for at in range(3)]
    own = items.create(asset=studio.recording(9), caption=f"{WORDS} BPM: 92")

    operation = studio.artist.caption_runs.start()
    studio.artist.operations.wait(operation)

    run = studio.artist.caption_runs.get(operation["metadata"]["target"])
    assert (run["state"], run["item_count"]) == ("SUCCEEDED", 3)
    assert run["accepted_count"] + run["proposed_count"] == 3
    assert [result["training_item"] for result in run["results"]] == [item["name"] for item in bare]
    assert run["accepted_count"] >= 1, run
    written = [items.get(item["name"]) for item in bare]
    assert all(item["caption"].endswith("BPM: 92") for item in written if item["caption"])
    assert items.get(own["name"])["etag"] == own["etag"]


def test_many_captions_are_previewed_then_changed(studio: Studio) -> None:
    items = studio.artist.training_items
    made = [items.create(caption=f"{WORDS} Take {at}. BPM: 92") for at in range(3)]
    edits = [{"find_replace": {"find": "take", "replace": "Part"}}, {"suffix": "Very slow."}]

    shown = items.edit_captions(edits, preview=True)  # type: ignore[arg-type]
    kept = items.edit_captions(edits)  # type: ignore[arg-type]

    assert not any(result["applied"] for result in shown["results"])
    assert [result["applied"] for result in kept["results"]] == [True] * 3
    assert items.get(made[0]["name"])["caption"] == f"{WORDS} Part 0. Very slow. BPM: 92"


def test_files_find_their_live_sets_and_waiting_items(studio: Studio) -> None:
    night, sun = studio.live_set("Night Drive v3", 92), studio.live_set("sunrise", 120)
    waiting = studio.artist.training_items.create(live_set=sun, caption=f"{WORDS} BPM: 120")

    matches = studio.artist.training_items.match_files(
        ["Bounces/night_drive-FINAL-master 92bpm.wav", "Sunrize.mp3", "something else.flac"]
    )

    assert [(match["live_set"], match["exact"]) for match in matches] == [(night, True), (sun, False), ("", False)]
    assert matches[1]["training_item"] == waiting["name"]
    assert matches[1]["similarity"] >= 0.85


def test_copies_are_found_by_bytes_by_sound_and_by_likeness(studio: Studio) -> None:
    sound = song(3, duration_s=12.0)
    files = {
        "one": studio.upload("one.wav", audio.encode(sound, subtype="PCM_16")),
        "same sound": studio.upload("two.flac", as_flac(audio.encode(sound, subtype="PCM_16"))),
        "softer": studio.upload("three.wav", audio.encode((sound * 0.7).astype(np.float32))),
        "other": studio.upload("four.wav", audio.encode(song(4, duration_s=12.0))),
    }
    names = {word: studio.artist.training_items.create(asset=asset)["name"] for word, asset in files.items()}
    twin = studio.artist.training_items.create(asset=files["one"])["name"]

    groups = {group["likeness"]: group["training_items"] for group in studio.artist.training_items.duplicates()}

    assert groups["SAME_BYTES"] == [names["one"], twin]
    assert groups["SAME_AUDIO"] == [names["one"], names["same sound"], twin]
    assert groups["SIMILAR"] == [names["one"], names["same sound"], names["softer"], twin]


def test_readiness_says_what_is_missing(studio: Studio) -> None:
    for at in range(2):
        studio.artist.training_items.create(asset=studio.recording(at), caption=f"{WORDS} Take {at}. BPM: 92")
    studio.artist.training_items.create(asset=studio.recording(7))

    found = studio.artist.training_items.readiness()

    assert (found["ready"], found["pair_count"], found["min_pairs"]) == (False, 2, 8)
    assert found["findings"][0]["reason"] == "FEW_PAIRS"
    assert found["items_by_state"]["NEEDS_PROMPT"] == 1
    assert {"LITTLE_AUDIO", "CONSENT_UNKNOWN"} <= {finding["reason"] for finding in found["findings"]}


@pytest.fixture
def slow_house(tmp_path: Path, openai: FakeOpenAI) -> House:
    return House(
        tmp_path / "slow",
        {
            "TONEWRIGHT_PROMPT_OPENAI_BASE_URL": openai.url,
            "TONEWRIGHT_PROMPT_OPENAI_API_KEY": "sk-tests",
            "TONEWRIGHT_DATASETS_LEASE_S": "2",
            "TONEWRIGHT_DATASETS_POLL_S": "0.5",
        },
    )


@pytest.mark.parametrize(
    ("count", "kills"),
    [
        pytest.param(12, 2, marks=pytest.mark.timeout(300)),
        pytest.param(200, 4, marks=[pytest.mark.long, pytest.mark.timeout(900)]),
    ],
)
def test_a_run_whose_worker_is_killed_and_whose_provider_slows_down_writes_each_caption_once(
    slow_house: House, openai: FakeOpenAI, tmp_path: Path, count: int, kills: int, figures: Callable[..., None]
) -> None:
    openai.will_wait(0.3)
    openai.will_fail(429, 3, **{"Retry-After": "1"})
    slow_house.start()
    try:
        with slow_house.client() as client:
            run, items = _run_under_fire(client, slow_house, tmp_path, count, kills)
    finally:
        openai.will_wait(0)
        slow_house.stop()

    settled = run["accepted_count"] + run["proposed_count"]
    figures(items=count, kills=kills, accepted=run["accepted_count"], proposed=run["proposed_count"])
    assert (run["state"], settled, run["failed_count"], run["skipped_count"]) == ("SUCCEEDED", count, 0, 0)
    assert all(item["caption_revision"] == 1 for item in items if item["caption"])
    sources = [item["source_caption"] for item in items if item["caption"]]
    assert len(sources) == len(set(sources)) == run["accepted_count"]


def _run_under_fire(
    client: Tonewright, house: House, folder: Path, count: int, kills: int
) -> tuple[CaptionRun, list[TrainingItem]]:
    studio = Studio(client.create_artist("Fire"), folder)
    live_set = studio.live_set("night-drive", 92)
    asset = studio.recording(1)
    names = [studio.artist.training_items.create(asset=asset, live_set=live_set)["name"] for _ in range(count)]
    operation = studio.artist.caption_runs.start()
    name = operation["metadata"]["target"]
    for kill in range(kills):
        _when_settled(studio, name, 1 + kill * count // (kills + 1))
        _kill_worker(house)
    studio.artist.operations.wait(operation)
    return studio.artist.caption_runs.get(name), [studio.artist.training_items.get(item) for item in names]


def _when_settled(studio: Studio, name: str, count: int) -> None:
    def is_there() -> bool:
        run = studio.artist.caption_runs.get(name)
        return run["accepted_count"] + run["proposed_count"] >= count or run["end_time"] is not None

    _until(is_there)


def _kill_worker(house: House) -> None:
    _until(lambda: _worker(house) is not None)
    worker = _worker(house)
    assert worker is not None
    worker.kill()
    _until(lambda: _worker(house) not in (None, worker))


def _worker(house: House) -> psutil.Process | None:
    try:
        return house.processes().get("datasets-worker")
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return None  # just gone, and not cleared away yet


def _until(claim: Callable[[], bool], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not claim() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert claim()
