"""Others that the service speaks to: assets, as the sessions service keeps them, and receivers of webhooks."""

from __future__ import annotations

from dataclasses import dataclass

import grpc

from chassis.channels import Channels
from chassis.outbox import public_address
from services.stems.domain import SourceAsset, Upload, Webhook
from tonewright.assets.v1 import assets_pb2 as pb
from tonewright.assets.v1.assets_pb2_grpc import AssetsServiceStub

# The sessions service hashes and measures the whole file before it answers: an hour takes seconds on an idle machine.
_COMPLETE_TIMEOUT_S = 720.0


@dataclass(frozen=True, slots=True)
class AssetsPeer:
    """Speaks to the assets service on behalf of the current caller."""

    channels: Channels

    def get(self, name: str) -> SourceAsset:
        """What is known of an asset."""
        asset = self._stub().GetAsset(pb.GetAssetRequest(name=name))
        return SourceAsset(
            name=asset.name,
            blob_key=asset.blob_key,
            media_type=asset.media_type,
            size_bytes=asset.size_bytes,
            frame_count=asset.frames,
            rate_hz=asset.rate_hz,
            channels=asset.channels,
            pcm_sha256=asset.pcm_sha256,
        )

    def hold(self, asset: str, holder: str) -> None:
        """Keep the asset from being collected."""
        self._stub().HoldAsset(pb.HoldAssetRequest(asset=asset, holder=holder))

    def release(self, asset: str, holder: str) -> None:
        """Let go of it."""
        self._stub().ReleaseAsset(pb.ReleaseAssetRequest(asset=asset, holder=holder))

    def open_upload(self, artist: str, sha256: str, size_bytes: int, media_type: str, display_name: str) -> Upload:
        """A place for a file, or the asset that has its bytes."""
        upload = self._stub().CreateUpload(
            pb.CreateUploadRequest(
                parent=f"artists/{artist}",
                sha256=sha256,
                size_bytes=size_bytes,
                media_type=media_type,
                display_name=display_name,
            )
        )
        return Upload(upload.name, upload.object_key, upload.asset)

    def complete_upload(self, upload: Upload) -> str:
        """The name of the asset made of the uploaded bytes."""
        request = pb.CompleteUploadRequest(name=upload.name)
        return self._stub().CompleteUpload(request, timeout=_COMPLETE_TIMEOUT_S).name

    def _stub(self) -> AssetsServiceStub:
        channel: grpc.Channel = self.channels.sync("sessions")
        return AssetsServiceStub(channel)


@dataclass(frozen=True, slots=True)
class Receivers:
    """Receivers of webhooks, as far as events may be sent to them.

    Args:
        allow_private: Whether http and private addresses are taken.
    """

    allow_private: bool = False

    def check(self, webhook: Webhook) -> None:
        """Raise WebhookUrlRefused unless events may be sent there."""
        public_address(webhook.url, allow_private=self.allow_private)
