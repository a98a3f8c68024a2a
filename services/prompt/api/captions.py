"""Captions over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

from chassis.context import caller
from chassis.errors import collect, require
from services.prompt.api.messages import ASSET, CAPTION, LIVE_SET, artist_in, id_in, ids_in, time_of
from services.prompt.domain.captions import Caption, CaptionRequest, Hints, Retry
from services.prompt.domain.findings import Finding
from services.prompt.domain.ports import Run
from services.prompt.use_cases.captions import Captions
from services.prompt.use_cases.checks import Checked, Checks, Text
from tonewright.prompt.v1 import prompt_pb2 as pb
from tonewright.prompt.v1 import prompt_pb2_grpc

# So many captions, with their provenance, fit into a message.
_MOST = 400


class CaptionMethods(prompt_pb2_grpc.PromptServiceServicer):
    """The part of the service that writes and checks captions."""

    _captions: Captions
    _checks: Checks
    _run: Run

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
        return checked_message(await self._run(self._checks.check, artist, text_in(request)))

    async def BatchCheckCaptions(
        self, request: pb.BatchCheckCaptionsRequest, context: Any
    ) -> pb.BatchCheckCaptionsResponse:
        """What the rules say of many texts."""
        artist = artist_in(request.parent, "parent")
        texts = []
        with collect() as violations:
            for place, asked in enumerate(request.requests):
                own = asked.parent in {"", request.parent}
                violations.require(own, f"requests[{place}].parent", "empty or the same as parent")
                with violations.within(f"requests[{place}]"):
                    texts.append(text_in(asked))
        found = await self._run(self._checks.check_all, artist, texts, compare_each_other=request.compare_each_other)
        return pb.BatchCheckCaptionsResponse(responses=map(checked_message, found))

    async def GetCaption(self, request: pb.GetCaptionRequest, context: Any) -> pb.Caption:
        """One caption."""
        return caption_message(await self._run(self._captions.get, *ids_in(CAPTION, request.name)))

    async def ListCaptions(self, request: pb.ListCaptionsRequest, context: Any) -> pb.ListCaptionsResponse:
        """The captions of an artist."""
        artist = artist_in(request.parent, "parent")
        id_in(LIVE_SET, request.live_set, "live_set")
        id_in(ASSET, request.asset, "asset")
        page = await self._run(
            self._captions.list,
            artist,
            min(request.page_size, _MOST),
            request.page_token,
            live_set=request.live_set,
            asset=request.asset,
        )
        captions = [caption_message(caption) for caption in page.items]
        return pb.ListCaptionsResponse(captions=captions, next_page_token=page.next_page_token)


def caption_request(request: pb.GenerateCaptionRequest, artist: str) -> CaptionRequest:
    """What a caption is asked for with."""
    hints = request.hints
    id_in(ASSET, request.asset, "asset")
    return CaptionRequest(
        artist=artist,
        live_set=id_in(LIVE_SET, request.live_set, "live_set"),
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
        hint=request.hint,
        variant=request.variant,
        siblings=tuple(request.siblings),
    )


def text_in(request: pb.CheckCaptionRequest) -> Text:
    """The text that is to be checked."""
    return Text(
        text=request.text,
        live_set=id_in(LIVE_SET, request.live_set, "live_set"),
        tempo_bpm=request.tempo_bpm or None,
        siblings=tuple(request.siblings),
    )


def checked_message(checked: Checked) -> pb.CheckCaptionResponse:
    """What was found in a text as a message."""
    return pb.CheckCaptionResponse(
        text=checked.text,
        violations=_findings(checked.verdict.violations),
        warnings=_findings(checked.verdict.warnings),
        fixes=_findings(checked.fixes),
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
            cost_usd_micros=origin.cost_usd_micros,
            variant=origin.variant,
            hint=origin.hint,
            tempo_bpm=origin.tempo_bpm,
            tempo_source=origin.tempo_source,
            instruction_sha256=origin.instruction_sha256,
            live_set_sha256=origin.live_set_sha256,
            seed=origin.seed,
        ),
        create_time=time_of(caption.create_time),
        etag=caption.uid,
    )


def _findings(findings: Iterable[Finding]) -> list[pb.CaptionFinding]:
    return [pb.CaptionFinding(rule=finding.rule, description=finding.description) for finding in findings]
