"""What a trainer will do with items, a snapshot, an export, or an archive made elsewhere; changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chassis.errors import require
from services.datasets.domain import emulator, formats
from services.datasets.domain.costs import Estimate, Expected
from services.datasets.domain.emulator import Emulation, TrainerFile
from services.datasets.domain.exports import (
    Entry,
    Export,
    ExportFile,
    ExportFormat,
    ExportNotFinished,
    ExportOptions,
    JobState,
)
from services.datasets.domain.findings import Finding
from services.datasets.domain.items import Selection
from services.datasets.domain.snapshots import SnapshotMember
from services.datasets.domain.training_parameters import TrainingParameters

MAX_FILES = 10_000
# 100,000 pieces of 30 s: more than a trainer could use, and an answer that still fits into a message.
MAX_TOTAL_S = 3_000_000.0
MAX_STEPS = 1_000_000_000  # what may be asked for; an estimate of more than that helps nobody

# (artist, selection) to the members that a snapshot of it would have.
Freeze = Callable[[str, Selection], Sequence[SnapshotMember]]


class Exports(Protocol):
    """Where exports are."""

    def get(self, artist: str, uid: str) -> Export:
        """The export, or ExportNotFound."""
        ...

    def files(self, export: Export) -> Sequence[ExportFile]:
        """All files of its archive, in order."""
        ...


class Snapshots(Protocol):
    """Where snapshots are."""

    def members(self, artist: str, uid: str, *, provenance: bool = True) -> list[SnapshotMember]:
        """The frozen items, in order, or SnapshotNotFound."""
        ...


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a trainer will do, take and cost."""

    emulation: Emulation
    expected: Expected


class EmulationDesk:
    """Runs the emulator on what people have."""

    def __init__(self, exports: Exports, snapshots: Snapshots, freeze: Freeze, estimate: Estimate) -> None:
        self._exports, self._snapshots, self._freeze, self._estimate = exports, snapshots, freeze, estimate

    def of_files(self, artist: str, files: Sequence[TrainerFile], parameters: TrainingParameters) -> Forecast:
        """For an archive that was made elsewhere.

        Raises:
            FieldInvalid: There are too many files, or more audio than 3,000,000 s.
        """
        return self._forecast(artist, files, parameters, "dataset.zip", field="files")

    def of_export(self, artist: str, uid: str, parameters: TrainingParameters) -> Forecast:
        """For a finished export.

        Raises:
            ExportNotFound: There is none.
            ExportNotFinished: It has no archive.
        """
        export = self._exports.get(artist, uid)
        if export.state is not JobState.SUCCEEDED:
            raise ExportNotFinished(
                f"{export.name} is {export.state.value}; emulate it once it has SUCCEEDED, or emulate its snapshot",
                metadata={"state": export.state.value},
            )
        files = [_exported(file) for file in self._exports.files(export)]
        return self._forecast(artist, files, parameters, export.file_name, field="export")

    def of_snapshot(self, artist: str, uid: str, options: ExportOptions, parameters: TrainingParameters) -> Forecast:
        """For an export for the trainer that somebody would make of a snapshot.

        Raises:
            SnapshotNotFound: There is none.
        """
        members = self._snapshots.members(artist, uid, provenance=False)
        return self._of_members(artist, members, options, parameters, field="snapshot")

    def of_selection(
        self, artist: str, selection: Selection, options: ExportOptions, parameters: TrainingParameters
    ) -> Forecast:
        """For an export for the trainer that somebody would make of items as they are now.

        Raises:
            ItemsNotExportable: Some could not be frozen.
        """
        return self._of_members(artist, self._freeze(artist, selection), options, parameters, field="selection")

    def findings(self, artist: str, export_uid: str, parameters: TrainingParameters) -> Sequence[Finding]:
        """What is found about an export as a whole and about its items; an ERROR wastes the training's money."""
        return self.of_export(artist, export_uid, parameters).emulation.all_findings

    def _of_members(
        self,
        artist: str,
        members: Sequence[SnapshotMember],
        options: ExportOptions,
        parameters: TrainingParameters,
        *,
        field: str,
    ) -> Forecast:
        files = planned_files(ExportFormat.REPLICATE_MUSICGEN, members, options)
        return self._forecast(artist, files, parameters, "dataset.zip", field=field)

    def _forecast(
        self,
        artist: str,
        files: Sequence[TrainerFile],
        parameters: TrainingParameters,
        archive_name: str,
        *,
        field: str,
    ) -> Forecast:
        total_s = sum(file.duration_s for file in files)
        require(total_s <= MAX_TOTAL_S, field, f"audio of up to {MAX_TOTAL_S:,.0f} s together, not {total_s:,.0f} s")
        emulation = emulator.emulate(files, parameters, archive_name=archive_name)
        steps = min(MAX_STEPS, max(0, parameters.steps))
        return Forecast(emulation, self._estimate(artist, parameters.model_version, steps))


def planned_files(
    export_format: ExportFormat, members: Sequence[SnapshotMember], options: ExportOptions
) -> list[TrainerFile]:
    """The files that an export of these members has or would have, as a trainer gets them."""
    pieces = formats.planned_pieces(formats.recipe(export_format, options), members)
    return [_planned(entry) for entry in formats.layout(export_format, pieces, options)]


def _planned(entry: Entry) -> TrainerFile:
    return TrainerFile(
        path=entry.name,
        duration_s=entry.duration_s,
        rate_hz=entry.rate_hz,
        channels=entry.channels,
        text=entry.inline.decode() if entry.name.endswith(".txt") else "",
        training_item=entry.training_item,
        start_s=entry.start_s,
    )


def _exported(file: ExportFile) -> TrainerFile:
    return TrainerFile(
        path=file.path,
        duration_s=file.duration_s,
        rate_hz=file.rate_hz,
        channels=file.channels,
        text=file.text if file.path.endswith(".txt") else "",
        training_item=file.training_item,
        start_s=file.start_s,
    )
