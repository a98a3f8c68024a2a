"""Live Sets over gRPC."""

from __future__ import annotations

import asyncio
from typing import Any

from chassis.context import caller
from services.prompt.api.messages import LIVE_SET, artist_in, changes_of, ids_in, time_of, to_struct
from services.prompt.domain.live_sets import LiveSet, key_of
from services.prompt.domain.ports import Run
from services.prompt.use_cases.live_set_imports import ImportResult
from services.prompt.use_cases.live_sets import LiveSets
from services.prompt.use_cases.new_live_sets import NewLiveSet
from tonewright.prompt.v1 import prompt_pb2 as pb
from tonewright.prompt.v1 import prompt_pb2_grpc

_FULL_PAGE, _PAGE_BYTES = 20, 7 << 19


class LiveSetMethods(prompt_pb2_grpc.PromptServiceServicer):
    """The part of the service that keeps Live Sets."""

    _live_sets: LiveSets
    _run: Run
    # Those who wait for a reader wait here, not in the threads that every other call needs.
    _reading: asyncio.Semaphore

    async def CreateLiveSet(self, request: pb.CreateLiveSetRequest, context: Any) -> pb.LiveSet:
        """The Live Set of an uploaded file."""
        new = NewLiveSet(
            object_key=request.object_key,
            file_name=request.file_name,
            display_name=request.display_name,
            project_name=request.project_name,
            request_id=request.request_id,
        )
        artist = artist_in(request.parent, "parent")
        async with self._reading:
            return live_set_message(await self._run(self._live_sets.create, caller(), artist, new))

    async def ImportLiveSets(self, request: pb.ImportLiveSetsRequest, context: Any) -> pb.ImportLiveSetsResponse:
        """What became of each Live Set in an uploaded zip."""
        artist, imports = artist_in(request.parent, "parent"), self._live_sets.imports
        asked = await self._run(
            imports.begin, caller(), artist, request.object_key, request.project_name, request.request_id
        )
        is_finished = False
        try:
            for entry in asked.files:
                async with self._reading:  # file by file, so that others get their turn
                    await self._run(imports.read, asked, entry)
            results, ignored_count = await self._run(imports.finish, caller(), asked)
            is_finished = True
        finally:
            if not is_finished:  # a caller who went away uploads the zip again
                await self._run(imports.abandon, asked)
        return pb.ImportLiveSetsResponse(
            results=[import_result_message(result, live_set) for result, live_set in results],
            ignored_count=ignored_count,
        )

    async def GetLiveSetTimeline(self, request: pb.GetLiveSetTimelineRequest, context: Any) -> pb.LiveSetTimeline:
        """A picture of the arrangement."""
        drawn = await self._run(self._live_sets.timeline, *ids_in(LIVE_SET, request.name), request.width)
        return pb.LiveSetTimeline(content=drawn.encode(), media_type="image/svg+xml")

    async def GetLiveSet(self, request: pb.GetLiveSetRequest, context: Any) -> pb.LiveSet:
        """One Live Set."""
        found = await self._run(self._live_sets.get, *ids_in(LIVE_SET, request.name))
        return live_set_message(found, full=request.view != pb.LIVE_SET_VIEW_BASIC)

    async def ListLiveSets(self, request: pb.ListLiveSetsRequest, context: Any) -> pb.ListLiveSetsResponse:
        """The Live Sets of an artist."""
        full = request.view == pb.LIVE_SET_VIEW_FULL
        size = min(request.page_size, _FULL_PAGE) or _FULL_PAGE if full else request.page_size
        while True:
            page = await self._run(
                self._live_sets.list,
                artist_in(request.parent, "parent"),
                size,
                request.page_token,
                show_deleted=request.show_deleted,
                query=request.query,
            )
            live_sets = [live_set_message(live_set, full=full) for live_set in page.items]
            answer = pb.ListLiveSetsResponse(live_sets=live_sets, next_page_token=page.next_page_token)
            if len(live_sets) < 2 or answer.ByteSize() <= _PAGE_BYTES:
                return answer
            size = len(live_sets) // 2  # summaries of large sets do not fit into one message together

    async def UpdateLiveSet(self, request: pb.UpdateLiveSetRequest, context: Any) -> pb.LiveSet:
        """The Live Set with other names."""
        ids = ids_in(LIVE_SET, request.live_set.name, "live_set.name")
        changes = changes_of(request.live_set, request.update_mask, ("display_name", "project_name"))
        return live_set_message(await self._run(self._live_sets.update, *ids, request.live_set.etag, changes))

    async def DeleteLiveSet(self, request: pb.DeleteLiveSetRequest, context: Any) -> pb.LiveSet:
        """The deleted Live Set."""
        ids = ids_in(LIVE_SET, request.name)
        return live_set_message(await self._run(self._live_sets.delete, *ids, request.etag), full=False)

    async def UndeleteLiveSet(self, request: pb.UndeleteLiveSetRequest, context: Any) -> pb.LiveSet:
        """The Live Set, back again."""
        return live_set_message(await self._run(self._live_sets.undelete, *ids_in(LIVE_SET, request.name)))


def live_set_message(live_set: LiveSet, *, full: bool = True) -> pb.LiveSet:
    """The Live Set as a message, with its summary if `full`."""
    summary = live_set.summary
    overview = summary.get("overview", {})
    key, evidence = key_of(summary)
    return pb.LiveSet(
        name=live_set.name,
        display_name=live_set.display_name,
        project_name=live_set.project_name,
        file_name=live_set.file_name,
        sha256=live_set.sha256,
        size_bytes=live_set.size_bytes,
        blob_key=live_set.blob_key,
        creator=summary.get("live_version", ""),
        live_version=summary.get("live_major_version", 0),
        tempo_bpm=overview.get("tempo") or 0.0,
        time_signature=overview.get("time_signature", ""),
        track_count=overview.get("total_tracks", 0),
        clip_count=overview.get("clips", 0),
        device_count=overview.get("devices", 0),
        summary=to_struct(summary) if full else None,
        warnings=summary.get("warnings", []),
        create_time=time_of(live_set.create_time),
        update_time=time_of(live_set.update_time),
        delete_time=time_of(live_set.delete_time),
        purge_time=time_of(live_set.purge_time),
        etag=live_set.etag,
        key=key,
        key_evidence=evidence,
        duration_s=(summary.get("arrangement") or {}).get("length_seconds") or 0.0,
    )


def import_result_message(result: ImportResult, live_set: LiveSet | None) -> pb.ImportLiveSetsResponse.Result:
    """What became of a file as a message."""
    return pb.ImportLiveSetsResponse.Result(
        path=result.path,
        live_set=live_set_message(live_set, full=False) if live_set else None,
        already_there=result.already_there,
        reason=result.reason,
        message=result.message,
    )
