"""The sessions service, as the maker of assets from files that come from elsewhere."""

from __future__ import annotations

from pathlib import Path

from chassis.channels import Channels
from chassis.objects import ObjectStore
from services.datasets.domain.training_ports import OutputFile
from tonewright.assets.v1 import assets_pb2, assets_pb2_grpc

# The sessions service hashes and measures the whole file before it answers.
_COMPLETE_TIMEOUT_S = 300.0


class AssetKeeper:
    """Makes assets of files, on behalf of the current caller."""

    def __init__(self, channels: Channels, objects: ObjectStore) -> None:
        self._channels, self._objects = channels, objects

    def keep(self, artist: str, file: OutputFile, display_name: str, holder: str) -> str:
        """Name of the asset, held by the holder; a repeat gives the same, as bytes are known by their hash."""
        stub = assets_pb2_grpc.AssetsServiceStub(self._channels.sync("sessions"))
        upload = stub.CreateUpload(
            assets_pb2.CreateUploadRequest(
                parent=f"artists/{artist}",
                sha256=file.sha256,
                size_bytes=file.size_bytes,
                media_type=file.media_type,
                display_name=display_name,
            )
        )
        asset = upload.asset
        if not asset:
            self._objects.put(upload.object_key, Path(file.path), media_type=file.media_type)
            request = assets_pb2.CompleteUploadRequest(name=upload.name)
            asset = stub.CompleteUpload(request, timeout=_COMPLETE_TIMEOUT_S).name
        stub.HoldAsset(assets_pb2.HoldAssetRequest(asset=asset, holder=holder))
        return asset
