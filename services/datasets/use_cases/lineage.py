"""What trainings and generations were made of, back to every caption and Live Set."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.errors import NameInvalid, Violation
from chassis.ids import parse_name
from chassis.paging import Page
from services.datasets.domain import generations, trainings
from services.datasets.domain.exports import Export, ExportNotFound
from services.datasets.domain.generations import Generation
from services.datasets.domain.ports import ExportStore, SnapshotStore
from services.datasets.domain.snapshots import Snapshot, SnapshotMember
from services.datasets.domain.training_ports import GenerationStore, TrainingStore
from services.datasets.domain.trainings import Training


@dataclass(frozen=True, slots=True)
class Lineage:
    """What something was made of; the snapshot outlives the export."""

    training: Training
    snapshot: Snapshot
    members: Page[SnapshotMember]
    export: Export | None = None
    generation: Generation | None = None


class LineageDesk:
    """Follows trained versions back to what they learned from."""

    def __init__(
        self,
        training_store: TrainingStore,
        generation_store: GenerationStore,
        export_store: ExportStore,
        snapshot_store: SnapshotStore,
    ) -> None:
        self._trainings, self._generations = training_store, generation_store
        self._exports, self._snapshots = export_store, snapshot_store

    def of(self, name: str, *, size: int, token: str) -> Lineage:
        """What a training, or a generation, was made of; one page of the members."""
        generation = None
        if "/generations/" in name:
            generation = self._generations.get(*parse_name(generations.NAME, name).values())
            name = generation.training
        if "/trainings/" not in name:
            form = f"{trainings.NAME} or {generations.NAME}"
            raise NameInvalid(
                f"name: {name[:200]!r} does not have the form {form}", violations=[Violation("name", form)]
            )
        training = self._trainings.get(*parse_name(trainings.NAME, name).values())
        artist, uid = training.artist, training.snapshot_uid
        return Lineage(
            training=training,
            snapshot=self._snapshots.get(artist, uid),
            members=self._snapshots.member_page(artist, uid, size=size, token=token),
            export=self._export(training),
            generation=generation,
        )

    def _export(self, training: Training) -> Export | None:
        try:
            return self._exports.get(training.artist, training.export.rpartition("/")[2])
        except ExportNotFound:
            return None
