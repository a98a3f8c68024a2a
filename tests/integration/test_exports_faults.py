"""Workers die under exports, items change, and each dataset still holds each item once; nothing is left lying about."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

import pytest

from tests.integration.datasets_house import ENDED, DatasetsHouse, caption
from tests.integration.stems_house import PARENT
from tonewright.datasets.v1 import datasets_pb2 as pb

pytestmark = pytest.mark.usefixtures("as_ada")
STAGES = ("validating", "preparing", "packing", "uploading", "verifying", "committing", "committed")
STORED = pb.Export.Options(stored=True)
SETTINGS = {
    "TONEWRIGHT_DATASETS_LEASE_S": "2",
    "TONEWRIGHT_DATASETS_POLL_S": "0.5",
    "TONEWRIGHT_DATASETS_SLOTS": "2",
    "TONEWRIGHT_LOG_FORMAT": "json",
}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[DatasetsHouse]:
    with DatasetsHouse(tmp_path, SETTINGS).running() as running:
        yield running


@pytest.mark.parametrize(
    "stages",
    [
        pytest.param(("preparing", "uploading", "committing"), id="three-stages", marks=pytest.mark.timeout(180)),
        pytest.param(STAGES * 5, id="each-five-times", marks=[pytest.mark.long, pytest.mark.timeout(1200)]),
    ],
)
def test_a_worker_killed_in_each_stage_loses_nothing_and_leaves_nothing(
    place: DatasetsHouse, figures: Callable[..., None], stages: tuple[str, ...]
) -> None:
    items = [place.item(1), place.item(2, form="FLAC"), place.item(3)]
    names = list[str]()
    for stage in stages:
        # The kill after the commit ends an export, so that none loses ten leases.
        if not names or place.get(names[-1]).state in ENDED:
            names.append(place.export(display_name=f"Killed {len(names)}", options=STORED))
        with place.worker(f"die:{stage}") as doomed:
            assert doomed.wait(timeout=60) == -signal.SIGKILL, place.logs()

    with place.worker():
        made = [place.finished(name) for name in names]
    with place.collecting():
        place.until(place.kept, lambda kept: len(kept) == len(names))
        drafts = place.home / "objects" / ".drafts"
        place.until(lambda: list(drafts.iterdir()), lambda found: not found)

    figures(kills=len(stages), exports=len(names), objects_left=len(place.kept()))
    assert [export.state for export in made] == [pb.Export.STATE_SUCCEEDED] * len(names), made
    assert place.kept() == {f"{PARENT}/datasets/exports/{name.rpartition('/')[2]}.zip" for name in names}
    for name in names:
        _holds_each_once(place, name, items)
    assert {_item(place, item).state for item in items} == {pb.TrainingItem.STATE_EXPORTED}


@pytest.mark.timeout(120)
def test_two_exports_at_once_are_equal_and_an_edit_does_not_leak_in(place: DatasetsHouse) -> None:
    items = [place.item(1), place.item(2, form="FLAC"), place.item(3)]
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(copy_context().run, place.export, display_name="Night set") for _ in range(2)]
        names = [name.result() for name in asked]

    with place.worker("slow:packing"):
        place.until(lambda: place.get(names[0]), lambda found: found.state == pb.Export.STATE_RUNNING)
        changed = pb.TrainingItem(name=items[0].name, caption=caption(77))
        place.datasets.UpdateTrainingItem(pb.UpdateTrainingItemRequest(training_item=changed))
        first, second = (place.finished(name) for name in names)

    assert first.content_etag == second.content_etag
    assert place.archive(names[0]) == place.archive(names[1])
    for name in names:
        _holds_each_once(place, name, items)
    states = [_item(place, item).state for item in items]
    assert states == [pb.TrainingItem.STATE_READY, *[pb.TrainingItem.STATE_EXPORTED] * 2]
    assert len({first.snapshot, second.snapshot}) == 2
    for name in names:
        place.datasets.DeleteExport(pb.DeleteExportRequest(name=name))
    # The snapshots of both go along; what holds the audio in the end is the item alone.
    place.until(lambda: place.holders(items[1].asset), lambda holders: holders == [items[1].name])


@pytest.mark.timeout(120)
def test_a_cancelled_upload_leaves_no_archive(place: DatasetsHouse) -> None:
    place.item(1, duration_s=40)
    name = place.export(options=STORED)

    with place.worker("slow:uploading"):
        place.until(lambda: place.get(name), lambda found: found.progress_percent > 75)
        place.datasets.CancelExport(pb.CancelExportRequest(name=name))
        ended = place.finished(name)

        assert ended.state == pb.Export.STATE_CANCELLED
        place.until(place.kept, lambda kept: not kept)
        place.until(lambda: list((place.home / "objects" / ".drafts").iterdir()), lambda found: not found)


def _holds_each_once(place: DatasetsHouse, name: str, items: list[pb.TrainingItem]) -> None:
    archive = place.zip(name)
    texts = [archive.read(entry).decode() for entry in archive.namelist() if entry.endswith(".txt")]
    assert texts == [item.caption for item in items]
    files = Counter(file.training_item for file in place.files(name))
    assert files == {item.name: 2 for item in items}
    assert [file.path for file in place.files(name)] == archive.namelist()


def _item(place: DatasetsHouse, item: pb.TrainingItem) -> pb.TrainingItem:
    return place.datasets.GetTrainingItem(pb.GetTrainingItemRequest(name=item.name))
