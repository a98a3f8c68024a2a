"""TrainingFilesService over gRPC: conversations, training files."""

from __future__ import annotations

from functools import partial
from typing import Any

from google.longrunning.operations_pb2 import Operation
from google.protobuf.empty_pb2 import Empty

from chassis.clock import Clock
from chassis.context import caller
from chassis.errors import NotImplementedYet, require
from chassis.ids import new_uid
from chassis.operations import to_operation
from chassis.runtime import WorkPool
from services.datasets.api import text_messages as messages
from services.datasets.api.operations import build_view
from services.datasets.api.shared import (
    artist_of,
    enum_value,
    fields_of,
    key_of,
    last_of,
    parse_version,
    plain_struct,
)
from services.datasets.domain import conversations, training_files
from services.datasets.domain.conversations import MAX_BATCH, Conversation, DocumentKind
from services.datasets.domain.exports import JobState
from services.datasets.domain.ports import RequestKey
from services.datasets.domain.training_files import MAX_MEMBERS, Finding, TrainingFile, Version
from services.datasets.use_cases.conversations import EDITABLE, Conversations, outcome
from services.datasets.use_cases.training_files import TrainingFiles
from tonewright.datasets.v1 import training_files_pb2 as pb
from tonewright.datasets.v1 import training_files_pb2_grpc


class TrainingFilesServicer(training_files_pb2_grpc.TrainingFilesServiceServicer):
    """tonewright.datasets.v1.TrainingFilesService."""

    def __init__(self, desk: Conversations, files: TrainingFiles, pool: WorkPool, clock: Clock) -> None:
        self._conversations, self._files, self._pool, self._clock = desk, files, pool, clock

    async def CreateConversation(self, request: pb.CreateConversationRequest, context: Any) -> pb.Conversation:
        """A conversation taken in."""
        artist, facts = artist_of(request.parent), messages.conversation_facts(request.conversation)
        key = key_of(request, "CreateConversation")
        return messages.to_conversation(await self._pool.run(self._conversations.create, artist, facts, key))

    async def BatchCreateConversations(
        self, request: pb.BatchCreateConversationsRequest, context: Any
    ) -> pb.BatchCreateConversationsResponse:
        """Many conversations taken in, each for itself."""
        artist, given = artist_of(request.parent), request.conversations
        require(1 <= len(given) <= MAX_BATCH, "conversations", f"1 to {MAX_BATCH}, not {len(given)}")
        outcomes = []
        for index, one in enumerate(given):
            # Each has a request id of its own, so that a repeat of the batch finishes what the first one began.
            request_id = f"{request.request_id[:240]}#{index}" if request.request_id else ""
            key = RequestKey("BatchCreateConversations", request_id, one.SerializeToString(deterministic=True))
            create = partial(_create_one, self._conversations, artist, one, key)
            outcomes.append(await self._pool.run(outcome, create))
        results = [messages.to_result(made) for made in outcomes]
        return pb.BatchCreateConversationsResponse(results=results)

    async def GetConversation(self, request: pb.GetConversationRequest, context: Any) -> pb.Conversation:
        """One conversation."""
        where = last_of(conversations.NAME, request.name)
        return messages.to_conversation(await self._pool.run(self._conversations.get, *where))

    async def ListConversations(
        self, request: pb.ListConversationsRequest, context: Any
    ) -> pb.ListConversationsResponse:
        """Conversations, newest first."""
        page = await self._pool.run(
            self._conversations.page,
            artist_of(request.parent),
            state=messages.conversation_state(request.state),
            batch=request.batch,
            size=request.page_size,
            token=request.page_token,
        )
        return pb.ListConversationsResponse(
            conversations=[messages.to_conversation(found) for found in page.items],
            next_page_token=page.next_page_token,
        )

    async def UpdateConversation(self, request: pb.UpdateConversationRequest, context: Any) -> pb.Conversation:
        """The conversation with the named fields changed."""
        given = request.conversation
        artist, uid = last_of(conversations.NAME, given.name, field="conversation.name")
        fields = fields_of(given, request.update_mask, EDITABLE)
        facts = messages.conversation_facts(given)
        changed = await self._pool.run(self._conversations.update, artist, uid, facts, fields, given.etag)
        return messages.to_conversation(changed)

    async def DeleteConversation(self, request: pb.DeleteConversationRequest, context: Any) -> Empty:
        """Remove a conversation that no training file holds."""
        where = last_of(conversations.NAME, request.name)
        await self._pool.run(self._conversations.delete, *where, request.etag)
        return Empty()

    async def ValidateConversation(self, request: pb.ValidateConversationRequest, context: Any) -> pb.ValidationReport:
        """What is wrong with a document."""
        artist = artist_of(request.parent)
        uids = messages.conversation_uids(artist, [request.conversation]) if request.conversation else [""]
        return messages.to_report(await self._pool.run(self._conversations.check, artist, uids[0], request.document))

    async def EnrichConversation(self, request: pb.EnrichConversationRequest, context: Any) -> pb.Conversation:
        """The conversation with its training pairs; a repeat gives the same, so the request id needs no record."""
        where = last_of(conversations.NAME, request.name)
        return messages.to_conversation(await self._pool.run(self._conversations.enrich, *where))

    async def BatchEnrichConversations(
        self, request: pb.BatchEnrichConversationsRequest, context: Any
    ) -> pb.BatchEnrichConversationsResponse:
        """Many conversations enriched, each for itself."""
        artist, names = artist_of(request.parent), list(request.conversations)
        require(1 <= len(names) <= MAX_BATCH, "conversations", f"1 to {MAX_BATCH}, not {len(names)}")
        outcomes = []
        for uid in messages.conversation_uids(artist, names):
            outcomes.append(await self._pool.run(outcome, partial(self._conversations.enrich, artist, uid)))
        results = [messages.to_result(made) for made in outcomes]
        return pb.BatchEnrichConversationsResponse(results=results)

    async def GetConversationContent(
        self, request: pb.GetConversationContentRequest, context: Any
    ) -> pb.TrainingFileContent:
        """Where a document of the conversation lies."""
        where = last_of(conversations.NAME, request.name)
        kind = messages.document_kind(request.document_kind) or DocumentKind.ENRICHED
        return messages.to_content(await self._pool.run(self._conversations.content, *where, kind))

    async def CreateTrainingFile(self, request: pb.CreateTrainingFileRequest, context: Any) -> Operation:
        """The build of a new file's first version."""
        artist, given, now = artist_of(request.parent), request.training_file, self._clock.now()
        _require_count(request.conversations)
        file = TrainingFile(
            artist=artist,
            uid=new_uid(),
            display_name=given.display_name,
            create_time=now,
            update_time=now,
            description=given.description,
            target_model=given.target_model,
            profile=plain_struct(given, "profile"),
            jsonl_header=given.jsonl_header,
        )
        uids = messages.conversation_uids(artist, list(request.conversations))
        key = key_of(request, "CreateTrainingFile")
        return await self._operation(await self._pool.run(self._files.create, file, caller().principal, uids, key))

    async def AppendConversations(self, request: pb.AppendConversationsRequest, context: Any) -> Operation:
        """The build of a version with more members."""
        artist, uid = last_of(training_files.NAME, request.name)
        _require_count(request.conversations)
        uids = messages.conversation_uids(artist, list(request.conversations))
        key = key_of(request, "AppendConversations")
        who = caller().principal
        return await self._operation(
            await self._pool.run(self._files.append, artist, uid, who, uids, key, etag=request.etag)
        )

    async def GetTrainingFile(self, request: pb.GetTrainingFileRequest, context: Any) -> pb.TrainingFile:
        """One training file."""
        where = last_of(training_files.NAME, request.name)
        return messages.to_file(await self._pool.run(self._files.get, *where))

    async def ListTrainingFiles(
        self, request: pb.ListTrainingFilesRequest, context: Any
    ) -> pb.ListTrainingFilesResponse:
        """Training files, newest first."""
        page = await self._pool.run(
            self._files.page,
            artist_of(request.parent),
            state=messages.file_state(request.state),
            size=request.page_size,
            token=request.page_token,
        )
        return pb.ListTrainingFilesResponse(
            training_files=[messages.to_file(file) for file in page.items], next_page_token=page.next_page_token
        )

    async def UpdateTrainingFile(self, request: pb.UpdateTrainingFileRequest, context: Any) -> pb.TrainingFile:
        """The file with another title or description."""
        given, editable = request.training_file, {"display_name", "description"}
        artist, uid = last_of(training_files.NAME, given.name, field="training_file.name")
        fields = fields_of(given, request.update_mask, editable)
        unknown = sorted(fields - editable)
        require(not unknown, "update_mask", f"display_name and description, not {', '.join(unknown)}")
        changes = {name: getattr(given, name) for name in fields}
        return messages.to_file(await self._pool.run(self._files.update, artist, uid, changes, given.etag))

    async def DeleteTrainingFile(self, request: pb.DeleteTrainingFileRequest, context: Any) -> Empty:
        """Remove a file with all versions."""
        where = last_of(training_files.NAME, request.name)
        await self._pool.run(self._files.delete, *where, request.etag)
        return Empty()

    async def ArchiveTrainingFile(self, request: pb.ArchiveTrainingFileRequest, context: Any) -> pb.TrainingFile:
        """The file out of use."""
        where = last_of(training_files.NAME, request.name)
        return messages.to_file(await self._pool.run(self._files.archive, *where, request.etag))

    async def RestoreTrainingFile(self, request: pb.RestoreTrainingFileRequest, context: Any) -> pb.TrainingFile:
        """The file back in use."""
        where = last_of(training_files.NAME, request.name)
        return messages.to_file(await self._pool.run(self._files.restore, *where, request.etag))

    async def CancelTrainingFileVersion(
        self, request: pb.CancelTrainingFileVersionRequest, context: Any
    ) -> pb.TrainingFileVersion:
        """The version after the wish to stop its build."""
        artist, uid, sequence = parse_version(request.name)
        version = await self._pool.run(self._files.version, artist, uid, sequence)
        return messages.to_version(await self._pool.run(self._files.cancel, artist, version.uid))

    async def GetTrainingFileVersion(
        self, request: pb.GetTrainingFileVersionRequest, context: Any
    ) -> pb.TrainingFileVersion:
        """One version."""
        return messages.to_version(await self._pool.run(self._files.version, *parse_version(request.name)))

    async def ListTrainingFileVersions(
        self, request: pb.ListTrainingFileVersionsRequest, context: Any
    ) -> pb.ListTrainingFileVersionsResponse:
        """Versions, newest first."""
        where = last_of(training_files.NAME, request.parent, field="parent")
        page = await self._pool.run(self._files.versions, *where, size=request.page_size, token=request.page_token)
        return pb.ListTrainingFileVersionsResponse(
            versions=[messages.to_version(version) for version in page.items], next_page_token=page.next_page_token
        )

    async def ListTrainingFileMembers(
        self, request: pb.ListTrainingFileMembersRequest, context: Any
    ) -> pb.ListTrainingFileMembersResponse:
        """Members of the current version, in file order."""
        where = last_of(training_files.NAME, request.parent, field="parent")
        page = await self._pool.run(self._files.member_page, *where, size=request.page_size, token=request.page_token)
        return pb.ListTrainingFileMembersResponse(
            members=[messages.to_member(member) for member in page.items], next_page_token=page.next_page_token
        )

    async def GetTrainingFileContent(
        self, request: pb.GetTrainingFileContentRequest, context: Any
    ) -> pb.TrainingFileContent:
        """Where the bytes of a version lie."""
        word = enum_value(pb.TrainingFileFormat, request.format, "TRAINING_FILE_FORMAT_", "format") or "JSON"
        if word not in ("JSON", "JSONL"):
            raise NotImplementedYet(f"format {word} is not implemented in this release; use JSON or JSONL")
        sequence = 0
        if "/versions/" in request.name:
            artist, uid, sequence = parse_version(request.name)
        else:
            artist, uid = last_of(training_files.NAME, request.name)
        return messages.to_content(await self._pool.run(self._files.content, artist, uid, sequence, word.lower()))

    async def GetTrainingFileStatistics(
        self, request: pb.GetTrainingFileStatisticsRequest, context: Any
    ) -> pb.TrainingFileStatistics:
        """Quality and balance of the current version; zeros while there is none."""
        file = await self._pool.run(self._files.get, *last_of(training_files.NAME, request.name))
        if file.current is None or file.current.statistics is None:
            return pb.TrainingFileStatistics()
        return messages.to_statistics(file.current.statistics)

    async def PreflightTrainingFile(
        self, request: pb.PreflightTrainingFileRequest, context: Any
    ) -> pb.PreflightTrainingFileResponse:
        """Whether each conversation can be taken."""
        artist, file_uid = artist_of(request.parent), ""
        _require_count(request.conversations)
        if request.training_file:
            owner, file_uid = last_of(training_files.NAME, request.training_file, field="training_file")
            require(owner == artist, "training_file", f"a training file of artists/{artist}")
        uids = messages.conversation_uids(artist, list(request.conversations))
        verdicts = await self._pool.run(self._files.preflight, artist, file_uid, uids)
        return pb.PreflightTrainingFileResponse(
            eligible=all(verdict.finding is Finding.ELIGIBLE for verdict in verdicts),
            verdicts=[messages.to_verdict(verdict) for verdict in verdicts],
        )

    async def _operation(self, version: Version) -> Operation:
        response = None
        if version.state is JobState.SUCCEEDED:  # a repeat of a request whose build has ended
            file = await self._pool.run(self._files.get, version.artist, version.training_file_uid)
            response = messages.to_file(file)
        return to_operation(build_view(version), response, service="datasets")


def _require_count(names: Any) -> None:
    require(1 <= len(names) <= MAX_MEMBERS, "conversations", f"1 to {MAX_MEMBERS} names, not {len(names)}")


def _create_one(desk: Conversations, artist: str, message: pb.Conversation, key: RequestKey) -> Conversation:
    return desk.create(artist, messages.conversation_facts(message), key)
