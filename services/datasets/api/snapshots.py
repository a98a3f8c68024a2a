"""Snapshots over gRPC."""

from __future__ import annotations

from typing import Any

from google.protobuf.empty_pb2 import Empty

from chassis.context import caller
from chassis.runtime import WorkPool
from services.datasets.api import snapshot_messages as messages
from services.datasets.api.shared import artist_of, key_of, last_of
from services.datasets.domain import snapshots
from services.datasets.use_cases.snapshots import SnapshotDesk
from tonewright.datasets.v1 import datasets_pb2 as pb


class SnapshotRpcs:
    """The part of tonewright.datasets.v1.DatasetsService that is about snapshots."""

    _snapshots: SnapshotDesk
    _pool: WorkPool

    async def CreateSnapshot(self, request: pb.CreateSnapshotRequest, context: Any) -> pb.Snapshot:
        """A new snapshot."""
        artist = artist_of(request.parent)
        wish, key = messages.snapshot_wish(request.snapshot, artist), key_of(request, "CreateSnapshot")
        return messages.to_snapshot(await self._pool.run(self._snapshots.create, artist, caller().principal, wish, key))

    async def GetSnapshot(self, request: pb.GetSnapshotRequest, context: Any) -> pb.Snapshot:
        """One snapshot."""
        return messages.to_snapshot(await self._pool.run(self._snapshots.get, *last_of(snapshots.NAME, request.name)))

    async def ListSnapshots(self, request: pb.ListSnapshotsRequest, context: Any) -> pb.ListSnapshotsResponse:
        """Snapshots, newest first."""
        page = await self._pool.run(
            self._snapshots.page, artist_of(request.parent), size=request.page_size, token=request.page_token
        )
        return pb.ListSnapshotsResponse(
            snapshots=[messages.to_snapshot(snapshot, listed=True) for snapshot in page.items],
            next_page_token=page.next_page_token,
        )

    async def ListSnapshotMembers(
        self, request: pb.ListSnapshotMembersRequest, context: Any
    ) -> pb.ListSnapshotMembersResponse:
        """Members of a snapshot, in order."""
        artist, uid = last_of(snapshots.NAME, request.parent, field="parent")
        page = await self._pool.run(
            self._snapshots.member_page, artist, uid, size=request.page_size, token=request.page_token
        )
        return pb.ListSnapshotMembersResponse(
            members=[messages.to_member(member) for member in page.items], next_page_token=page.next_page_token
        )

    async def DeleteSnapshot(self, request: pb.DeleteSnapshotRequest, context: Any) -> Empty:
        """Remove a snapshot that nothing is made of."""
        await self._pool.run(self._snapshots.delete, *last_of(snapshots.NAME, request.name), request.etag)
        return Empty()
