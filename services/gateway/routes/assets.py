"""Audio assets: uploads of both kinds, content, waveforms, links."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from chassis.errors import RequestIdReused
from services.gateway.context import ServerTools, tools_of
from services.gateway.downloads import content_route, object_download
from services.gateway.errors import UploadNotOpen
from services.gateway.headers import announced_digest, request_id
from services.gateway.models.assets import Asset, CreateUploadBody, Upload
from services.gateway.peers import ASSETS
from services.gateway.replies import gone, resource_reply
from services.gateway.rest import fill
from services.gateway.routes.links import Link, link_to, reply_link
from services.gateway.transcode import IDEMPOTENCY, Rpc, expose
from services.gateway.uploads import hash_of, incoming, receive
from tonewright.assets.v1 import assets_pb2

router = APIRouter(prefix="/v1")
_ASSET = "/artists/{artist}/assets/{asset}"
_UPLOAD = "/artists/{artist}/uploads/{upload}"
# Measuring four hours of audio takes half a minute, and ten where the machine is busy.
_COMPLETE_S = 720.0
_BINARY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in (
                *("audio/wav", "audio/flac", "audio/mpeg", "audio/ogg", "audio/aiff", "audio/aac", "audio/mp4"),
                "application/octet-stream",
            )
        },
    }
}
_DIGEST = "SHA-256 of the body in hex; a body with another one is refused. `Content-Digest` works as well."


@router.post(
    "/artists/{artist}/assets",
    operation_id="create_asset",
    summary="Upload audio in one request",
    tags=["assets"],
    status_code=201,
    response_model=None,
    responses={
        200: {"model": Asset, "description": "The artist has these bytes already; this is their asset."},
        201: {"model": Asset, "description": "It was made."},
    },
    openapi_extra=_BINARY,
)
async def create_asset(
    request: Request,
    artist: str,
    display_name: Annotated[str, Query(description="Name for people; the file's by default.")] = "",
    x_content_sha256: Annotated[str | None, Header(alias="X-Content-SHA256", description=_DIGEST)] = None,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", description=IDEMPOTENCY)] = None,
) -> Response:
    """Takes the audio as the body, or as a form's file, and gives its asset once it is measured."""
    tools = tools_of(request)
    body = await incoming(request)
    digest = announced_digest(request)
    asked = assets_pb2.CreateUploadRequest(
        parent=f"artists/{artist}",
        sha256=digest,
        media_type=body.media_type,
        display_name=display_name or body.file_name,
        request_id=request_id(request),
    )
    upload = await tools.peers.call(ASSETS, "CreateUpload", asked)
    if upload.asset:
        # A repeat, or bytes that were announced by their hash and are here already.
        found = await _asset(tools, upload.asset)
        if not digest and await hash_of(body) != found.sha256:
            raise RequestIdReused("this Idempotency-Key came with another file before; send a new key with a new file")
        return resource_reply(request, found, 200)
    info = await receive(tools, request, upload.object_key, body)
    done = assets_pb2.CompleteUploadRequest(name=upload.name, sha256=info.sha256 or "")
    asset = await tools.peers.call(ASSETS, "CompleteUpload", done, timeout_s=_COMPLETE_S)
    was_here = asset.create_time.ToNanoseconds() < upload.create_time.ToNanoseconds()
    return resource_reply(request, asset, 200 if was_here else 201)


expose(
    router,
    "assets",
    Rpc("GET /artists/{artist}/assets", ASSETS, "ListAssets"),
    Rpc("POST /artists/{artist}/assets:batchGet", ASSETS, "BatchGetAssets"),
    Rpc("POST /artists/{artist}/assets:verify", ASSETS, "VerifyAssets"),
    Rpc(f"GET {_ASSET}", ASSETS, "GetAsset"),
    Rpc(f"PATCH {_ASSET}", ASSETS, "UpdateAsset"),
    Rpc(f"DELETE {_ASSET}", ASSETS, "DeleteAsset"),
    Rpc(f"POST {_ASSET}:undelete", ASSETS, "UndeleteAsset"),
    Rpc(f"GET {_ASSET}/peaks", ASSETS, "GetAssetPeaks"),
    Rpc(f"GET {_ASSET}/holds", ASSETS, "ListHolds", bind="asset", operation_id="list_asset_holds"),
    Rpc("GET /artists/{artist}/verifications/{verification}", ASSETS, "GetVerification"),
)


@content_route(
    router,
    f"{_ASSET}/content",
    operation_id="get_asset_content",
    summary="The audio",
    tag="assets",
    media_types=["audio/*"],
)
async def get_asset_content(request: Request, artist: str, asset: str) -> Response:
    """The stored bytes; `Range` gives a part, `If-Range` only of the same version."""
    return await asset_content(request, f"artists/{artist}/assets/{asset}")


@router.post(
    f"{_ASSET}:link",
    operation_id="link_asset",
    summary="A signed link to the audio",
    tags=["assets"],
    response_model=None,
    responses={200: {"model": Link}},
)
async def link_asset(request: Request, artist: str, asset: str) -> Response:
    """A link that gives the bytes without a key until it expires."""
    tools = tools_of(request)
    name = f"artists/{artist}/assets/{asset}"
    found = await _asset(tools, name)
    direct = await tools.pool.run(
        tools.objects.sign_get, found.blob_key, expires_s=tools.settings.link_ttl_s, filename=_file_name(found)
    )
    return reply_link(request, direct or link_to(request, name, _file_name(found)))


async def asset_content(request: Request, name: str) -> Response:
    """An asset's bytes as a download."""
    found = await _asset(tools_of(request), name)
    return await object_download(
        request,
        key=found.blob_key,
        size_bytes=found.size_bytes,
        sha256=found.sha256,
        media_type=found.media_type,
        file_name=_file_name(found),
        inline=True,
    )


@router.post(
    "/artists/{artist}/uploads",
    operation_id="create_upload",
    summary="Open an upload, or learn that the bytes are here",
    tags=["uploads"],
    status_code=201,
    response_model=None,
    responses={
        200: {"model": Upload, "description": "The artist has these bytes already; `asset` names them."},
        201: {
            "model": Upload,
            "description": "Send the bytes to `put_url`, or where it is empty to `content` below it.",
        },
    },
)
async def create_upload(
    request: Request,
    artist: str,
    body: CreateUploadBody,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", description=IDEMPOTENCY)] = None,
) -> Response:
    """Announces a file by its hash; nothing needs to be sent when the artist has its bytes."""
    asked = assets_pb2.CreateUploadRequest(parent=f"artists/{artist}", request_id=request_id(request))
    fill(asked, body.model_dump(exclude_unset=True))
    upload = await tools_of(request).peers.call(ASSETS, "CreateUpload", asked)
    return resource_reply(request, upload, 200 if upload.asset else 201)


@router.put(
    f"{_UPLOAD}/content",
    operation_id="put_upload_content",
    summary="Send the bytes of an upload",
    tags=["uploads"],
    status_code=204,
    response_model=None,
    openapi_extra=_BINARY,
)
async def put_upload_content(request: Request, artist: str, upload: str) -> Response:
    """Stores the body; a repeat replaces what was sent before."""
    tools = tools_of(request)
    asked = assets_pb2.GetUploadRequest(name=f"artists/{artist}/uploads/{upload}")
    found = await tools.peers.call(ASSETS, "GetUpload", asked)
    if not found.object_key or found.state != assets_pb2.Upload.STATE_OPEN:
        raise UploadNotOpen(f"{found.name} takes no bytes any more; open a new upload")
    await receive(
        tools,
        request,
        found.object_key,
        await incoming(request),
        sha256=found.sha256,
        size_bytes=found.size_bytes,
    )
    return gone()


expose(
    router,
    "uploads",
    Rpc(f"GET {_UPLOAD}", ASSETS, "GetUpload"),
    Rpc(f"POST {_UPLOAD}:complete", ASSETS, "CompleteUpload", timeout_s=_COMPLETE_S),
    Rpc(f"POST {_UPLOAD}:abort", ASSETS, "AbortUpload"),
)


async def _asset(tools: ServerTools, name: str) -> assets_pb2.Asset:
    found: assets_pb2.Asset = await tools.peers.call(ASSETS, "GetAsset", assets_pb2.GetAssetRequest(name=name))
    return found


def _file_name(asset: assets_pb2.Asset) -> str:
    stem = asset.display_name.replace("/", "-") or "audio"
    ending = _ENDINGS.get(asset.media_type, "")
    return stem if not ending or stem.lower().endswith(ending) else stem + ending


_ENDINGS = {
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/flac": ".flac",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/aiff": ".aiff",
    "audio/aac": ".aac",
    "audio/mp4": ".m4a",
}
