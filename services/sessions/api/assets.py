from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from google.longrunning.operations_pb2 import Operation
from google.protobuf.empty_pb2 import Empty
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import NotImplementedYet, require
from chassis.ids import parse_name
from chassis.runtime import WorkPool
from services.sessions.api import messages
from services.sessions.domain.assets import ASSET, PARENT, UPLOAD
from services.sessions.use_cases.assets import Assets
from services.sessions.use_cases.uploads import Uploads, UploadSpec
from tonewright.assets.v1 import assets_pb2, assets_pb2_grpc


class AssetsServicer(assets_pb2_grpc.AssetsServiceServicer):
    """tonewright.assets.v1.AssetsService."""

    def __init__(self, assets: Assets, uploads: Uploads, pool: WorkPool, *, completions_at_once: int = 4) -> None:
        self._assets, self._uploads, self._pool = assets, uploads, pool
        # A completion keeps its thread for seconds; the other threads stay free for quick calls.
        self._completions = asyncio.Semaphore(completions_at_once)

    async def CreateUpload(self, request: assets_pb2.CreateUploadRequest, context: Any) -> assets_pb2.Upload:
        """An open upload, or a finished one when the bytes are there."""
        artist = parse_name(PARENT, request.parent, field="parent")["artist"]
        spec = UploadSpec(
            request.sha256, request.size_bytes, request.media_type, request.display_name, request.request_id
        )
        return messages.to_upload(await self._pool.run(self._uploads.create, artist, spec))

    async def GetUpload(self, request: assets_pb2.GetUploadRequest, context: Any) -> assets_pb2.Upload:
        """One upload."""
        return messages.to_upload(await self._on(UPLOAD, request.name, self._uploads.get))

    async def CompleteUpload(self, request: assets_pb2.CompleteUploadRequest, context: Any) -> assets_pb2.Asset:
        """The asset that the received bytes are."""
        async with self._completions:
            made = await self._on(UPLOAD, request.name, self._uploads.complete, request.sha256)
            return messages.to_asset(made, with_fingerprint=True)

    async def AbortUpload(self, request: assets_pb2.AbortUploadRequest, context: Any) -> assets_pb2.Upload:
        """The upload, given up."""
        return messages.to_upload(await self._on(UPLOAD, request.name, self._uploads.abort))

    async def GetAsset(self, request: assets_pb2.GetAssetRequest, context: Any) -> assets_pb2.Asset:
        """One asset, with its fingerprint."""
        return messages.to_asset(await self._on(ASSET, request.name, self._assets.get), with_fingerprint=True)

    async def BatchGetAssets(
        self, request: assets_pb2.BatchGetAssetsRequest, context: Any
    ) -> assets_pb2.BatchGetAssetsResponse:
        """Several assets, and the names of those that are not there."""
        artist = parse_name(PARENT, request.parent, field="parent")["artist"]
        uids = [parse_name(ASSET, name, field="names")["asset"] for name in request.names]
        found, missing = await self._pool.run(self._assets.get_many, artist, uids)
        return assets_pb2.BatchGetAssetsResponse(
            assets=[messages.to_asset(one) for one in found],
            missing_names=[ASSET.format(artist=artist, asset=uid) for uid in missing],
        )

    async def ListAssets(self, request: assets_pb2.ListAssetsRequest, context: Any) -> assets_pb2.ListAssetsResponse:
        """A page of assets."""
        page = await self._pool.run(
            self._assets.list,
            parse_name(PARENT, request.parent, field="parent")["artist"],
            sha256=request.sha256,
            show_deleted=request.show_deleted,
            size=request.page_size,
            token=request.page_token,
        )
        found = [messages.to_asset(one) for one in page.items]
        return assets_pb2.ListAssetsResponse(assets=found, next_page_token=page.next_page_token)

    async def UpdateAsset(self, request: assets_pb2.UpdateAssetRequest, context: Any) -> assets_pb2.Asset:
        """The asset with its new display name."""
        check_mask(request.update_mask, {"display_name"})
        renamed = await self._on(
            ASSET, request.asset.name, self._assets.rename, request.asset.display_name, etag=request.etag
        )
        return messages.to_asset(renamed)

    async def DeleteAsset(self, request: assets_pb2.DeleteAssetRequest, context: Any) -> assets_pb2.Asset:
        """The asset, deleted softly."""
        return messages.to_asset(await self._on(ASSET, request.name, self._assets.delete, etag=request.etag))

    async def UndeleteAsset(self, request: assets_pb2.UndeleteAssetRequest, context: Any) -> assets_pb2.Asset:
        """The asset, deleted no more."""
        return messages.to_asset(await self._on(ASSET, request.name, self._assets.undelete))

    async def GetAssetPeaks(self, request: assets_pb2.GetAssetPeaksRequest, context: Any) -> assets_pb2.AssetPeaks:
        """A window of the waveform."""
        peaks = await self._on(
            ASSET,
            request.name,
            self._assets.peaks,
            level=request.level,
            first_bucket=request.first_bucket,
            buckets=request.bucket_count,
        )
        return messages.to_peaks(peaks)

    async def HoldAsset(self, request: assets_pb2.HoldAssetRequest, context: Any) -> assets_pb2.AssetHold:
        """The holder's hold."""
        return messages.to_hold(await self._on(ASSET, request.asset, self._assets.hold, request.holder, field="asset"))

    async def ReleaseAsset(self, request: assets_pb2.ReleaseAssetRequest, context: Any) -> Empty:
        """Nothing, once the hold is gone."""
        await self._on(ASSET, request.asset, self._assets.release, request.holder, field="asset")
        return Empty()

    async def BatchHoldAssets(
        self, request: assets_pb2.BatchHoldAssetsRequest, context: Any
    ) -> assets_pb2.BatchHoldAssetsResponse:
        """The assets, all held."""
        artist = parse_name(PARENT, request.parent, field="parent")["artist"]
        names = [parse_name(ASSET, name, field="assets") for name in request.assets]
        require(all(name["artist"] == artist for name in names), "assets", f"assets of {request.parent} alone")
        uids = [name["asset"] for name in names]
        held = await self._pool.run(self._assets.hold_many, artist, uids, request.holder)
        return assets_pb2.BatchHoldAssetsResponse(assets=[messages.to_asset(one) for one in held])

    async def ReleaseHolder(self, request: assets_pb2.ReleaseHolderRequest, context: Any) -> Empty:
        """Nothing, once the holder holds nothing."""
        artist = parse_name(PARENT, request.parent, field="parent")["artist"]
        await self._pool.run(self._assets.release_holder, artist, request.holder)
        return Empty()

    async def ListHolds(self, request: assets_pb2.ListHoldsRequest, context: Any) -> assets_pb2.ListHoldsResponse:
        """A page of what holds the asset."""
        page = await self._on(
            ASSET, request.asset, self._assets.holds, field="asset", size=request.page_size, token=request.page_token
        )
        found = [messages.to_hold(one) for one in page.items]
        return assets_pb2.ListHoldsResponse(holds=found, next_page_token=page.next_page_token)

    async def VerifyAssets(self, request: assets_pb2.VerifyAssetsRequest, context: Any) -> Operation:
        """Not in this release."""
        raise NotImplementedYet("VerifyAssets is not implemented in this release")

    async def GetVerification(
        self, request: assets_pb2.GetVerificationRequest, context: Any
    ) -> assets_pb2.AssetVerification:
        """Not in this release."""
        raise NotImplementedYet("GetVerification is not implemented in this release")

    async def _on(
        self, pattern: str, name: str, do: Callable[..., Any], *arguments: Any, field: str = "name", **named: Any
    ) -> Any:
        """What the use case gives for the resource of that name."""
        artist, uid = parse_name(pattern, name, field=field).values()
        return await self._pool.run(do, artist, uid, *arguments, **named)


def check_mask(mask: FieldMask, known: set[str]) -> None:
    """Refuse a mask that names what cannot be changed."""
    unknown = sorted(set(mask.paths) - known)
    require(not unknown, "update_mask", f"paths out of {', '.join(sorted(known))}, not {', '.join(unknown)}")
