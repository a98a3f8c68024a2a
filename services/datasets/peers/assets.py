"""The sessions service, as the keeper of audio assets."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.channels import Channels
from services.datasets.domain.items import Audio
from tonewright.assets.v1 import assets_pb2, assets_pb2_grpc

_AT_ONCE = 1000  # the most that the sessions service takes


class SessionsAssets:
    """Assets of the current caller's artist, by gRPC."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    def get(self, asset: str) -> Audio:
        """The asset's facts; raises NotFound when there is none."""
        return self.heard(asset)[0]

    def heard(self, asset: str) -> tuple[Audio, bytes]:
        """The asset's facts with the fingerprint of its sound, empty when there is none; raises NotFound."""
        found = self._stub().GetAsset(assets_pb2.GetAssetRequest(name=asset))
        return _audio(found), found.analysis.fingerprint

    def hold(self, asset: str, holder: str) -> None:
        """Keep the asset from being deleted; a repeat changes nothing."""
        self._stub().HoldAsset(assets_pb2.HoldAssetRequest(asset=asset, holder=holder))

    def hold_all(self, artist: str, assets: Sequence[str], holder: str) -> list[Audio]:
        """Keep the assets from being deleted, all or none of a thousand, and give their facts."""
        parent, found = f"artists/{artist}", list[Audio]()
        for start in range(0, len(assets), _AT_ONCE):
            names = assets[start : start + _AT_ONCE]
            request = assets_pb2.BatchHoldAssetsRequest(parent=parent, assets=names, holder=holder)
            found += [_audio(asset) for asset in self._stub().BatchHoldAssets(request).assets]
        return found

    def release(self, asset: str, holder: str) -> None:
        """Give the hold back, or all holds of the holder when `asset` is empty; a repeat changes nothing."""
        if not asset:
            parent = "/".join(holder.split("/")[:2])
            self._stub().ReleaseHolder(assets_pb2.ReleaseHolderRequest(parent=parent, holder=holder))
            return
        self._stub().ReleaseAsset(assets_pb2.ReleaseAssetRequest(asset=asset, holder=holder))

    def _stub(self) -> assets_pb2_grpc.AssetsServiceStub:
        return assets_pb2_grpc.AssetsServiceStub(self._channels.sync("sessions"))


def _audio(found: assets_pb2.Asset) -> Audio:
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
