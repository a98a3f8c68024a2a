"""The emulation as the API gives it, over exports and snapshots in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from chassis.errors import FieldInvalid, NotFound
from services.datasets.api.emulation import EmulationRpcs, from_parameters, to_parameters
from services.datasets.domain import formats
from services.datasets.domain.costs import Expected
from services.datasets.domain.exports import (
    Export,
    ExportFile,
    ExportFormat,
    ExportNotFinished,
    ExportOptions,
    JobState,
)
from services.datasets.domain.items import Selection
from services.datasets.domain.snapshots import SnapshotMember
from services.datasets.domain.training_parameters import TrainingParameters
from services.datasets.use_cases.emulation import EmulationDesk
from tests.material.dataset_pieces import CAPTIONS, members, pieces
from tonewright.datasets.v1 import datasets_pb2
from tonewright.datasets.v1 import trainings_pb2 as pb

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PARENT = "artists/nova"


@dataclass
class Shelf:
    """Exports and snapshots in memory."""

    exports: dict[str, Export] = field(default_factory=dict)
    snapshots: dict[str, list[SnapshotMember]] = field(default_factory=dict)

    def get(self, artist: str, uid: str) -> Export:
        if uid not in self.exports:
            raise NotFound(f"no export {uid}")
        return self.exports[uid]

    def files(self, export: Export) -> Sequence[ExportFile]:
        made = formats.layout(export.export_format, pieces(export.export_format, export.options), export.options)
        return [
            ExportFile(
                place, entry.name, entry.size_bytes, entry.crc32, entry.training_item, entry.conversion,
                entry.start_s, entry.duration_s, entry.rate_hz, entry.channels, entry.inline.decode(),
            )
            for place, entry in enumerate(made, start=1)
        ]  # fmt: skip

    def members(self, artist: str, uid: str, *, provenance: bool = True) -> list[SnapshotMember]:
        if uid not in self.snapshots:
            raise NotFound(f"no snapshot {uid}")
        return self.snapshots[uid]


class Rpcs(EmulationRpcs):
    def __init__(self, shelf: Shelf) -> None:
        self._emulation = EmulationDesk(shelf, shelf, self._freeze, self._estimate)

    def ask(self, **fields: object) -> pb.EmulateTrainingResponse:
        return self._emulated(pb.EmulateTrainingRequest(parent=PARENT, **fields))  # type: ignore[arg-type]

    def _freeze(self, artist: str, selection: Selection) -> list[SnapshotMember]:
        return [member for member in members() if member.item_uid in selection.item_uids or not selection.item_uids]

    def _estimate(self, artist: str, model_version: str, steps: int) -> Expected:
        return Expected(3.0 * steps, round(3.0 * steps * 11_200))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(snapshots={"s1": members()})


@pytest.fixture
def rpcs(shelf: Shelf) -> Rpcs:
    return Rpcs(shelf)


def export(state: JobState, export_format: ExportFormat = ExportFormat.REPLICATE_MUSICGEN) -> Export:
    return Export(
        "nova", "e1", "ada", NOW, NOW, "Night set", export_format, ExportOptions(), 4, 367.75, 14,
        snapshot_uid="s1", state=state, file_name="Night-set.zip",
    )  # fmt: skip


def test_a_snapshot_a_selection_and_an_export_of_the_same_items_are_foretold_alike(shelf: Shelf, rpcs: Rpcs) -> None:
    shelf.exports["e1"] = export(JobState.SUCCEEDED)

    by_snapshot = rpcs.ask(snapshot=f"{PARENT}/snapshots/s1")
    by_selection, by_export = rpcs.ask(), rpcs.ask(export=f"{PARENT}/exports/e1")

    assert by_snapshot == by_selection == by_export
    assert [item.training_item for item in by_export.items] == [f"{PARENT}/training-items/item{n}" for n in range(1, 5)]
    assert [item.chunk_count for item in by_export.items] == [3, 7, 1, 2]
    assert [item.caption for item in by_export.items] == list(CAPTIONS)
    assert by_export.chunk_count == 13


def test_steps_time_and_cost_of_the_default_run(rpcs: Rpcs) -> None:
    told = rpcs.ask()

    assert (told.step_count, told.sample_count, told.effective_batch_size) == (300, 2400, 8)
    assert (told.expected_duration.seconds, told.expected_cost_usd_micros) == (900, 10_080_000)
    assert told.succeeds


def test_a_selection_names_items_and_options_count(rpcs: Rpcs) -> None:
    selection = datasets_pb2.Selection(training_items=[f"{PARENT}/training-items/item1"])

    told = rpcs.ask(selection=selection, options=datasets_pb2.Export.Options(nested=True, trigger="nova style"))

    (item,) = told.items
    assert (item.path, item.chunk_count, item.resampled) == ("dataset/track-0001.wav", 1, False)
    assert item.caption == f"nova style {CAPTIONS[0]}"
    assert "NESTED_LAYOUT" in {finding.reason for finding in told.findings}


def test_an_archive_made_elsewhere_is_foretold_from_its_files(rpcs: Rpcs) -> None:
    files = [
        pb.ForeignFile(path="a.wav", duration_s=70, rate_hz=48_000, channels=2),
        pb.ForeignFile(path="a.txt", text="\ufeffWarm. BPM: 95\nMore"),
        pb.ForeignFile(path="b.flac", duration_s=20, rate_hz=44_100, channels=1),
    ]

    told = rpcs.ask(files=files, parameters=pb.TrainingParameters(drop_vocals=True))

    first, second = told.items
    assert [piece.name for piece in first.pieces] == ["a_chunk0.wav", "a_chunk30.wav", "a_chunk60.wav"]
    assert (first.caption, first.prepared_rate_hz, first.vocals_removed) == ("\ufeffWarm. BPM: 95", 44_100, True)
    assert (second.seen, second.caption_used, second.prepared_channels) == (True, False, 1)
    assert datasets_pb2.Finding.Severity.Value("SEVERITY_ERROR") in {finding.severity for finding in second.findings}


def test_parameters_that_crash_are_told_not_refused(rpcs: Rpcs) -> None:
    told = rpcs.ask(parameters=pb.TrainingParameters(batch_size=-4, epochs=2**31 - 1, updates_per_epoch=2**31 - 1,
                                                     model_version="small"))  # fmt: skip

    assert not told.succeeds
    assert "PARAMETER_INVALID" in {finding.reason for finding in told.findings}


def test_an_unfinished_export_has_no_files_to_foretell_from(shelf: Shelf, rpcs: Rpcs) -> None:
    shelf.exports["e1"] = export(JobState.RUNNING)

    with pytest.raises(ExportNotFinished, match="RUNNING"):
        rpcs.ask(export=f"{PARENT}/exports/e1")


@pytest.mark.parametrize(
    ("files", "field"),
    [
        ([pb.ForeignFile(path="")], "files[0].path"),
        ([pb.ForeignFile(path="a.wav", duration_s=float("nan"))], "files[0].duration_s"),
        ([pb.ForeignFile(path="a.wav", duration_s=90_000)], "files[0].duration_s"),
        ([pb.ForeignFile(path="a.wav"), pb.ForeignFile(path="b.wav", rate_hz=-1)], "files[1].rate_hz"),
        ([pb.ForeignFile(path="a.wav", channels=99)], "files[0].channels"),
        ([pb.ForeignFile(path="a.txt", text="x" * 16_385)], "files[0].text"),
        ([pb.ForeignFile(path="a.txt")] * 10_001, "files"),
        ([pb.ForeignFile(path=f"{n}.wav", duration_s=86_400) for n in range(40)], "files"),
    ],
)
def test_files_that_cannot_be_are_refused(rpcs: Rpcs, files: list[pb.ForeignFile], field: str) -> None:
    with pytest.raises(FieldInvalid) as refused:
        rpcs.ask(files=files)

    assert [violation.field for violation in refused.value.violations] == [field]


def test_things_of_another_artist_are_refused(rpcs: Rpcs) -> None:
    with pytest.raises(FieldInvalid, match="artists/nova"):
        rpcs.ask(snapshot="artists/other/snapshots/s1")


def test_findings_of_an_export_are_those_of_the_whole_and_of_its_items(shelf: Shelf, rpcs: Rpcs) -> None:
    shelf.exports["e1"] = export(JobState.SUCCEEDED)

    found = rpcs._emulation.findings("nova", "e1", TrainingParameters(one_same_description="All"))

    assert {"FEW_PAIRS", "CAPTIONS_IGNORED", "TAIL_DROPPED"} <= {finding.reason for finding in found}


def test_parameters_pass_through_messages_unchanged() -> None:
    asked = TrainingParameters("small", 2, 5, 24, "adamw", 1e-4, "inverse_sqrt", 0, 0.0, True, True, "All")

    assert to_parameters(from_parameters(asked)) == asked
    assert to_parameters(pb.TrainingParameters()) == TrainingParameters()
    assert to_parameters(pb.TrainingParameters(one_same_description="")) == dataclasses.replace(
        TrainingParameters(), one_same_description=""
    )
