"""The sessions service, as the keeper of audio assets."""

from __future__ import annotations

from chassis.channels import Channels
from services.datasets.domain.items import Audio
from tonewright.assets.v1 import assets_pb2, assets_pb2_grpc


class SessionsAssets:
    """Assets of the current caller's artist, by gRPC."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    def get(self, asset: str) -> Audio:
        """The asset's facts; raises NotFound when there is none."""
        found = self._stub().GetAsset(assets_pb2.GetAssetRequest(name=asset))
        return Audio(
            asset=found.name,
            display_name=found.display_name,
            object_key=found.blob_key,
            sha256=found.sha256,
            crc32=found.crc32,
            size_bytes=found.size_bytes,
            media_type=found.media_type,
            duration_s=found.duration_s,
            rate_hz=found.rate_hz,
            channels=found.channels,
            pcm_sha256=found.pcm_sha256,
            loudness_lufs=found.loudness_lufs if found.HasField("loudness_lufs") else None,
            peak=found.peak,
            clipped_share=found.analysis.clipped_share,
            silent_share=found.analysis.silent_share,
            tempo_bpm=found.analysis.tempo_bpm,
            tempo_confidence=found.analysis.tempo_confidence,
            key=found.analysis.key,
            key_confidence=found.analysis.key_confidence,
        )

    def hold(self, asset: str, holder: str) -> None:
        """Keep the asset from being deleted; a repeat changes nothing."""
        self._stub().HoldAsset(assets_pb2.HoldAssetRequest(asset=asset, holder=holder))

    def release(self, asset: str, holder: str) -> None:
        """Give the hold back; a repeat changes nothing."""
        self._stub().ReleaseAsset(assets_pb2.ReleaseAssetRequest(asset=asset, holder=holder))

    def _stub(self) -> assets_pb2_grpc.AssetsServiceStub:
        return assets_pb2_grpc.AssetsServiceStub(self._channels.sync("sessions"))
