"""Long work as google.longrunning.Operations: a view of the rows of the resources themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import empty_pb2
from google.protobuf.message import Message

from chassis import context
from chassis.errors import AppError, Code, NotFound, Unimplemented, by_code
from chassis.ids import parse_name
from chassis.runtime import WorkPool
from chassis.status import rich_status
from tonewright.operations.v1 import operations_pb2 as ours

NAME = "artists/{artist}/operations/{operation}"
_ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
_WAIT_S = 60.0
_POLL_S = 0.25


class OperationNotFound(NotFound):
    """There is no such operation for this caller."""

    REASON = "OPERATION_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class JobView:
    """A piece of long work as its row tells it.

    Args:
        uid: Of the row.
        artist: Whose it is.
        collection: The resource's collection, as `separations`.
        target: Name of the resource.
        state: QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED.
    """

    uid: str
    artist: str
    collection: str
    target: str
    state: str
    create_time: datetime
    update_time: datetime
    progress_percent: float = 0.0
    stage: str = ""
    eta_s: float | None = None
    end_time: datetime | None = None
    attempt: int = 0
    error_reason: str = ""
    error_message: str = ""
    error_code: str = "INTERNAL"  # name of a gRPC code

    @property
    def name(self) -> str:
        """The operation's resource name."""
        return f"artists/{self.artist}/operations/{self.collection}-{self.uid}"


@dataclass(frozen=True, slots=True)
class OperationSource:
    """Where the operations of one collection come from.

    Args:
        get: The view of (artist, uid); raises NotFound.
        cancel: Asks the work of (artist, uid) to stop; raises NotFound.
        response: The finished resource as a message; called for succeeded work.
        list: A page of (artist, size, token) and the next token.
    """

    get: Callable[[str, str], JobView]
    cancel: Callable[[str, str], object]
    response: Callable[[JobView], Message | None] | None = None
    list: Callable[[str, int, str], tuple[list[JobView], str]] | None = None


def to_operation(view: JobView, response: Message | None = None, *, service: str = "") -> operations_pb2.Operation:
    """The operation that shows the work; `response` is the finished resource."""
    metadata = ours.OperationMetadata(
        target=view.target,
        state=ours.State.Value(f"STATE_{view.state}"),
        progress_percent=view.progress_percent,
        stage=view.stage,
        attempt=view.attempt,
    )
    metadata.create_time.FromDatetime(view.create_time)
    metadata.update_time.FromDatetime(view.update_time)
    if view.end_time is not None:
        metadata.end_time.FromDatetime(view.end_time)
    if view.eta_s is not None:
        metadata.eta.FromNanoseconds(int(view.eta_s * 1e9))
    operation = operations_pb2.Operation(name=view.name, done=view.state in _ENDED)
    operation.metadata.Pack(metadata)
    if view.state == "SUCCEEDED":
        operation.response.Pack(response if response is not None else empty_pb2.Empty())
    elif view.state in ("FAILED", "CANCELLED"):
        operation.error.CopyFrom(rich_status(_error(view), service))
    return operation


def _error(view: JobView) -> AppError:
    cancelled = view.state == "CANCELLED"
    error = by_code(Code.CANCELLED if cancelled else Code[view.error_code])(
        view.error_message or ("the work was cancelled" if cancelled else "the work failed")
    )
    error.reason = view.error_reason or error.reason
    return error


class OperationsServicer(operations_pb2_grpc.OperationsServicer):  # type: ignore[misc]
    """Get, List, Cancel and Wait over the sources of a service, by collection."""

    def __init__(self, pool: WorkPool, sources: Mapping[str, OperationSource], *, service: str = "") -> None:
        self._pool, self._sources, self._service = pool, dict(sources), service

    async def GetOperation(self, request: Any, context: Any) -> Any:
        """How the work stands."""
        return await self._pool.run(self._read, request.name)

    async def WaitOperation(self, request: Any, context: Any) -> Any:
        """How the work stands when it has ended, or after the timeout (a minute at most)."""
        asked_s = request.timeout.ToNanoseconds() / 1e9 if request.HasField("timeout") else _WAIT_S
        end = asyncio.get_running_loop().time() + min(asked_s, _WAIT_S)
        while True:
            found = await self._pool.run(self._read, request.name)
            left_s = end - asyncio.get_running_loop().time()
            if found.done or left_s <= 0:
                return found
            await asyncio.sleep(min(_POLL_S, left_s))

    async def CancelOperation(self, request: Any, context: Any) -> Any:
        """Ask the work to stop."""
        artist, source, uid = self._find(request.name)
        await self._pool.run(source.cancel, artist, uid)
        return empty_pb2.Empty()

    async def ListOperations(self, request: Any, context: Any) -> Any:
        """Operations of the artist, collection after collection."""
        return await self._pool.run(self._list, request)

    def _read(self, name: str) -> Any:
        artist, source, uid = self._find(name)
        return self._show(source, source.get(artist, uid))

    def _show(self, source: OperationSource, view: JobView) -> Any:
        done = view.state == "SUCCEEDED" and source.response is not None
        return to_operation(view, source.response(view) if done and source.response else None, service=self._service)

    def _list(self, request: Any) -> Any:
        artist = parse_name("artists/{artist}", request.name.removesuffix("/operations"))["artist"]
        collections = sorted(name for name, source in self._sources.items() if source.list is not None)
        if not collections:
            raise Unimplemented("operations cannot be listed here; list the resources instead")
        at, _, inner = request.page_token.partition(":")
        collection = at if at in collections else collections[0]
        source = self._sources[collection]
        assert source.list is not None
        views, following = source.list(artist, request.page_size, inner)
        later = collections[collections.index(collection) + 1 :]
        token = f"{collection}:{following}" if following else f"{later[0]}:" if later else ""
        shown = [self._show(source, view) for view in views]
        return operations_pb2.ListOperationsResponse(operations=shown, next_page_token=token)

    def _find(self, name: str) -> tuple[str, OperationSource, str]:
        parts = parse_name(NAME, name)
        collection, _, uid = parts["operation"].rpartition("-")
        source = self._sources.get(collection)
        if source is None or parts["artist"] != context.caller().artist:
            raise OperationNotFound(f"{name!r} does not exist")
        return parts["artist"], source, uid
