"""Calls between two services over a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis import context, tracing
from chassis.context import Role, acting_as
from chassis.errors import (
    AppError,
    DeadlineExceeded,
    DependencyUnavailable,
    FieldInvalid,
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unimplemented,
    Violation,
)
from chassis.runtime import App, MethodRule
from chassis.status import from_rpc_error
from chassis.testing import Served, caller_for, grpc_server, operator
from tonewright.stems.v1 import stems_pb2 as pb
from tonewright.stems.v1 import stems_pb2_grpc

MINE = "artists/nova/separations/one"


class Stems(stems_pb2_grpc.StemsServiceServicer):
    def __init__(self) -> None:
        self.calls = 0
        self.seen: dict[str, Any] = {}

    async def GetSeparation(self, request: Any, servicer_context: Any) -> Any:
        self.calls += 1
        self.seen = {
            "caller": context.caller(),
            "request_id": context.request_id(),
            "trace": tracing.current(),
            "deadline": context.deadline(),
        }
        what = request.name.rpartition("/")[2]
        if what == "broken":
            raise ValueError("the password is swordfish")
        if what == "invalid":
            raise FieldInvalid("bad", violations=[Violation("name", "a better one")], metadata={"a": "b"})
        if what == "database":
            raise DependencyUnavailable("database", retry_after_s=3)
        if what == "gone" and self.calls < 3:
            await servicer_context.abort(grpc.StatusCode.UNAVAILABLE, "connection lost")
        if what == "slow":
            await asyncio.sleep(30)
        if what == "again":
            context.mark_replayed()
        return pb.Separation(name=request.name)

    async def DeleteSeparation(self, request: Any, servicer_context: Any) -> Any:
        self.calls += 1
        await servicer_context.abort(grpc.StatusCode.UNAVAILABLE, "connection lost")

    async def WatchSeparation(self, request: Any, servicer_context: Any) -> AsyncIterator[Any]:
        yield pb.WatchSeparationResponse(separation=pb.Separation(name=request.name))
        raise NotFound("it went away")


def app(stems: Stems) -> App:
    rules = {"ListJobs": MethodRule(operator=True), "StemsService/GetModel": MethodRule(max_request_bytes=20)}
    return App(servicers=[(stems_pb2_grpc.add_StemsServiceServicer_to_server, stems)], method_rules=rules)


@pytest.fixture
def stems() -> Stems:
    return Stems()  # type: ignore[abstract]


@pytest.fixture
async def served(stems: Stems) -> AsyncIterator[Served]:
    async with grpc_server(app(stems), service="stems") as running:
        yield running


@pytest.fixture
def stub(served: Served) -> Any:
    return stems_pb2_grpc.StemsServiceStub(served.channel)


@pytest.fixture(autouse=True)
def _acting() -> Any:
    with acting_as(caller_for("nova")):
        yield


def get(stub: Any, what: str, artist: str = "nova", **options: Any) -> Any:
    return stub.GetSeparation(pb.GetSeparationRequest(name=f"artists/{artist}/separations/{what}"), **options)


async def drain(stream: Any, into: list[Any]) -> None:
    async for answer in stream:
        into.append(answer)


async def test_a_call_brings_its_caller_request_id_trace_and_deadline(stub: Any, stems: Stems) -> None:
    with context.in_request("request-1"), tracing.span("test") as here:
        answer = await get(stub, "one")

    assert answer.name == MINE
    assert stems.seen["caller"] == caller_for("nova")
    assert stems.seen["request_id"] == "request-1"
    assert stems.seen["trace"].trace_id == here.trace_id
    assert stems.seen["deadline"] is not None


async def test_threads_call_in_the_same_way(served: Served, stems: Stems) -> None:
    stub = stems_pb2_grpc.StemsServiceStub(served.channels.sync("stems"))

    answer = await asyncio.to_thread(get, stub, "one")
    with pytest.raises(InvalidArgument) as raised:
        await asyncio.to_thread(get, stub, "invalid")

    assert answer.name == MINE
    assert raised.value.reason == "FIELD_INVALID"


async def test_a_typed_error_arrives_as_it_was(stub: Any) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await get(stub, "invalid")

    error = raised.value
    assert (error.reason, error.domain, error.message) == ("FIELD_INVALID", "stems.tonewright.dev", "bad")
    assert error.metadata == {"a": "b"}
    assert error.violations == (Violation("name", "a better one"),)


async def test_an_unexpected_error_says_nothing_but_its_id(stub: Any) -> None:
    with pytest.raises(Internal) as raised:
        await get(stub, "broken")

    assert "swordfish" not in str(raised.value)
    assert raised.value.metadata["error_id"] in str(raised.value)


async def test_an_error_after_a_chunk_arrives_typed(stub: Any) -> None:
    chunks: list[Any] = []

    with pytest.raises(NotFound) as raised:
        await drain(stub.WatchSeparation(pb.WatchSeparationRequest(name=MINE)), chunks)

    assert [chunk.separation.name for chunk in chunks] == [MINE]
    assert raised.value.message == "it went away"


@pytest.mark.parametrize("what", ["one", "broken"])
async def test_names_of_other_artists_do_not_exist(stub: Any, stems: Stems, what: str) -> None:
    with pytest.raises(NotFound) as raised:
        await get(stub, what, artist="other")

    assert raised.value.reason == "RESOURCE_NOT_FOUND"
    assert stems.calls == 0


async def test_a_method_without_implementation_says_so_after_the_tenancy_check(stub: Any) -> None:
    with pytest.raises(Unimplemented) as mine:
        await stub.ListSeparations(pb.ListSeparationsRequest(parent="artists/nova"))
    with pytest.raises(NotFound):
        await stub.ListSeparations(pb.ListSeparationsRequest(parent="artists/other"))

    assert mine.value.reason == "NOT_IMPLEMENTED"


async def test_only_operators_call_methods_for_operators(stub: Any) -> None:
    with pytest.raises(PermissionDenied) as raised:
        await stub.ListJobs(pb.ListJobsRequest())
    with acting_as(operator()), pytest.raises(Unimplemented):
        await stub.ListJobs(pb.ListJobsRequest())

    assert raised.value.reason == "OPERATOR_REQUIRED"


async def test_a_viewer_reads_and_does_not_write(stub: Any) -> None:
    with acting_as(caller_for("nova", role=Role.VIEWER)):
        await get(stub, "one")
        with pytest.raises(PermissionDenied) as raised:
            await stub.DeleteSeparation(pb.DeleteSeparationRequest(name=MINE))

    assert raised.value.reason == "ROLE_TOO_LOW"


async def test_a_request_above_its_limit_is_refused(stub: Any) -> None:
    with pytest.raises(ResourceExhausted) as raised:
        await stub.GetModel(pb.GetModelRequest(name="m" * 30))

    assert raised.value.reason == "REQUEST_TOO_LARGE"


async def test_a_call_without_token_is_refused(served: Served) -> None:
    async with grpc.aio.insecure_channel(served.target) as bare:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await get(stems_pb2_grpc.StemsServiceStub(bare), "one")

    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert from_rpc_error(raised.value, "stems").CODE.name == "INTERNAL"


async def test_health_and_reflection_need_no_token(served: Served) -> None:
    async with grpc.aio.insecure_channel(served.target) as bare:
        answer = await health_pb2_grpc.HealthStub(bare).Check(health_pb2.HealthCheckRequest())

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_health_names_what_fails(served: Served) -> None:
    def fail() -> None:
        raise OSError("down")

    served.health.add("database", fail)
    served.health.add("broker", fail, required=False)
    served.health.add("objects", lambda: None)
    answer = await health_pb2_grpc.HealthStub(served.channel).List(health_pb2.HealthListRequest())

    kind = health_pb2.HealthCheckResponse
    assert {name: kind.ServingStatus.Name(found.status) for name, found in answer.statuses.items()} == {
        "": "NOT_SERVING",
        "tonewright.stems.v1.StemsService": "NOT_SERVING",
        "dependency/database": "NOT_SERVING",
        "dependency/broker": "NOT_SERVING",
        "dependency/objects": "SERVING",
    }


async def test_a_lost_connection_is_tried_again_where_that_is_safe(stub: Any, stems: Stems) -> None:
    await get(stub, "gone")
    reads = stems.calls
    with pytest.raises(DependencyUnavailable):
        await stub.DeleteSeparation(pb.DeleteSeparationRequest(name=MINE))

    assert reads == 3
    assert stems.calls == reads + 1


async def test_what_a_peer_lacks_is_named_and_not_tried_again(stub: Any, stems: Stems) -> None:
    with pytest.raises(DependencyUnavailable) as raised:
        await get(stub, "database")

    assert raised.value.metadata == {"dependency": "database"}
    assert raised.value.retry_after_s == 3
    assert stems.calls == 1


async def test_a_call_ends_at_its_deadline(stub: Any) -> None:
    with pytest.raises(DeadlineExceeded):
        await get(stub, "slow", timeout=0.2)


async def test_a_call_ends_with_the_request_it_belongs_to(stub: Any, stems: Stems) -> None:
    with context.in_request(deadline=0.0), pytest.raises(DeadlineExceeded):
        await get(stub, "one")

    assert stems.calls == 0


async def test_a_replay_is_told_to_the_caller(stub: Any) -> None:
    with context.in_request() as first:
        await get(stub, "one")
    with context.in_request() as second:
        await get(stub, "again")

    assert (first.replayed, second.replayed) == (False, True)


async def test_a_replay_by_a_peer_does_not_mark_our_own_response(stub: Any) -> None:
    with context.in_request(is_served=True) as flags:
        await get(stub, "again")

    assert not flags.replayed


async def test_many_violations_still_fit_into_the_answer(served: Served) -> None:
    async def fail(request: Any, servicer_context: Any) -> Any:
        raise FieldInvalid("ä" * 5000, violations=[Violation(f"items[{n}]", "less " * 50) for n in range(1000)])

    async def echo(requests: AsyncIterator[Any], servicer_context: Any) -> AsyncIterator[Any]:
        async for request in requests:
            yield StringValue(value=request.name)

    handlers: dict[str, Any] = {
        "GetFail": grpc.unary_unary_rpc_method_handler(fail, StringValue.FromString, StringValue.SerializeToString),
        "StreamEcho": grpc.stream_stream_rpc_method_handler(
            echo, pb.GetSeparationRequest.FromString, StringValue.SerializeToString
        ),
    }

    def add(_servicer: Any, server: Any) -> None:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Odd", handlers),))

    async with grpc_server(App(servicers=[(add, None)]), service="odd") as odd:
        call = odd.channel.unary_unary("/test.Odd/GetFail", StringValue.SerializeToString, StringValue.FromString)
        with pytest.raises(InvalidArgument) as raised:
            await call(StringValue())
        echoed = odd.channel.stream_stream(
            "/test.Odd/StreamEcho", pb.GetSeparationRequest.SerializeToString, StringValue.FromString
        )
        heard: list[Any] = []
        with pytest.raises(NotFound):
            await drain(echoed(_requests(MINE, "artists/other/separations/two")), heard)

    assert len(raised.value.violations) > 5
    assert raised.value.message.endswith("…")
    assert [answer.value for answer in heard] == [MINE]


async def _requests(*names: str) -> AsyncIterator[Any]:
    for name in names:
        yield pb.GetSeparationRequest(name=name)


async def test_a_stranger_is_refused_and_the_user_hears_of_a_fault_inside(served: Served, stub: Any) -> None:
    channels = served.channels
    channels._signer._service = "stranger"

    with pytest.raises(Internal) as raised:
        await get(stub, "one")

    assert "may not call stems" in str(raised.value)
    assert not isinstance(raised.value, Unauthenticated)
    assert isinstance(raised.value, AppError)
