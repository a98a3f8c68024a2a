"""Caption runs, edits of many captions, matching, duplicates and readiness over gRPC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.longrunning.operations_pb2 import Operation

from chassis.context import caller
from chassis.operations import OperationSource, to_operation
from chassis.runtime import WorkPool
from services.datasets.api import caption_messages as messages
from services.datasets.api.item_messages import selection
from services.datasets.api.shared import artist_of, key_of, last_of
from services.datasets.domain import caption_runs
from services.datasets.use_cases.caption_edits import CaptionEditing
from services.datasets.use_cases.caption_runs import CaptionRuns
from services.datasets.use_cases.duplicates import Duplicates
from services.datasets.use_cases.matching import Matching
from services.datasets.use_cases.readiness import ReadinessDesk
from tonewright.datasets.v1 import datasets_pb2 as pb


@dataclass(frozen=True, slots=True)
class ManyItems:
    """What is done with many items at once."""

    runs: CaptionRuns
    editing: CaptionEditing
    matching: Matching
    duplicates: Duplicates
    readiness: ReadinessDesk


class ManyItemRpcs:
    """The part of tonewright.datasets.v1.DatasetsService that is about many items at once."""

    _many: ManyItems
    _pool: WorkPool

    async def MatchFiles(self, request: pb.MatchFilesRequest, context: Any) -> pb.MatchFilesResponse:
        """Which files belong where."""
        names = list(request.file_names)
        found = await self._pool.run(self._many.matching.match, artist_of(request.parent), names)
        return pb.MatchFilesResponse(matches=[messages.to_match(match) for match in found])

    async def ListDuplicateGroups(
        self, request: pb.ListDuplicateGroupsRequest, context: Any
    ) -> pb.ListDuplicateGroupsResponse:
        """Items that hold the same audio."""
        artist = artist_of(request.parent)
        page = await self._pool.run(
            self._many.duplicates.page, artist, size=request.page_size, token=request.page_token
        )
        return pb.ListDuplicateGroupsResponse(
            groups=[messages.to_group(artist, group) for group in page.items], next_page_token=page.next_page_token
        )

    async def EditCaptions(self, request: pb.EditCaptionsRequest, context: Any) -> pb.EditCaptionsResponse:
        """Many captions changed by rule."""
        artist = artist_of(request.parent)
        outcomes, unchanged = await self._pool.run(
            self._many.editing.edit,
            artist,
            selection(request.selection, artist),
            messages.edits_of(list(request.edits)),
            key_of(request, "EditCaptions"),
            validate_only=request.validate_only,
        )
        return pb.EditCaptionsResponse(
            results=[messages.to_edit_result(outcome) for outcome in outcomes], unchanged_count=unchanged
        )

    async def CheckReadiness(self, request: pb.CheckReadinessRequest, context: Any) -> pb.Readiness:
        """Whether items can be trained on."""
        artist = artist_of(request.parent)
        found = await self._pool.run(self._many.readiness.check, artist, selection(request.selection, artist))
        return messages.to_readiness(found)

    async def CreateCaptionRun(self, request: pb.CreateCaptionRunRequest, context: Any) -> Operation:
        """A queued run."""
        artist = artist_of(request.parent)
        wish, key = messages.run_wish(request.caption_run, artist), key_of(request, "CreateCaptionRun")
        made = await self._pool.run(self._many.runs.create, artist, caller().principal, wish, key)
        response = messages.to_run(made) if made.state.value == "SUCCEEDED" else None
        return to_operation(messages.run_view(made), response, service="datasets")

    async def GetCaptionRun(self, request: pb.GetCaptionRunRequest, context: Any) -> pb.CaptionRun:
        """One run with what became of each item."""
        artist, uid = last_of(caption_runs.NAME, request.name)
        run = await self._pool.run(self._many.runs.get, artist, uid)
        return messages.to_run(run, await self._pool.run(self._many.runs.entries, artist, uid))

    async def ListCaptionRuns(self, request: pb.ListCaptionRunsRequest, context: Any) -> pb.ListCaptionRunsResponse:
        """Runs, newest first."""
        page = await self._pool.run(
            self._many.runs.page, artist_of(request.parent), size=request.page_size, token=request.page_token
        )
        return pb.ListCaptionRunsResponse(
            caption_runs=[messages.to_run(run) for run in page.items], next_page_token=page.next_page_token
        )

    async def CancelCaptionRun(self, request: pb.CancelCaptionRunRequest, context: Any) -> pb.CaptionRun:
        """The run after the wish to stop it."""
        return messages.to_run(await self._pool.run(self._many.runs.cancel, *last_of(caption_runs.NAME, request.name)))


def run_source(runs: CaptionRuns) -> dict[str, OperationSource]:
    """Caption runs as operations, by collection."""
    return {
        caption_runs.COLLECTION: OperationSource(
            get=lambda artist, uid: messages.run_view(runs.get(artist, uid)),
            cancel=runs.cancel,
            response=lambda view: messages.to_run(runs.get(view.artist, view.uid)),
        )
    }
