"""The gRPC face: what callers send, get and are refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.longrunning import operations_pb2
from google.longrunning.operations_pb2_grpc import OperationsStub, add_OperationsServicer_to_server

from chassis.context import acting_as
from chassis.errors import (
    AppError,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unimplemented,
)
from chassis.operations import OperationsServicer
from chassis.runtime import App, WorkPool
from chassis.testing import caller_for, grpc_server, operator
from chassis.testing.data import sqlite_database
from services.stems.api import METHOD_RULES, StemsServicer, operation_source
from services.stems.domain import Catalogue
from services.stems.store import Base
from services.stems.stub import MODEL
from tests.unit.stems.house import ARTIST, StemsHouse
from tonewright.operations.v1 import operations_pb2 as operations
from tonewright.stems.v1 import stems_pb2 as pb
from tonewright.stems.v1.stems_pb2_grpc import StemsServiceStub, add_StemsServiceServicer_to_server

PARENT = f"artists/{ARTIST}"


@dataclass
class Face:
    """The service as a caller meets it."""

    house: StemsHouse
    stems: Any
    operations: Any
    asset: str

    async def create(self, request_id: str = "", **asked: Any) -> operations_pb2.Operation:
        separation = pb.Separation(asset=self.asset, **asked)
        request = pb.CreateSeparationRequest(parent=PARENT, separation=separation, request_id=request_id)
        return await self.stems.CreateSeparation(request)

    async def work(self) -> None:
        with acting_as(caller_for(ARTIST)):
            await asyncio.to_thread(self.house.run_one)


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[Face]:
    db = sqlite_database(tmp_path, Base)
    house, pool = StemsHouse(db, tmp_path), WorkPool(4)
    sources = {"separations": operation_source(house.separations)}
    app = App(
        servicers=[
            (add_StemsServiceServicer_to_server, StemsServicer(pool, house.separations, Catalogue([MODEL]))),
            (add_OperationsServicer_to_server, OperationsServicer(pool, sources, service="stems")),
        ],
        method_rules=METHOD_RULES,
    )
    asset = house.assets.add(np.random.default_rng(0).standard_normal((5000, 2)).astype(np.float32) * 0.1)
    async with grpc_server(app, service="stems", caller=caller_for(ARTIST)) as served:
        yield Face(house, StemsServiceStub(served.channel), OperationsStub(served.channel), asset.name)
    pool.close()
    db.close()


def target(operation: operations_pb2.Operation) -> str:
    metadata = operations.OperationMetadata()
    operation.metadata.Unpack(metadata)
    return metadata.target


async def test_an_operation_ends_with_the_separation(face: Face) -> None:
    started = await face.create(stem_set=pb.STEM_SET_TWO_STEMS, labels={"song": "one"})
    await face.work()

    ended = await face.operations.GetOperation(operations_pb2.GetOperationRequest(name=started.name))
    separation = pb.Separation()
    ended.response.Unpack(separation)

    assert (started.done, ended.done) == (False, True)
    assert separation.name == target(started)
    assert (separation.state, separation.progress_percent) == (operations.STATE_SUCCEEDED, 100)
    assert [stem.stem for stem in separation.stems] == ["vocals", "instruments"]
    assert (separation.engine, separation.model, separation.target_stem) == ("stub", "dsp-stub", "vocals")
    assert separation == await face.stems.GetSeparation(pb.GetSeparationRequest(name=separation.name))


async def test_a_failed_operation_carries_reason_and_code(face: Face) -> None:
    started = await face.create()
    key = face.house.assets.by_name[face.asset].blob_key
    face.house.objects.put(key, b"no audio")
    await face.work()

    ended = await face.operations.GetOperation(operations_pb2.GetOperationRequest(name=started.name))

    assert (ended.done, ended.error.code) == (True, 3)
    assert "upload it again" in ended.error.message


async def test_same_request_id_gives_the_same_operation(face: Face) -> None:
    first, second = await face.create("r1"), await face.create("r1")

    assert first.name == second.name


async def test_watching_tells_each_state_until_the_end(face: Face) -> None:
    name = target(await face.create())

    async def watch() -> list[int]:
        states = []
        async for update in face.stems.WatchSeparation(pb.WatchSeparationRequest(name=name), timeout=20):
            states.append(update.separation.state)
        return states

    async with asyncio.TaskGroup() as tasks:
        told = tasks.create_task(watch())
        await asyncio.sleep(0.1)
        await face.work()

    assert told.result()[0] == operations.STATE_QUEUED
    assert told.result()[-1] == operations.STATE_SUCCEEDED


async def test_cancel_then_delete(face: Face) -> None:
    name = target(await face.create())

    cancelled = await face.stems.CancelSeparation(pb.CancelSeparationRequest(name=name))
    await face.stems.DeleteSeparation(pb.DeleteSeparationRequest(name=name, etag=cancelled.etag))

    assert cancelled.state == operations.STATE_CANCELLED
    with pytest.raises(NotFound, match="no separation"):
        await face.stems.GetSeparation(pb.GetSeparationRequest(name=name))


async def test_models_say_what_they_give(face: Face) -> None:
    page = await face.stems.ListModels(pb.ListModelsRequest(parent=PARENT))
    model = await face.stems.GetModel(pb.GetModelRequest(name=page.models[0].name))

    assert (model.name, model.engine, model.is_default) == (f"{PARENT}/models/dsp-stub", "stub", True)
    assert list(model.sources) == ["drums", "bass", "other", "vocals"]
    with pytest.raises(NotFound, match="these exist: dsp-stub"):
        await face.stems.GetModel(pb.GetModelRequest(name=f"{PARENT}/models/htdemucs"))


@pytest.mark.parametrize(
    ("asked", "error", "text"),
    [
        ({"stem_set": 99}, InvalidArgument, "separation.stem_set"),
        ({"output_format": 99}, InvalidArgument, "separation.output_format"),
        ({"priority": 99}, InvalidArgument, "separation.priority"),
        ({"parameters": {"overlap": 1.0}}, InvalidArgument, "0 to 0.9"),
        ({"model": "nothing"}, NotFound, "dsp-stub"),
        ({"labels": {"": "x"}}, InvalidArgument, "separation.labels"),
    ],
)
async def test_what_is_wrong_is_named(face: Face, asked: dict[str, Any], error: type[AppError], text: str) -> None:
    with pytest.raises(error, match=text):
        await face.create(**asked)


async def test_names_of_another_artist_are_not_found(face: Face) -> None:
    name = target(await face.create())

    with acting_as(caller_for("stranger")):
        for call in (
            face.stems.GetSeparation(pb.GetSeparationRequest(name=name)),
            face.stems.CancelSeparation(pb.CancelSeparationRequest(name=name)),
            face.stems.DeleteSeparation(pb.DeleteSeparationRequest(name=name)),
        ):
            with pytest.raises(NotFound):
                await call


async def test_jobs_are_for_operators(face: Face) -> None:
    name = target(await face.create())

    with pytest.raises(PermissionDenied):
        await face.stems.ListJobs(pb.ListJobsRequest())
    with acting_as(operator()):
        cancelled = await face.stems.CancelJob(pb.CancelJobRequest(name=name))
        again = await face.stems.RetryJob(pb.RetryJobRequest(name=name))
        listed = await face.stems.ListJobs(pb.ListJobsRequest(state=operations.STATE_QUEUED))

    assert (cancelled.state, again.state) == (operations.STATE_CANCELLED, operations.STATE_QUEUED)
    assert [job.name for job in listed.jobs] == [name]


async def test_pages_go_to_the_end(face: Face) -> None:
    names = [target(await face.create()) for _ in range(3)]

    first = await face.stems.ListSeparations(pb.ListSeparationsRequest(parent=PARENT, page_size=2))
    token = first.next_page_token
    second = await face.stems.ListSeparations(pb.ListSeparationsRequest(parent=PARENT, page_size=2, page_token=token))
    with pytest.raises(InvalidArgument, match="page_token"):
        await face.stems.ListSeparations(pb.ListSeparationsRequest(parent=PARENT, page_token="x"))

    assert [item.name for item in (*first.separations, *second.separations)] == names[::-1]
    assert second.next_page_token == ""


async def test_what_is_not_built_says_so(face: Face) -> None:
    with pytest.raises(Unimplemented):
        await face.stems.BatchCreateSeparations(pb.BatchCreateSeparationsRequest(parent=PARENT))
