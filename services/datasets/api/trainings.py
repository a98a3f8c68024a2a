"""TrainingsService over gRPC, put together from its parts."""

from __future__ import annotations

from typing import Any

from google.longrunning.operations_pb2 import Operation
from google.protobuf.empty_pb2 import Empty

from chassis.context import caller
from chassis.errors import require
from chassis.operations import JobView, OperationSource, to_operation
from chassis.runtime import WorkPool
from services.datasets.api import training_messages as messages
from services.datasets.api.emulation import EmulationRpcs
from services.datasets.api.shared import artist_of, key_of, last_of
from services.datasets.domain import generations, items, trainings
from services.datasets.domain.generations import Generation
from services.datasets.domain.ports import RequestKey
from services.datasets.domain.provider_runs import RunState
from services.datasets.domain.training_ports import TrainingFilter
from services.datasets.domain.trainings import Training
from services.datasets.use_cases.emulation import EmulationDesk
from services.datasets.use_cases.generations import GenerationDesk
from services.datasets.use_cases.lineage import LineageDesk
from services.datasets.use_cases.trainings import TrainingDesk
from services.datasets.use_cases.webhooks import Webhooks
from tonewright.datasets.v1 import trainings_pb2 as pb
from tonewright.datasets.v1.trainings_pb2_grpc import TrainingsServiceServicer

_WEBHOOK_BYTES = 1 << 20
_ASSET, _LIVE_SET = "artists/{artist}/assets/{asset}", "artists/{artist}/live-sets/{live_set}"


class TrainingsServicer(EmulationRpcs, TrainingsServiceServicer):
    """tonewright.datasets.v1.TrainingsService."""

    def __init__(
        self,
        emulation: EmulationDesk,
        training_desk: TrainingDesk,
        generation_desk: GenerationDesk,
        lineage: LineageDesk,
        webhooks: Webhooks,
        pool: WorkPool,
    ) -> None:
        self._emulation, self._trainings, self._generations = emulation, training_desk, generation_desk
        self._lineage, self._webhooks, self._pool = lineage, webhooks, pool

    async def CreateTraining(self, request: pb.CreateTrainingRequest, context: Any) -> Operation:
        """A training that is about to be handed over."""
        artist = artist_of(request.parent)
        wish, key = messages.training_wish(request), _key_of(request, "CreateTraining")
        return _training_operation(await self._pool.run(self._trainings.create, artist, caller().principal, wish, key))

    async def GetTraining(self, request: pb.GetTrainingRequest, context: Any) -> pb.Training:
        """One training."""
        return messages.to_training(await self._pool.run(self._trainings.get, *last_of(trainings.NAME, request.name)))

    async def ListTrainings(self, request: pb.ListTrainingsRequest, context: Any) -> pb.ListTrainingsResponse:
        """Trainings, newest first; those that used something, if asked."""
        artist = artist_of(request.parent)
        page = await self._pool.run(
            self._trainings.page, artist, _filter(request), size=request.page_size, token=request.page_token
        )
        found = [messages.to_listed(training) for training in page.items]
        return pb.ListTrainingsResponse(trainings=found, next_page_token=page.next_page_token)

    async def CancelTraining(self, request: pb.CancelTrainingRequest, context: Any) -> pb.Training:
        """The training after the wish to stop it."""
        return messages.to_training(
            await self._pool.run(self._trainings.cancel, *last_of(trainings.NAME, request.name))
        )

    async def GetLineage(self, request: pb.GetLineageRequest, context: Any) -> pb.Lineage:
        """What a training or a generation was made of."""
        found = await self._pool.run(self._lineage.of, request.name, size=request.page_size, token=request.page_token)
        return messages.to_lineage(found)

    async def GetTrainingBudget(self, request: pb.GetTrainingBudgetRequest, context: Any) -> pb.TrainingBudget:
        """What trainings may cost and have cost."""
        return messages.to_budget(await self._pool.run(self._trainings.budget, artist_of(request.parent)))

    async def CreateGeneration(self, request: pb.CreateGenerationRequest, context: Any) -> Operation:
        """A generation that is about to be handed over."""
        artist, key = artist_of(request.parent), _key_of(request, "CreateGeneration")
        wished, asked = messages.sampling(request.generation), request.generation
        made = await self._pool.run(
            self._generations.create, artist, caller().principal, asked.training, wished, request.webhook_url, key
        )
        return _generation_operation(made)

    async def GetGeneration(self, request: pb.GetGenerationRequest, context: Any) -> pb.Generation:
        """One generation."""
        return messages.to_generation(
            await self._pool.run(self._generations.get, *last_of(generations.NAME, request.name))
        )

    async def ListGenerations(self, request: pb.ListGenerationsRequest, context: Any) -> pb.ListGenerationsResponse:
        """Generations, newest first."""
        artist = artist_of(request.parent)
        page = await self._pool.run(
            self._generations.page, artist, request.training, size=request.page_size, token=request.page_token
        )
        found = [messages.to_generation(generation) for generation in page.items]
        return pb.ListGenerationsResponse(generations=found, next_page_token=page.next_page_token)

    async def CancelGeneration(self, request: pb.CancelGenerationRequest, context: Any) -> pb.Generation:
        """The generation after the wish to stop it."""
        return messages.to_generation(
            await self._pool.run(self._generations.cancel, *last_of(generations.NAME, request.name))
        )

    async def ReceiveTrainingWebhook(self, request: pb.ReceiveTrainingWebhookRequest, context: Any) -> Empty:
        """Apply what a webhook tells."""
        require(len(request.body) <= _WEBHOOK_BYTES, "body", f"up to {_WEBHOOK_BYTES} bytes")
        await self._pool.run(self._webhooks.receive, request.provider, dict(request.headers), request.body)
        return Empty()


def training_sources(training_desk: TrainingDesk, generation_desk: GenerationDesk) -> dict[str, OperationSource]:
    """Where the operations of trainings and generations come from, by collection."""

    def list_trainings(artist: str, size: int, token: str) -> tuple[list[JobView], str]:
        page = training_desk.page(artist, TrainingFilter(), size=size, token=token)
        return [messages.training_view(training) for training in page.items], page.next_page_token

    def list_generations(artist: str, size: int, token: str) -> tuple[list[JobView], str]:
        page = generation_desk.page(artist, "", size=size, token=token)
        return [messages.generation_view(generation) for generation in page.items], page.next_page_token

    return {
        trainings.COLLECTION: OperationSource(
            get=lambda artist, uid: messages.training_view(training_desk.get(artist, uid)),
            cancel=training_desk.cancel,
            response=lambda view: messages.to_training(training_desk.get(view.artist, view.uid)),
            list=list_trainings,
        ),
        generations.COLLECTION: OperationSource(
            get=lambda artist, uid: messages.generation_view(generation_desk.get(artist, uid)),
            cancel=generation_desk.cancel,
            response=lambda view: messages.to_generation(generation_desk.get(view.artist, view.uid)),
            list=list_generations,
        ),
    }


def _key_of(request: Any, method: str) -> RequestKey:
    # The gateway makes a new link, and its own address, for every request: a repeat is the same request still.
    bare = type(request)()
    bare.CopyFrom(request)
    for field in ("archive_url", "webhook_url"):
        if field in bare.DESCRIPTOR.fields_by_name:
            bare.ClearField(field)
    return key_of(bare, method)


def _filter(request: pb.ListTrainingsRequest) -> TrainingFilter:
    if request.asset:
        last_of(_ASSET, request.asset, field="asset")
    if request.live_set:
        last_of(_LIVE_SET, request.live_set, field="live_set")
    item = last_of(items.NAME, request.training_item, field="training_item")[1] if request.training_item else ""
    return TrainingFilter(item, request.asset, request.live_set)


def _training_operation(training: Training) -> Operation:
    response = messages.to_training(training) if training.state is RunState.SUCCEEDED else None
    return to_operation(messages.training_view(training), response, service="datasets")


def _generation_operation(generation: Generation) -> Operation:
    response = messages.to_generation(generation) if generation.state is RunState.SUCCEEDED else None
    return to_operation(messages.generation_view(generation), response, service="datasets")
