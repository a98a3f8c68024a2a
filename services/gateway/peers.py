"""The services behind the gateway: their stubs, by name, over channels that sign for the current caller."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import grpc.aio
from google.longrunning import operations_pb2_grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message

from services.gateway.models import artists, assets, datasets, prompt, realtime, sessions, stems
from tonewright.artists.v1 import artists_pb2, artists_pb2_grpc
from tonewright.assets.v1 import assets_pb2, assets_pb2_grpc
from tonewright.datasets.v1 import (
    datasets_pb2,
    datasets_pb2_grpc,
    training_files_pb2,
    training_files_pb2_grpc,
    trainings_pb2,
    trainings_pb2_grpc,
)
from tonewright.prompt.v1 import prompt_pb2, prompt_pb2_grpc
from tonewright.realtime.v1 import realtime_pb2, realtime_pb2_grpc
from tonewright.sessions.v1 import sessions_pb2, sessions_pb2_grpc
from tonewright.stems.v1 import stems_pb2, stems_pb2_grpc

PEER_NAMES = ("prompt", "datasets", "sessions", "stems", "realtime")


class AioChannels(Protocol):
    """Channels to the services, by name."""

    def aio(self, peer: str) -> grpc.aio.Channel:
        """The channel to a service."""
        ...


@dataclass(frozen=True, slots=True)
class Api:
    """One gRPC service of a peer, with the JSON shapes of its messages."""

    peer: str
    descriptor: ServiceDescriptor
    stub: Callable[[Any], Any]
    models: ModuleType

    def method(self, name: str) -> MethodDescriptor:
        """What is known of one of its methods."""
        return self.descriptor.methods_by_name[name]


def _api(peer: str, pb2: Any, stub: Callable[[Any], Any], models: ModuleType, name: str) -> Api:
    return Api(peer, pb2.DESCRIPTOR.services_by_name[name], stub, models)


ARTISTS = _api("prompt", artists_pb2, artists_pb2_grpc.ArtistsServiceStub, artists, "ArtistsService")
PROMPT = _api("prompt", prompt_pb2, prompt_pb2_grpc.PromptServiceStub, prompt, "PromptService")
ASSETS = _api("sessions", assets_pb2, assets_pb2_grpc.AssetsServiceStub, assets, "AssetsService")
SESSIONS = _api("sessions", sessions_pb2, sessions_pb2_grpc.SessionsServiceStub, sessions, "SessionsService")
STEMS = _api("stems", stems_pb2, stems_pb2_grpc.StemsServiceStub, stems, "StemsService")
DATASETS = _api("datasets", datasets_pb2, datasets_pb2_grpc.DatasetsServiceStub, datasets, "DatasetsService")
TRAINING_FILES = _api(
    "datasets", training_files_pb2, training_files_pb2_grpc.TrainingFilesServiceStub, datasets, "TrainingFilesService"
)
TRAININGS = _api("datasets", trainings_pb2, trainings_pb2_grpc.TrainingsServiceStub, datasets, "TrainingsService")
REALTIME = _api("realtime", realtime_pb2, realtime_pb2_grpc.RealtimeServiceStub, realtime, "RealtimeService")
APIS = (ARTISTS, PROMPT, ASSETS, SESSIONS, STEMS, DATASETS, TRAINING_FILES, TRAININGS, REALTIME)


class Peers:
    """Calls to the services, each with a deadline.

    Args:
        channels: Where channels come from.
        timeout_s: Deadline of a call that gives none.
    """

    def __init__(self, channels: AioChannels, timeout_s: float) -> None:
        self._channels = channels
        self._timeout_s = timeout_s
        self._stubs: dict[tuple[str, str], Any] = {}

    def call(self, api: Api, method: str, request: Message, *, timeout_s: float | None = None) -> Awaitable[Any]:
        """The answer of a unary method."""
        stub = self._stub((api.peer, api.descriptor.full_name), api.stub)
        answer: Awaitable[Any] = getattr(stub, method)(request, timeout=timeout_s or self._timeout_s)
        return answer

    def stream(self, api: Api, method: str, request: Message) -> AsyncIterator[Any]:
        """The answers of a method that streams them; it ends when its consumer leaves."""
        stub = self._stub((api.peer, api.descriptor.full_name), api.stub)
        answers: AsyncIterator[Any] = getattr(stub, method)(request, timeout=3600)
        return answers

    def operations(self, peer: str) -> operations_pb2_grpc.OperationsStub:
        """The long work of a service."""
        stub: operations_pb2_grpc.OperationsStub = self._stub((peer, "operations"), operations_pb2_grpc.OperationsStub)
        return stub

    def channel(self, peer: str) -> grpc.aio.Channel:
        """The channel to a service."""
        return self._channels.aio(peer)

    def _stub(self, key: tuple[str, str], make: Callable[[Any], Any]) -> Any:
        if key not in self._stubs:
            self._stubs[key] = make(self._channels.aio(key[0]))
        return self._stubs[key]
