"""JSON shapes of tonewright.assets.v1, made by `tools/openapi.py`; never edited."""

# ruff: noqa: E501
from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from services.gateway.shapes import (
    In,
    Int64,
    Out,
    Text,
    Time,
)


class UploadState(StrEnum):
    """Where an upload stands."""

    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    ABORTED = "ABORTED"
    EXPIRED = "EXPIRED"


class Upload(Out):
    """The arrival of one file."""

    name: str = Field(
        description="Resource name, `artists/{artist}/uploads/{upload}`.",
        examples=["artists/nova/uploads/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    state: UploadState | None = Field(description="Where it stands.", examples=["OPEN"])
    put_url: str = Field(
        description="Presigned address for one HTTP PUT of the bytes; empty when the store cannot sign: then stream them through the gateway."
    )
    asset: str = Field(
        description="The asset it became, `artists/{artist}/assets/{asset}`; set at once when the artist already has these bytes.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    sha256: str = Field(
        description="SHA-256 that was announced, 64 lower-case hex digits; empty when it was not.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    size_bytes: int = Field(description="Size that was announced in bytes; 0 when it was not.", examples=[10584044])
    media_type: str = Field(description="Media type that was announced; empty when it was not.", examples=["audio/wav"])
    display_name: str = Field(description="Display name that the asset gets.", examples=["Night drive"])
    create_time: Time | None = Field(description="When it was opened.", examples=["2026-11-21T10:00:00.000000Z"])
    expire_time: Time | None = Field(
        description="When it ends unless completed before, 24 h after create_time.",
        examples=["2026-11-21T10:00:00.000000Z"],
    )


class CreateUploadBody(In):
    """Asks for a place for one file."""

    sha256: Text | None = Field(
        default=None,
        description='SHA-256 of the bytes, 64 hex digits; empty when not known yet, then nothing is compared and nothing is saved by "already have it".',
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    size_bytes: Int64 | None = Field(
        default=None, description="Size in bytes, 1 to the service's limit; 0 when not known yet.", examples=[10584044]
    )
    media_type: Text | None = Field(
        default=None,
        description="Media type as the caller knows it, such as `audio/wav`; what counts is found in the bytes.",
        examples=["audio/wav"],
    )
    display_name: Text | None = Field(
        default=None,
        description="Display name for the asset, up to 200 characters; default `Untitled`.",
        examples=["Night drive"],
    )


class AssetKind(StrEnum):
    """What an asset holds."""

    AUDIO = "AUDIO"


class AssetState(StrEnum):
    """Where an asset stands."""

    READY = "READY"
    DELETED = "DELETED"


class AudioAnalysis(Out):
    """What is heard in a recording, measured once when it comes in; long recordings are judged by their first ten minutes."""

    tempo_bpm: float = Field(description="Tempo in beats per minute; 0 when none is heard.", examples=[124.0])
    tempo_confidence: float = Field(description="How sure the tempo is, 0 to 1.", examples=[0.5])
    key: str = Field(description="Key as `B minor` or `F# major`; empty when none is heard.")
    key_confidence: float = Field(description="How sure the key is, 0 to 1.", examples=[0.5])
    clipped_share: float = Field(
        description="Share of frames that stand at full scale, three or more in a row, 0 to 1.", examples=[0.5]
    )
    silent_share: float = Field(
        description="Share of the length that is quieter than -60 dBFS, 0 to 1.", examples=[0.5]
    )


class Asset(Out):
    """One recording of an artist; the bytes of an asset never change."""

    name: str = Field(
        description="Resource name, `artists/{artist}/assets/{asset}`.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    display_name: str = Field(
        description="Name for people, 1 to 200 characters; the uploaded file's name by default.",
        examples=["Night drive"],
    )
    kind: AssetKind | None = Field(description="What it holds.", examples=["AUDIO"])
    state: AssetState | None = Field(description="Where it stands.", examples=["READY"])
    sha256: str = Field(
        description="SHA-256 of the stored bytes, 64 lower-case hex digits.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    size_bytes: int = Field(description="Size of the stored bytes, 1 and up.", examples=[10584044])
    crc32: int = Field(description="CRC-32 (IEEE, as in zip) of the stored bytes, 0 to 2^32 - 1.", examples=[1])
    media_type: str = Field(
        description="Media type as found in the bytes, such as `audio/wav`.", examples=["audio/wav"]
    )
    frames: int = Field(description="Length in frames, 1 and up.", examples=[2646000])
    rate_hz: int = Field(description="Frames per second in Hz, 1 and up.", examples=[44100])
    channels: int = Field(description="Number of channels, 1 and up.", examples=[2])
    duration_s: float = Field(description="Length in seconds: frames / rate_hz.", examples=[60.0])
    pcm_sha256: str = Field(
        description="SHA-256 of the decoded frames with rate and channels, 64 lower-case hex digits: equal for equal sound in two lossless files."
    )
    loudness_lufs: float | None = Field(
        description="Integrated loudness in LUFS by ITU-R BS.1770-4; absent when nothing passes the gate, as in silence.",
        examples=[0.5],
    )
    peak: float = Field(
        description="Largest absolute sample value, full scale is 1.0; above 1.0 when a lossy or float file overshoots.",
        examples=[0.5],
    )
    hold_count: int = Field(description="How many holders keep it, 0 and up.", examples=[1])
    create_time: Time | None = Field(description="When it was made.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(description="When its row last changed.", examples=["2026-11-21T10:00:00.000000Z"])
    delete_time: Time | None = Field(
        description="When it was deleted; absent while it is not.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    purge_time: Time | None = Field(
        description="When a deleted asset goes for good; absent while it is not deleted.",
        examples=["2026-11-21T10:00:00.000000Z"],
    )
    etag: str = Field(
        description="Changes whenever the asset changes; send it back to update or delete exactly this state.",
        examples=["5f1d2c3b4a596877"],
    )
    analysis: AudioAnalysis | None = Field(description="What is heard in it; absent while it was not listened to.")


class CompleteUploadBody(In):
    """Asks to turn the received bytes into an asset."""

    sha256: Text | None = Field(
        default=None,
        description="SHA-256 that the bytes must have, 64 hex digits; empty: the one announced at creation, if any.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )


class BatchGetAssetsResponse(Out):
    """Several assets."""

    assets: list[Asset] = Field(description="The assets that exist and are not deleted, in the order asked for.")
    missing_names: list[str] = Field(description="The names that do not exist or are deleted.")


class BatchGetAssetsBody(In):
    """Asks for several assets."""

    names: list[Text] = Field(
        description="The assets, 1 to 1000 names of this artist.",
        examples=[["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"]],
    )


class ListAssetsResponse(Out):
    """A page of assets."""

    assets: list[Asset] = Field(description="The assets, newest first.")
    next_page_token: str = Field(description="Token of the next page; empty at the end.")


class ListAssetsQuery(In):
    """Asks for an artist's assets."""

    page_size: int | None = Field(default=None, description="Most assets per page, 0 to 1000, default 50.")
    page_token: str | None = Field(
        default=None, description="Where to go on, from the page before; empty for the first page."
    )
    sha256: str | None = Field(
        default=None, description="Only assets with this SHA-256 of the stored bytes, 64 hex digits; empty for all."
    )
    show_deleted: bool | None = Field(default=None, description="Whether deleted assets are listed too, default no.")


class UpdateAssetBody(In):
    """Asks to change an asset."""

    display_name: Text | None = Field(
        default=None,
        description="Name for people, 1 to 200 characters; the uploaded file's name by default.",
        examples=["Night drive"],
    )


class AssetPeaks(Out):
    """A waveform for drawing; all channels together."""

    asset: str = Field(
        description="The asset, `artists/{artist}/assets/{asset}`.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    level: int = Field(description="Zoom level of these peaks, 0 is the finest.", examples=[1])
    levels: int = Field(description="How many zoom levels there are.", examples=[1])
    frames_per_bucket: int = Field(
        description="Frames that one bucket covers at this level; the last bucket may cover fewer.", examples=[1]
    )
    rate_hz: int = Field(description="Frames per second in Hz.", examples=[44100])
    total_buckets: int = Field(description="Buckets of this level in the whole asset.", examples=[1])
    first_bucket: int = Field(description="Bucket of the first pair in peaks.", examples=[1])
    peaks: str = Field(description="One signed byte of minimum and one of maximum per bucket; 127 is full scale.")


class GetAssetPeaksQuery(In):
    """Asks for a waveform."""

    level: int | None = Field(default=None, description="Zoom level, 0 (finest, default) to levels - 1 (coarsest).")
    first_bucket: int | None = Field(default=None, description="First bucket wanted, 0 and up, default 0.")
    bucket_count: int | None = Field(
        default=None, description="How many buckets, 1 to 1000000; 0: all that are left, at most 1000000."
    )


class AssetHold(Out):
    """One use of an asset by another resource."""

    asset: str = Field(
        description="The asset, `artists/{artist}/assets/{asset}`.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    holder: str = Field(description="The resource that uses it, a name under the same artist.")
    create_time: Time | None = Field(description="When the hold was taken.", examples=["2026-11-21T10:00:00.000000Z"])


class HoldAssetBody(In):
    """Asks for a hold."""

    holder: Text = Field(
        description="The resource that uses it, `artists/{artist}/<collection>/{id}` of the same artist, up to 300 characters."
    )


class ReleaseAssetBody(In):
    """Asks to release a hold."""

    holder: Text = Field(description="The resource that took the hold.")


class BatchHoldAssetsResponse(Out):
    """The assets that are held now."""

    assets: list[Asset] = Field(description="In the order asked for, as they are now.")


class BatchHoldAssetsBody(In):
    """Asks to hold many assets."""

    assets: list[Text] = Field(
        description="The assets, 1 to 1000 names of this artist; one that is not there answers ASSET_NOT_FOUND and none is held.",
        examples=[["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"]],
    )
    holder: Text = Field(description="The resource that needs them, such as `artists/{artist}/snapshots/{snapshot}`.")


class ReleaseHolderBody(In):
    """Asks to release every hold of a holder."""

    holder: Text = Field(description="The resource that held them.")


class ListHoldsResponse(Out):
    """A page of holds."""

    holds: list[AssetHold] = Field(description="The holds, newest first.")
    next_page_token: str = Field(description="Token of the next page; empty at the end.")


class ListHoldsQuery(In):
    """Asks what holds an asset."""

    page_size: int | None = Field(default=None, description="Most holds per page, 0 to 1000, default 50.")
    page_token: str | None = Field(
        default=None, description="Where to go on, from the page before; empty for the first page."
    )


class VerifyAssetsBody(In):
    """Asks to verify stored bytes."""

    asset: Text | None = Field(
        default=None,
        description="Only this asset, `artists/{artist}/assets/{asset}`; empty for all of the artist.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )


class AssetVerificationState(StrEnum):
    """Where a verification stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class AssetVerification(Out):
    """What hashing the stored bytes again has found."""

    name: str = Field(
        description="Resource name, `artists/{artist}/verifications/{verification}`.",
        examples=["artists/nova/verifications/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    state: AssetVerificationState | None = Field(description="Where it stands.", examples=["QUEUED"])
    checked_count: int = Field(description="Assets whose bytes were read, 0 and up.", examples=[1])
    checked_bytes: int = Field(description="Bytes that were read, 0 and up.", examples=[1])
    missing_assets: list[str] = Field(description="Assets whose bytes are gone.")
    damaged_assets: list[str] = Field(description="Assets whose bytes differ from their hash.")
    create_time: Time | None = Field(description="When it was asked for.", examples=["2026-11-21T10:00:00.000000Z"])
    end_time: Time | None = Field(
        description="When it ended; absent while it has not.", examples=["2026-11-21T10:00:00.000000Z"]
    )


# What each RPC gives, by service and method.
DOCS: dict[str, str] = {
    "AssetsService.CreateUpload": "Opens an upload, or answers at once with the asset when the artist already has these bytes.",
    "AssetsService.GetUpload": "Gives one upload.",
    "AssetsService.CompleteUpload": "Verifies the bytes at the upload's object key, measures them and gives the asset. A repeat gives the same asset. Takes tens of seconds for a gigabyte: call it with a deadline of 300 s.",
    "AssetsService.AbortUpload": "Gives an upload up and removes what it has received. A repeat changes nothing.",
    "AssetsService.GetAsset": "Gives one asset.",
    "AssetsService.BatchGetAssets": "Gives several assets in one call and names the ones that do not exist.",
    "AssetsService.ListAssets": "Lists an artist's assets, newest first.",
    "AssetsService.UpdateAsset": "Changes an asset's display name; its bytes never change.",
    "AssetsService.DeleteAsset": "Deletes an asset softly; it can be undeleted for 30 days. Refused with ASSET_HELD while something holds it.",
    "AssetsService.UndeleteAsset": "Takes a deletion back. A repeat changes nothing.",
    "AssetsService.GetAssetPeaks": "Gives the waveform's peaks for drawing.",
    "AssetsService.HoldAsset": "Takes a hold, so that the asset cannot be deleted. A repeat by the same holder gives the same hold.",
    "AssetsService.ReleaseAsset": "Releases a hold. A repeat changes nothing.",
    "AssetsService.BatchHoldAssets": "Takes holds on many assets for one holder, all or none. A repeat gives the same.",
    "AssetsService.ReleaseHolder": "Releases every hold of one holder. A repeat changes nothing.",
    "AssetsService.ListHolds": "Lists what holds an asset, newest first.",
    "AssetsService.VerifyAssets": "Hashes stored bytes again and compares them with what the rows say. The response is an AssetVerification.",
    "AssetsService.GetVerification": "Gives one verification.",
}
