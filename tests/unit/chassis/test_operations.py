from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from google.longrunning import operations_pb2
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import error_details_pb2

from chassis.context import acting_as
from chassis.errors import NameInvalid, NotFound
from chassis.operations import JobView, OperationSource, OperationsServicer, to_operation
from chassis.runtime import WorkPool
from chassis.testing import caller_for
from tonewright.operations.v1 import operations_pb2 as ours

T = datetime(2026, 1, 1, tzinfo=UTC)
VIEW = JobView(
    "1", "nova", "separations", "artists/nova/separations/1", "RUNNING", T, T, 40.0, "mixing", 2.5, attempt=1
)
NAME = "artists/nova/operations/separations-1"


class Rows:
    def __init__(self) -> None:
        self.view = VIEW
        self.cancelled: list[str] = []

    def get(self, artist: str, uid: str) -> JobView:
        if (artist, uid) != ("nova", "1"):
            raise NotFound("no such row")
        return self.view

    def cancel(self, artist: str, uid: str) -> None:
        self.cancelled.append(f"{artist}/{uid}")

    def list(self, artist: str, size: int, token: str) -> tuple[list[JobView], str]:
        return ([replace(self.view, uid=token or "0")], "" if token else "1")


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def servicer(rows: Rows) -> Iterator[OperationsServicer]:
    pool = WorkPool(1)
    source = OperationSource(rows.get, rows.cancel, lambda view: StringValue(value=view.target), rows.list)
    with acting_as(caller_for("nova")):
        yield OperationsServicer(pool, {"separations": source, "exports": source}, service="stems")
    pool.close()


def test_running_work_shows_its_progress() -> None:
    operation = to_operation(VIEW)

    metadata = ours.OperationMetadata()
    assert operation.metadata.Unpack(metadata)
    assert (operation.name, operation.done) == (NAME, False)
    assert (metadata.state, metadata.progress_percent, metadata.stage) == (ours.State.STATE_RUNNING, 40.0, "mixing")
    assert (metadata.eta.ToNanoseconds(), metadata.attempt) == (2_500_000_000, 1)
    assert not metadata.HasField("end_time")


def test_failed_work_says_why() -> None:
    failed = replace(VIEW, state="FAILED", end_time=T, error_reason="WORKER_LOST", error_message="ten times")

    operation = to_operation(failed, service="stems")

    info = error_details_pb2.ErrorInfo()
    assert operation.done
    assert operation.error.message == "ten times"
    assert operation.error.details[0].Unpack(info)
    assert (info.reason, info.domain) == ("WORKER_LOST", "stems.tonewright.dev")


def test_cancelled_work_is_an_error_of_its_own() -> None:
    operation = to_operation(replace(VIEW, state="CANCELLED"))

    assert (operation.done, operation.error.code) == (True, 1)


async def test_finished_work_gives_its_resource(servicer: OperationsServicer, rows: Rows) -> None:
    rows.view = replace(VIEW, state="SUCCEEDED")

    operation = await servicer.GetOperation(operations_pb2.GetOperationRequest(name=NAME), None)

    target = StringValue()
    assert operation.response.Unpack(target)
    assert target.value == "artists/nova/separations/1"


async def test_waiting_ends_with_the_work_or_the_time(servicer: OperationsServicer, rows: Rows) -> None:
    request: Any = operations_pb2.WaitOperationRequest(name=NAME)
    request.timeout.FromMilliseconds(20)

    early = await servicer.WaitOperation(request, None)
    rows.view = replace(VIEW, state="SUCCEEDED")
    late = await servicer.WaitOperation(request, None)

    assert (early.done, late.done) == (False, True)


async def test_cancelling_reaches_the_row(servicer: OperationsServicer, rows: Rows) -> None:
    await servicer.CancelOperation(operations_pb2.CancelOperationRequest(name=NAME), None)

    assert rows.cancelled == ["nova/1"]


async def test_a_list_goes_through_all_collections(servicer: OperationsServicer) -> None:
    names, token = [], ""
    for _ in range(4):
        request = operations_pb2.ListOperationsRequest(name="artists/nova", page_token=token)
        page = await servicer.ListOperations(request, None)
        names += [operation.name for operation in page.operations]
        token = page.next_page_token

    assert len(names) == 4
    assert token == ""


@pytest.mark.parametrize("name", ["artists/nova/operations/takes-1", "artists/nova/operations/separations-2"])
async def test_unknown_operations_do_not_exist(servicer: OperationsServicer, name: str) -> None:
    with pytest.raises(NotFound):
        await servicer.GetOperation(operations_pb2.GetOperationRequest(name=name), None)


async def test_a_name_of_another_form_is_refused(servicer: OperationsServicer) -> None:
    with pytest.raises(NameInvalid):
        await servicer.GetOperation(operations_pb2.GetOperationRequest(name="operations/1"), None)
