"""DatasetsService over gRPC, put together from its parts."""

from __future__ import annotations

from chassis.runtime import WorkPool
from services.datasets.api.caption_runs import ManyItemRpcs, ManyItems
from services.datasets.api.exports import ExportRpcs
from services.datasets.api.items import ItemRpcs
from services.datasets.api.snapshots import SnapshotRpcs
from services.datasets.use_cases.exports import ExportDesk
from services.datasets.use_cases.items import TrainingItems
from services.datasets.use_cases.snapshots import SnapshotDesk
from tonewright.datasets.v1 import datasets_pb2_grpc


class DatasetsServicer(ItemRpcs, ManyItemRpcs, SnapshotRpcs, ExportRpcs, datasets_pb2_grpc.DatasetsServiceServicer):
    """tonewright.datasets.v1.DatasetsService."""

    def __init__(
        self,
        item_desk: TrainingItems,
        many_items: ManyItems,
        snapshot_desk: SnapshotDesk,
        export_desk: ExportDesk,
        pool: WorkPool,
    ) -> None:
        self._items, self._many, self._pool = item_desk, many_items, pool
        self._snapshots, self._exports = snapshot_desk, export_desk
