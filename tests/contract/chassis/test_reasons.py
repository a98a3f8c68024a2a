"""Reasons of calls that gRPC itself refuses, and of methods that nothing serves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc

from chassis.channels import METADATA_BYTES
from chassis.errors import ResourceExhausted, Unimplemented
from chassis.operations import OperationsServicer
from chassis.runtime import App, WorkPool
from chassis.testing import Served, grpc_server
from tonewright.stems.v1 import stems_pb2 as pb
from tonewright.stems.v1 import stems_pb2_grpc

PARENT = "artists/nova"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    pool = WorkPool(1)
    operations = OperationsServicer(pool, {}, service="stems")
    servicers: list[tuple[Any, Any]] = [(operations_pb2_grpc.add_OperationsServicer_to_server, operations)]
    async with grpc_server(App(servicers=servicers), service="stems") as running:
        yield running
    pool.close()


async def test_metadata_over_the_servers_limit_is_refused(served: Served) -> None:
    stub: Any = operations_pb2_grpc.OperationsStub(served.channel)
    request = operations_pb2.GetOperationRequest(name=f"{PARENT}/operations/separations-1")

    with pytest.raises(ResourceExhausted) as refused:
        await stub.GetOperation(request, metadata=[("x-more", "x" * 2 * METADATA_BYTES)])

    assert refused.value.reason == "RESOURCE_EXHAUSTED"


async def test_operations_that_cannot_be_listed_say_so(served: Served) -> None:
    stub: Any = operations_pb2_grpc.OperationsStub(served.channel)

    with pytest.raises(Unimplemented, match="list the resources instead") as refused:
        await stub.ListOperations(operations_pb2.ListOperationsRequest(name=f"{PARENT}/operations"))

    assert refused.value.reason == "UNIMPLEMENTED"


async def test_a_method_that_no_service_has_is_refused_alike(served: Served) -> None:
    stub: Any = stems_pb2_grpc.StemsServiceStub(served.channel)

    with pytest.raises(Unimplemented) as refused:
        await stub.GetSeparation(pb.GetSeparationRequest(name=f"{PARENT}/separations/1"))

    assert refused.value.reason == "UNIMPLEMENTED"
