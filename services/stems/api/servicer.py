"""gRPC methods: message in, use case, message out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf import empty_pb2

from chassis.errors import AppError, require
from chassis.ids import parse_name
from chassis.operations import JobView, OperationSource, to_operation
from chassis.runtime import MethodRule, WorkPool
from chassis.status import rich_status
from services.stems.api.messages import (
    MODEL_PATTERN,
    order_of,
    state_of,
    to_chunk,
    to_job,
    to_model,
    to_proto,
)
from services.stems.domain import (
    COLLECTION,
    NAME_PATTERN,
    Catalogue,
    ModelNotFound,
    ModelUnusable,
    Separation,
    SeparationChannelsUnsupported,
    SeparationFormatUnsupported,
    SeparationInputDamaged,
    SeparationInputEmpty,
    SeparationInputNotFinite,
    SeparationInputTooLong,
)
from services.stems.use_cases import Asked, Batch, Separations
from tonewright.stems.v1 import stems_pb2 as pb
from tonewright.stems.v1.stems_pb2_grpc import StemsServiceServicer

METHOD_RULES = {
    # The answer is larger than the request, and has to fit into a message of 4 MiB.
    "StemsService/BatchCreateSeparations": MethodRule(max_request_bytes=1 << 20),
    "StemsService/ListJobs": MethodRule(scope="platform", operator=True),
    "StemsService/RetryJob": MethodRule(scope="platform", operator=True),
    "StemsService/CancelJob": MethodRule(scope="platform", operator=True),
}
_WATCH_EVERY_S = 0.25
_MAX_BATCH = 1000
# The gRPC code of a failed job's reason; a reason that is not here is INTERNAL.
_FAILURES: tuple[type[AppError], ...] = (
    ModelNotFound,
    ModelUnusable,
    SeparationChannelsUnsupported,
    SeparationFormatUnsupported,
    SeparationInputDamaged,
    SeparationInputEmpty,
    SeparationInputNotFinite,
    SeparationInputTooLong,
)
_CODES = {"WORKER_LOST": "UNAVAILABLE"} | {kind.REASON: kind.CODE.name for kind in _FAILURES}


class StemsServicer(StemsServiceServicer):
    """Separations, models and jobs."""

    def __init__(self, pool: WorkPool, separations: Separations, catalogue: Catalogue) -> None:
        self._pool, self._separations, self._catalogue = pool, separations, catalogue

    async def CreateSeparation(self, request: pb.CreateSeparationRequest, context: Any) -> operations_pb2.Operation:
        """Start a separation."""
        artist = _artist(request.parent)
        order = order_of(request.separation)
        fingerprint = request.SerializeToString(deterministic=True)
        made = await self._pool.run(self._separations.create, artist, order, request.request_id, fingerprint)
        return to_operation(view_of(made), to_proto(made), service="stems")

    async def BatchCreateSeparations(
        self, request: pb.BatchCreateSeparationsRequest, context: Any
    ) -> pb.BatchCreateSeparationsResponse:
        """Start several separations."""
        artist = _artist(request.parent)
        require(1 <= len(request.requests) <= _MAX_BATCH, "requests", f"1 to {_MAX_BATCH}")
        strange = next((at for at, one in enumerate(request.requests) if one.parent not in ("", request.parent)), None)
        require(strange is None, f"requests[{strange}].parent", f"nothing, or {request.parent}")
        batch = Batch(artist, request.request_id, request.SerializeToString(deterministic=True))
        await self._pool.run(self._separations.begin, batch)
        # One after the other: they are worked on in this order, and a caller who leaves ends it.
        operations = [
            self._operation_of(await self._pool.run(self._separations.create_one, batch, index, _asked(one)))
            for index, one in enumerate(request.requests)
        ]
        return pb.BatchCreateSeparationsResponse(operations=operations)

    def _operation_of(self, outcome: Separation | AppError) -> operations_pb2.Operation:
        if isinstance(outcome, AppError):
            return operations_pb2.Operation(done=True, error=rich_status(outcome, "stems"))
        return to_operation(view_of(outcome), to_proto(outcome), service="stems")

    async def GetSeparation(self, request: pb.GetSeparationRequest, context: Any) -> pb.Separation:
        """One separation."""
        return to_proto(await self._pool.run(self._separations.get, *_parts(request.name)))

    async def ListSeparations(self, request: pb.ListSeparationsRequest, context: Any) -> pb.ListSeparationsResponse:
        """The artist's separations."""
        page = await self._pool.run(
            self._separations.page,
            _artist(request.parent),
            size=request.page_size,
            token=request.page_token,
            asset=request.asset,
            state=state_of(request.state),
        )
        return pb.ListSeparationsResponse(separations=map(to_proto, page.items), next_page_token=page.next_page_token)

    async def CancelSeparation(self, request: pb.CancelSeparationRequest, context: Any) -> pb.Separation:
        """Ask for the end of a separation's work."""
        return to_proto(await self._pool.run(self._separations.cancel, *_parts(request.name)))

    async def DeleteSeparation(self, request: pb.DeleteSeparationRequest, context: Any) -> empty_pb2.Empty:
        """Remove a separation."""
        await self._pool.run(self._separations.delete, *_parts(request.name), request.etag)
        return empty_pb2.Empty()

    async def WatchSeparation(
        self, request: pb.WatchSeparationRequest, context: Any
    ) -> AsyncIterator[pb.WatchSeparationResponse]:
        """The separation now and at each change until it has ended."""
        require(request.first_chunk >= 0, "first_chunk", "0 or more")
        parts, told, following = _parts(request.name), "", request.first_chunk
        while True:
            found = await self._pool.run(self._separations.get, *parts)
            if found.etag != told and not found.state.is_final:
                told = found.etag
                yield pb.WatchSeparationResponse(separation=to_proto(found))
            # Read after the separation: one that has ended has no chunk that is not there yet.
            while request.include_chunks and found.order.publish_chunks:
                chunks = await self._pool.run(self._separations.chunks, *parts, first=following)
                for chunk in chunks:
                    yield pb.WatchSeparationResponse(chunk=to_chunk(chunk))
                following += len(chunks)
                if not chunks:
                    break
            if found.state.is_final:
                yield pb.WatchSeparationResponse(separation=to_proto(found))
                return
            await asyncio.sleep(_WATCH_EVERY_S)

    async def ListModels(self, request: pb.ListModelsRequest, context: Any) -> pb.ListModelsResponse:
        """The models."""
        artist = _artist(request.parent)
        page = self._catalogue.page(size=request.page_size, token=request.page_token)
        models = [to_model(artist, model) for model in page.items]
        return pb.ListModelsResponse(models=models, next_page_token=page.next_page_token)

    async def GetModel(self, request: pb.GetModelRequest, context: Any) -> pb.Model:
        """One model."""
        parts = parse_name(MODEL_PATTERN, request.name)
        return to_model(parts["artist"], self._catalogue.find(parts["model"]))

    async def ListJobs(self, request: pb.ListJobsRequest, context: Any) -> pb.ListJobsResponse:
        """Jobs of all artists."""
        page = await self._pool.run(
            self._separations.page_of_all,
            size=request.page_size,
            token=request.page_token,
            state=state_of(request.state),
        )
        return pb.ListJobsResponse(jobs=map(to_job, page.items), next_page_token=page.next_page_token)

    async def RetryJob(self, request: pb.RetryJobRequest, context: Any) -> pb.Job:
        """Queue a job again."""
        return to_job(await self._pool.run(self._separations.requeue, *_parts(request.name)))

    async def CancelJob(self, request: pb.CancelJobRequest, context: Any) -> pb.Job:
        """Ask for the end of a job of any artist."""
        return to_job(await self._pool.run(self._separations.cancel, *_parts(request.name)))


def operation_source(separations: Separations) -> OperationSource:
    """Separations as operations."""

    def listed(artist: str, size: int, token: str) -> tuple[list[JobView], str]:
        page = separations.page(artist, size=size, token=token, asset="", state=None)
        return [view_of(separation) for separation in page.items], page.next_page_token

    return OperationSource(
        get=lambda artist, uid: view_of(separations.get(artist, uid)),
        cancel=separations.cancel,
        response=lambda view: to_proto(separations.get(view.artist, view.uid)),
        list=listed,
    )


def view_of(separation: Separation) -> JobView:
    """The separation as a piece of long work."""
    attempt, times, failure = separation.attempt, separation.times, separation.failure
    return JobView(
        uid=separation.uid,
        artist=separation.artist,
        collection=COLLECTION,
        target=separation.name,
        state=separation.state.value,
        create_time=times.created,
        update_time=times.updated,
        progress_percent=attempt.progress_percent,
        stage=attempt.stage,
        eta_s=attempt.eta_s,
        end_time=times.ended,
        attempt=attempt.attempt,
        error_reason=failure.reason if failure else "",
        error_message=failure.message if failure else "",
        error_code=_CODES.get(failure.reason, "INTERNAL") if failure else "INTERNAL",
    )


def _asked(request: pb.CreateSeparationRequest) -> Asked:
    return Asked(
        lambda: order_of(request.separation), request.request_id, request.SerializeToString(deterministic=True)
    )


def _artist(parent: str) -> str:
    return parse_name("artists/{artist}", parent, field="parent")["artist"]


def _parts(name: str) -> tuple[str, str]:
    parts = parse_name(NAME_PATTERN, name)
    return parts["artist"], parts["separation"]
