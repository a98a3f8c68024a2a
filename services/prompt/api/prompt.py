"""PromptService over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

from chassis.context import caller
from chassis.errors import require
from services.prompt.api.messages import artist_in, changes_of, ids_in, time_of, to_struct
from services.prompt.domain.captions import Caption, CaptionRequest, Hints, Retry
from services.prompt.domain.live_sets import LiveSet
from services.prompt.domain.ports import Run
from services.prompt.domain.rules import Finding
from services.prompt.use_cases.captions import Captions
from services.prompt.use_cases.live_sets import LiveSets, NewLiveSet
from tonewright.prompt.v1 import prompt_pb2 as pb
from tonewright.prompt.v1 import prompt_pb2_grpc

_LIVE_SET = "artists/{artist}/live-sets/{live_set}"
_CAPTION = "artists/{artist}/captions/{caption}"
_ASSET = "artists/{artist}/assets/{asset}"


class PromptServicer(prompt_pb2_grpc.PromptServiceServicer):
    """Live Sets and captions."""

    def __init__(self, live_sets: LiveSets, captions: Captions, run: Run, *, readers: int = 2) -> None:
        self._live_sets = live_sets
        self._captions = captions
        self._run = run
        # Those who wait for a reader wait here, not in the threads that every other call needs.
        self._reading = asyncio.Semaphore(readers)

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

    async def GetLiveSet(self, request: pb.GetLiveSetRequest, context: Any) -> pb.LiveSet:
        """One Live Set."""
        found = await self._run(self._live_sets.get, *ids_in(_LIVE_SET, request.name))
        return live_set_message(found, full=request.view != pb.LIVE_SET_VIEW_BASIC)

    async def ListLiveSets(self, request: pb.ListLiveSetsRequest, context: Any) -> pb.ListLiveSetsResponse:
        """The Live Sets of an artist."""
        full = request.view == pb.LIVE_SET_VIEW_FULL
        page = await self._run(
            self._live_sets.list,
            artist_in(request.parent, "parent"),
            min(request.page_size, 20) or 20 if full else request.page_size,  # full ones are large
            request.page_token,
            show_deleted=request.show_deleted,
        )
        live_sets = [live_set_message(live_set, full=full) for live_set in page.items]
        return pb.ListLiveSetsResponse(live_sets=live_sets, next_page_token=page.next_page_token)

    async def UpdateLiveSet(self, request: pb.UpdateLiveSetRequest, context: Any) -> pb.LiveSet:
        """The Live Set with other names."""
        ids = ids_in(_LIVE_SET, request.live_set.name, "live_set.name")
        changes = changes_of(request.live_set, request.update_mask, ("display_name", "project_name"))
        return live_set_message(await self._run(self._live_sets.update, *ids, request.live_set.etag, changes))

    async def DeleteLiveSet(self, request: pb.DeleteLiveSetRequest, context: Any) -> pb.LiveSet:
        """The deleted Live Set."""
        ids = ids_in(_LIVE_SET, request.name)
        return live_set_message(await self._run(self._live_sets.delete, *ids, request.etag), full=False)

    async def UndeleteLiveSet(self, request: pb.UndeleteLiveSetRequest, context: Any) -> pb.LiveSet:
        """The Live Set, back again."""
        return live_set_message(await self._run(self._live_sets.undelete, *ids_in(_LIVE_SET, request.name)))

    async def GenerateCaption(self, request: pb.GenerateCaptionRequest, context: Any) -> pb.Caption:
        """A finished caption."""
        asked = caption_request(request, artist_in(request.parent, "parent"))
        return caption_message(await self._captions.generate(caller(), asked))

    async def StreamCaption(
        self, request: pb.StreamCaptionRequest, context: Any
    ) -> AsyncIterator[pb.StreamCaptionResponse]:
        """A caption as it is written."""
        artist = artist_in(request.parent, "parent")
        require(request.caption.parent in {"", request.parent}, "caption.parent", "empty or the same as parent")
        async for step in self._captions.stream(caller(), caption_request(request.caption, artist)):
            yield step_message(step)

    async def CheckCaption(self, request: pb.CheckCaptionRequest, context: Any) -> pb.CheckCaptionResponse:
        """What the rules say of a text."""
        artist = artist_in(request.parent, "parent")
        live_set = _id_in(_LIVE_SET, request.live_set, "live_set")
        text, verdict, fixes = await self._run(
            self._captions.check, artist, request.text, live_set, request.tempo_bpm or None, list(request.siblings)
        )
        return pb.CheckCaptionResponse(
            text=text,
            violations=_findings(verdict.violations),
            warnings=_findings(verdict.warnings),
            fixes=_findings(fixes),
        )

    async def GetCaption(self, request: pb.GetCaptionRequest, context: Any) -> pb.Caption:
        """One caption."""
        return caption_message(await self._run(self._captions.get, *ids_in(_CAPTION, request.name)))

    async def ListCaptions(self, request: pb.ListCaptionsRequest, context: Any) -> pb.ListCaptionsResponse:
        """The captions of an artist."""
        artist = artist_in(request.parent, "parent")
        page = await self._run(self._captions.list, artist, request.page_size, request.page_token)
        captions = [caption_message(caption) for caption in page.items]
        return pb.ListCaptionsResponse(captions=captions, next_page_token=page.next_page_token)


def caption_request(request: pb.GenerateCaptionRequest, artist: str) -> CaptionRequest:
    """What a caption is asked for with."""
    hints = request.hints
    _id_in(_ASSET, request.asset, "asset")
    return CaptionRequest(
        artist=artist,
        live_set=_id_in(_LIVE_SET, request.live_set, "live_set"),
        asset=request.asset,
        hints=Hints(
            tempo_bpm=hints.tempo_bpm or None,
            time_signature=hints.time_signature,
            key=hints.key,
            genres=tuple(hints.genres),
            moods=tuple(hints.moods),
            instruments=tuple(hints.instruments),
            notes=hints.notes,
        ),
        prompt_version=request.prompt_version,
        request_id=request.request_id,
    )


def _id_in(pattern: str, name: str, field: str) -> str:
    return ids_in(pattern, name, field)[1] if name else ""


def live_set_message(live_set: LiveSet, *, full: bool = True) -> pb.LiveSet:
    """The Live Set as a message, with its summary if `full`."""
    summary = live_set.summary
    overview = summary.get("overview", {})
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
    )


def step_message(step: str | Retry | Caption) -> pb.StreamCaptionResponse:
    """A step of a caption being written as a message."""
    if isinstance(step, str):
        return pb.StreamCaptionResponse(delta=step)
    if isinstance(step, Retry):
        retry = pb.CaptionRetry(attempt=step.attempt, violations=_findings(step.violations))
        return pb.StreamCaptionResponse(retry=retry)
    return pb.StreamCaptionResponse(caption=caption_message(step))


def caption_message(caption: Caption) -> pb.Caption:
    """The caption as a message."""
    origin = caption.provenance
    return pb.Caption(
        name=caption.name,
        text=caption.text,
        violations=_findings(caption.violations),
        warnings=_findings(caption.warnings),
        provenance=pb.Provenance(
            engine=origin.engine,
            model=origin.model,
            prompt_version=origin.prompt_version,
            temperature=origin.temperature,
            input_sha256=origin.input_sha256,
            master_schema_sha256=origin.master_schema_sha256,
            live_set=origin.live_set,
            asset=origin.asset,
            raw_text=origin.raw_text,
            attempts=origin.attempts,
            prompt_tokens=origin.usage.prompt_tokens,
            completion_tokens=origin.usage.completion_tokens,
            latency_ms=origin.latency_ms,
            generate_time=time_of(origin.generate_time),
            principal=origin.principal,
        ),
        create_time=time_of(caption.create_time),
        etag=caption.uid,
    )


def _findings(findings: Iterable[Finding]) -> list[pb.CaptionFinding]:
    return [pb.CaptionFinding(rule=finding.rule, description=finding.description) for finding in findings]
