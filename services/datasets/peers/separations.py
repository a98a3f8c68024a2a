"""The stems service, as what takes vocals out."""

from __future__ import annotations

from chassis.channels import Channels
from services.datasets.domain.preparing import VocalsNotRemoved
from services.datasets.domain.rendering import Separation, SeparationModel
from tonewright.operations.v1.operations_pb2 import OperationMetadata, State
from tonewright.stems.v1 import stems_pb2, stems_pb2_grpc

_VOCALS, _REST = "vocals", "instruments"
_OVER = {State.STATE_FAILED: "failed", State.STATE_CANCELLED: "was cancelled"}


class StemsSeparations:
    """Separations of the current caller's artist, by gRPC."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    def model(self, artist: str) -> SeparationModel:
        """What the service takes when nobody asks for another, if it knows vocals."""
        asked = stems_pb2.ListModelsRequest(parent=f"artists/{artist}", page_size=1000)
        for found in self._stub().ListModels(asked).models:
            if found.is_default and _VOCALS in found.sources:
                return SeparationModel(found.engine, found.name.rpartition("/")[2], found.digest)
        raise VocalsNotRemoved(
            "the stems service's default model knows no vocals; set one that does, or export without remove_vocals"
        )

    def start(self, asset: str, model: SeparationModel, request_id: str) -> Separation:
        """The separation of that request; a repeat gives the same one, or raises NotFound when it was deleted since."""
        wanted = stems_pb2.Separation(
            asset=asset,
            model=model.name,
            stem_set=stems_pb2.STEM_SET_TWO_STEMS,
            target_stem=_VOCALS,
            output_format=stems_pb2.OUTPUT_FORMAT_FLAC_24,
            parameters=stems_pb2.SeparationParameters(deterministic=True),
            priority=stems_pb2.PRIORITY_BATCH,
        )
        asked = stems_pb2.CreateSeparationRequest(
            parent="/".join(asset.split("/")[:2]), separation=wanted, request_id=request_id
        )
        told = OperationMetadata()
        self._stub().CreateSeparation(asked).metadata.Unpack(told)
        return self.look(told.target)

    def look(self, name: str) -> Separation:
        """The separation as it stands now."""
        return _seen(self._stub().GetSeparation(stems_pb2.GetSeparationRequest(name=name)))

    def _stub(self) -> stems_pb2_grpc.StemsServiceStub:
        return stems_pb2_grpc.StemsServiceStub(self._channels.sync("stems"))


def _seen(found: stems_pb2.Separation) -> Separation:
    rest = next((one.asset for one in found.stems if one.stem == _REST), "")
    fault = ""
    if found.state in _OVER:
        fault = f"{_OVER[found.state]}: {found.error_message or found.error_reason or 'by somebody'}"
    return Separation(found.name, found.progress_percent / 100, found.stage, rest, fault)
