"""Conversations and the training files made of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.gateway.context import tools_of
from services.gateway.downloads import content_route, object_download
from services.gateway.models.datasets import GetConversationContentQuery, GetTrainingFileContentQuery
from services.gateway.peers import TRAINING_FILES
from services.gateway.rest import fill
from services.gateway.transcode import Rpc, expose
from tonewright.datasets.v1 import training_files_pb2

router = APIRouter(prefix="/v1")
_ARTIST = "/artists/{artist}"
_CONVERSATION = "/artists/{artist}/conversations/{conversation}"
_FILE = "/artists/{artist}/training-files/{training_file}"
_VERSION = f"{_FILE}/versions/{{version}}"

expose(
    router,
    "conversations",
    Rpc(f"POST {_ARTIST}/conversations", TRAINING_FILES, "CreateConversation"),
    Rpc(f"POST {_ARTIST}/conversations:batchCreate", TRAINING_FILES, "BatchCreateConversations"),
    Rpc(f"POST {_ARTIST}/conversations:validate", TRAINING_FILES, "ValidateConversation"),
    Rpc(f"POST {_ARTIST}/conversations:batchEnrich", TRAINING_FILES, "BatchEnrichConversations"),
    Rpc(f"GET {_ARTIST}/conversations", TRAINING_FILES, "ListConversations"),
    Rpc(f"GET {_CONVERSATION}", TRAINING_FILES, "GetConversation"),
    Rpc(f"PATCH {_CONVERSATION}", TRAINING_FILES, "UpdateConversation"),
    Rpc(f"DELETE {_CONVERSATION}", TRAINING_FILES, "DeleteConversation"),
    Rpc(f"POST {_CONVERSATION}:enrich", TRAINING_FILES, "EnrichConversation"),
)
expose(
    router,
    "training files",
    Rpc(f"POST {_ARTIST}/training-files", TRAINING_FILES, "CreateTrainingFile"),
    Rpc(f"POST {_ARTIST}/training-files:preflight", TRAINING_FILES, "PreflightTrainingFile"),
    Rpc(f"GET {_ARTIST}/training-files", TRAINING_FILES, "ListTrainingFiles"),
    Rpc(f"GET {_FILE}", TRAINING_FILES, "GetTrainingFile"),
    Rpc(f"PATCH {_FILE}", TRAINING_FILES, "UpdateTrainingFile"),
    Rpc(f"DELETE {_FILE}", TRAINING_FILES, "DeleteTrainingFile"),
    Rpc(f"POST {_FILE}:archive", TRAINING_FILES, "ArchiveTrainingFile"),
    Rpc(f"POST {_FILE}:restore", TRAINING_FILES, "RestoreTrainingFile"),
    Rpc(f"POST {_FILE}:append", TRAINING_FILES, "AppendConversations"),
    Rpc(f"POST {_FILE}:remove", TRAINING_FILES, "RemoveConversations"),
    Rpc(f"POST {_FILE}:rebuild", TRAINING_FILES, "RebuildTrainingFile"),
    Rpc(f"POST {_FILE}:export", TRAINING_FILES, "ExportTrainingFile"),
    Rpc(f"GET {_FILE}/members", TRAINING_FILES, "ListTrainingFileMembers"),
    Rpc(f"GET {_FILE}/statistics", TRAINING_FILES, "GetTrainingFileStatistics"),
    Rpc(f"GET {_FILE}/findings", TRAINING_FILES, "LintTrainingFile"),
    Rpc(f"GET {_FILE}/versions", TRAINING_FILES, "ListTrainingFileVersions"),
    Rpc(f"GET {_VERSION}", TRAINING_FILES, "GetTrainingFileVersion"),
    Rpc(f"GET {_VERSION}/diff", TRAINING_FILES, "DiffTrainingFileVersions"),
    Rpc(f"POST {_VERSION}:cancel", TRAINING_FILES, "CancelTrainingFileVersion"),
)
_MEDIA = ["application/json", "application/jsonl"]


@content_route(
    router,
    f"{_CONVERSATION}/content",
    operation_id="get_conversation_content",
    summary="A document of a conversation",
    tag="conversations",
    media_types=_MEDIA,
)
async def get_conversation_content(
    request: Request, artist: str, conversation: str, query: Annotated[GetConversationContentQuery, Query()]
) -> Response:
    """The document that was taken in, or the enriched one."""
    asked = training_files_pb2.GetConversationContentRequest(name=f"artists/{artist}/conversations/{conversation}")
    fill(asked, query.model_dump(exclude_none=True))
    return await _download(request, await tools_of(request).peers.call(TRAINING_FILES, "GetConversationContent", asked))


@content_route(
    router,
    f"{_FILE}/content",
    operation_id="get_training_file_content",
    summary="A training file's bytes",
    tag="training files",
    media_types=_MEDIA,
)
async def get_training_file_content(
    request: Request, artist: str, training_file: str, query: Annotated[GetTrainingFileContentQuery, Query()]
) -> Response:
    """The current version, as JSON or JSONL."""
    return await _file_content(request, f"artists/{artist}/training-files/{training_file}", query)


@content_route(
    router,
    f"{_VERSION}/content",
    operation_id="get_training_file_version_content",
    summary="The bytes of one version",
    tag="training files",
    media_types=_MEDIA,
)
async def get_training_file_version_content(
    request: Request,
    artist: str,
    training_file: str,
    version: str,
    query: Annotated[GetTrainingFileContentQuery, Query()],
) -> Response:
    """One version, as JSON or JSONL."""
    return await _file_content(request, f"artists/{artist}/training-files/{training_file}/versions/{version}", query)


async def _file_content(request: Request, name: str, query: GetTrainingFileContentQuery) -> Response:
    asked = training_files_pb2.GetTrainingFileContentRequest(name=name)
    fill(asked, query.model_dump(exclude_none=True))
    return await _download(request, await tools_of(request).peers.call(TRAINING_FILES, "GetTrainingFileContent", asked))


async def _download(request: Request, content: training_files_pb2.TrainingFileContent) -> Response:
    return await object_download(
        request,
        key=content.object_key,
        size_bytes=content.size_bytes,
        sha256=content.sha256,
        media_type=content.media_type,
        file_name=content.file_name,
    )
