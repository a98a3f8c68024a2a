"""Reasons that only the error of long work carries, as a caller reads it from the operation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from google.longrunning import operations_pb2
from google.rpc import error_details_pb2

from chassis.operations import OperationsServicer
from chassis.runtime import WorkPool
from services.stems.api import operation_source
from services.stems.domain import Order
from tests.reasons_plugin import note_shown
from tests.unit.stems.house import ARTIST, StemsHouse
from tools.contracts import EVERYWHERE

UNAVAILABLE, CANCELLED = 14, 1


@pytest.fixture
def servicer(house: StemsHouse) -> Iterator[OperationsServicer]:
    pool = WorkPool(1)
    yield OperationsServicer(pool, {"separations": operation_source(house.separations)}, service="stems")
    pool.close()


def queued(house: StemsHouse) -> str:
    asset = house.assets.add(np.zeros((5_000, 2), np.float32) + 0.1)
    return house.separations.create(ARTIST, Order(asset.name), "", b"").uid


async def error_of(servicer: OperationsServicer, uid: str) -> tuple[int, str]:
    name = f"artists/{ARTIST}/operations/separations-{uid}"
    operation = await servicer.GetOperation(operations_pb2.GetOperationRequest(name=name), None)
    info = error_details_pb2.ErrorInfo()
    assert operation.error.details[0].Unpack(info)
    note_shown(info.reason, service=EVERYWHERE)
    return operation.error.code, info.reason


async def test_work_that_killed_ten_workers_says_so(house: StemsHouse, servicer: OperationsServicer) -> None:
    uid = queued(house)
    for _ in range(10):
        assert house.jobs.claim("w") is not None
        house.clock.advance(31)
        house.jobs.sweep()

    assert await error_of(servicer, uid) == (UNAVAILABLE, "WORKER_LOST")


async def test_work_that_was_cancelled_says_so(house: StemsHouse, servicer: OperationsServicer) -> None:
    uid = queued(house)

    house.separations.cancel(ARTIST, uid)

    assert await error_of(servicer, uid) == (CANCELLED, "CANCELLED")
