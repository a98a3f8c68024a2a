"""The other services of the platform."""

from __future__ import annotations

from chassis.channels import Channels
from services.prompt.domain.ports import AssetFacts
from tonewright.assets.v1 import assets_pb2, assets_pb2_grpc


class SessionsAssets:
    """Assets as the sessions service knows them."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def find(self, name: str) -> AssetFacts:
        """The facts of an asset."""
        stub = assets_pb2_grpc.AssetsServiceStub(self._channels.aio("sessions"))
        asset = await stub.GetAsset(assets_pb2.GetAssetRequest(name=name), timeout=10)
        heard = asset.analysis
        return AssetFacts(
            name=asset.name,
            duration_s=asset.duration_s,
            tempo_bpm=heard.tempo_bpm,
            tempo_confidence=heard.tempo_confidence,
            key=heard.key,
            key_confidence=heard.key_confidence,
        )
