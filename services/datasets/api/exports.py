"""Exports over gRPC."""

from __future__ import annotations

from typing import Any

from google.longrunning.operations_pb2 import Operation
from google.protobuf.empty_pb2 import Empty

from chassis.context import caller
from chassis.operations import to_operation
from chassis.runtime import WorkPool
from services.datasets.api import export_messages as messages
from services.datasets.api.operations import export_view
from services.datasets.api.shared import artist_of, key_of, last_of
from services.datasets.domain import exports
from services.datasets.use_cases.exports import ExportDesk
from tonewright.datasets.v1 import datasets_pb2 as pb


class ExportRpcs:
    """The part of tonewright.datasets.v1.DatasetsService that is about exports."""

    _exports: ExportDesk
    _pool: WorkPool

    async def CreateExport(self, request: pb.CreateExportRequest, context: Any) -> Operation:
        """A queued export."""
        artist = artist_of(request.parent)
        wish, key = messages.export_wish(request.export, artist), key_of(request, "CreateExport")
        made = await self._pool.run(self._exports.create, artist, caller().principal, wish, key)
        response = messages.to_export(made) if made.state is exports.JobState.SUCCEEDED else None
        return to_operation(export_view(made), response, service="datasets")

    async def GetExport(self, request: pb.GetExportRequest, context: Any) -> pb.Export:
        """One export."""
        return messages.to_export(await self._pool.run(self._exports.get, *last_of(exports.NAME, request.name)))

    async def ListExports(self, request: pb.ListExportsRequest, context: Any) -> pb.ListExportsResponse:
        """Exports, newest first."""
        page = await self._pool.run(
            self._exports.page, artist_of(request.parent), size=request.page_size, token=request.page_token
        )
        return pb.ListExportsResponse(
            exports=[messages.to_export(export, listed=True) for export in page.items],
            next_page_token=page.next_page_token,
        )

    async def CancelExport(self, request: pb.CancelExportRequest, context: Any) -> pb.Export:
        """The export after the wish to stop it."""
        return messages.to_export(await self._pool.run(self._exports.cancel, *last_of(exports.NAME, request.name)))

    async def DeleteExport(self, request: pb.DeleteExportRequest, context: Any) -> Empty:
        """Remove an export that has ended."""
        await self._pool.run(self._exports.delete, *last_of(exports.NAME, request.name), request.etag)
        return Empty()

    async def ListExportFiles(self, request: pb.ListExportFilesRequest, context: Any) -> pb.ListExportFilesResponse:
        """Files of a finished export, in archive order."""
        artist, uid = last_of(exports.NAME, request.parent, field="parent")
        page = await self._pool.run(
            self._exports.file_page, artist, uid, size=request.page_size, token=request.page_token
        )
        return pb.ListExportFilesResponse(
            files=[messages.to_file(file) for file in page.items], next_page_token=page.next_page_token
        )

    async def GetExportLayout(self, request: pb.GetExportLayoutRequest, context: Any) -> pb.ExportLayout:
        """The archive's byte ranges from an offset."""
        artist, uid = last_of(exports.NAME, request.name)
        part = await self._pool.run(
            self._exports.layout, artist, uid, offset_bytes=request.offset_bytes, max_segments=request.max_segments
        )
        return messages.to_layout(part)
