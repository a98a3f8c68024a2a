"""The gRPC face: what callers send, get and are refused."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.longrunning import operations_pb2
from google.longrunning.operations_pb2_grpc import OperationsStub, add_OperationsServicer_to_server

from chassis.context import acting_as
from chassis.errors import (
    AlreadyExists,
    AppError,
    DependencyUnavailable,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unavailable,
)
from chassis.operations import OperationsServicer
from chassis.outbox import WebhookUrlRefused
from chassis.runtime import App, WorkPool
from chassis.testing import caller_for, grpc_server, operator
from chassis.testing.data import sqlite_database
from services.stems.api import METHOD_RULES, StemsServicer, operation_source
from services.stems.domain import Catalogue, Chunk, ChunkPart, Order, Result, Separation, Webhook
from services.stems.peers import Receivers
from services.stems.store import Base
from services.stems.store.tables import to_separation
from services.stems.stub import MODEL
from tests.unit.stems.house import ARTIST, StemsHouse
from tonewright.operations.v1 import operations_pb2 as operations
from tonewright.stems.v1 import stems_pb2 as pb
from tonewright.stems.v1.stems_pb2_grpc import StemsServiceStub, add_StemsServiceServicer_to_server

PARENT = f"artists/{ARTIST}"
SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()


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
    assert "not audio" in ended.error.message


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


async def test_the_secret_of_a_webhook_is_never_told(face: Face) -> None:
    hook = pb.Webhook(url="http://localhost:9/end", secret=SECRET)
    name = target(await face.create(webhook=hook, publish_chunks=True, include_residual=True))

    found = await face.stems.GetSeparation(pb.GetSeparationRequest(name=name))

    assert found.webhook == pb.Webhook(url="http://localhost:9/end")
    assert (found.publish_chunks, found.include_residual) == (True, True)
    assert SECRET not in repr(face.house.store.get(ARTIST, name.rpartition("/")[2]))


@pytest.mark.parametrize(
    ("asked", "error", "text"),
    [
        ({"webhook": pb.Webhook()}, InvalidArgument, "separation.webhook.url"),
        ({"webhook": pb.Webhook(url="http://localhost:9", secret="whsec_c2hvcnQ=")}, InvalidArgument, "24 to 64 bytes"),
        ({"webhook": pb.Webhook(url="http://localhost:9", secret="no base64")}, InvalidArgument, "24 to 64 bytes"),
        ({"webhook": pb.Webhook(url="ftp://localhost", secret=SECRET)}, InvalidArgument, "https"),
        ({"include_residual": True, "stem_set": pb.STEM_SET_TWO_STEMS}, InvalidArgument, "include_residual"),
        ({"include_residual": True, "output_format": pb.OUTPUT_FORMAT_MP3}, InvalidArgument, "include_residual"),
    ],
)
async def test_new_fields_have_rules(face: Face, asked: dict[str, Any], error: type[AppError], text: str) -> None:
    with pytest.raises(error, match=text):
        await face.create(**asked)


async def test_webhooks_go_to_public_hosts_unless_told_otherwise(face: Face) -> None:
    strict = replace(face.house.separations, receivers=Receivers())
    order = Order(face.asset, webhook=Webhook("https://127.0.0.1/end", SECRET))

    with acting_as(caller_for(ARTIST)), pytest.raises(WebhookUrlRefused, match="private"):
        strict.create(ARTIST, order, "", b"")


def chunk(index: int) -> Chunk:
    return Chunk(
        index, index * 100, 100, 44100, (ChunkPart("bass", f"artists/nova/stems/chunks/x/{index}", "audio/flac"),)
    )


async def test_watching_tells_each_chunk_once_and_in_order_though_the_worker_dies(face: Face) -> None:
    name = target(await face.create(publish_chunks=True))
    store = face.house.store

    async def watch(first: int) -> list[str]:
        request = pb.WatchSeparationRequest(name=name, include_chunks=True, first_chunk=first)
        told = []
        async for update in face.stems.WatchSeparation(request, timeout=20):
            kind = update.WhichOneof("update")
            told.append(str(update.chunk.index) if kind == "chunk" else state_name(update.separation))
        return told

    def claim() -> Separation:
        row = face.house.jobs.claim("w")
        assert row is not None
        return to_separation(row)

    async with asyncio.TaskGroup() as tasks:
        told = tasks.create_task(watch(0))
        first = claim()
        for index in range(3):
            store.add_chunk(first, chunk(index))
            await asyncio.sleep(0.1)
        face.house.jobs.release(first.uid, first.attempt.fence)
        again = claim()
        await asyncio.sleep(0.3)
        for index in range(5):
            store.add_chunk(again, chunk(index))
        store.finish(again, Result((), 0.0, 1.0, again.name))
    late = await watch(3)

    assert [item for item in told.result() if item.isdigit()] == ["0", "1", "2", "3", "4"]
    assert told.result()[-1] == "SUCCEEDED"
    assert late == ["3", "4", "SUCCEEDED"]


async def test_chunks_are_told_to_those_who_ask(face: Face) -> None:
    name = target(await face.create(publish_chunks=True))
    row = face.house.jobs.claim("w")
    assert row is not None
    face.house.store.add_chunk(to_separation(row), chunk(0))
    face.house.store.finish(to_separation(row), Result((), 0.0, 1.0, name))

    told = [update async for update in face.stems.WatchSeparation(pb.WatchSeparationRequest(name=name), timeout=20)]

    assert [state_name(update.separation) for update in told] == ["SUCCEEDED"]
    with pytest.raises(InvalidArgument, match="first_chunk"):
        await anext(aiter(face.stems.WatchSeparation(pb.WatchSeparationRequest(name=name, first_chunk=-1))))


def batch(face: Face, *separations: pb.Separation, request_id: str = "") -> pb.BatchCreateSeparationsRequest:
    requests = [pb.CreateSeparationRequest(separation=separation) for separation in separations]
    return pb.BatchCreateSeparationsRequest(parent=PARENT, requests=requests, request_id=request_id)


async def test_each_of_a_batch_is_made_or_refused_by_itself(face: Face) -> None:
    good, bad = pb.Separation(asset=face.asset), pb.Separation(asset=face.asset, model="kazoo")
    wrong = pb.Separation(asset=face.asset, output_format=99)  # type: ignore[arg-type]

    answer = await face.stems.BatchCreateSeparations(batch(face, good, bad, wrong, good))

    assert [operation.done for operation in answer.operations] == [False, True, True, False]
    assert [operation.error.code for operation in answer.operations] == [0, 5, 3, 0]
    assert "dsp-stub" in answer.operations[1].error.message
    assert [bool(operation.name) for operation in answer.operations] == [True, False, False, True]
    listed = await face.stems.ListSeparations(pb.ListSeparationsRequest(parent=PARENT))
    assert [item.name for item in listed.separations] == [target(answer.operations[at]) for at in (3, 0)]


async def test_a_batch_that_is_repeated_makes_nothing_new(face: Face) -> None:
    items = [pb.Separation(asset=face.asset, labels={"n": str(index)}) for index in range(3)]
    first = await face.stems.BatchCreateSeparations(batch(face, *items, request_id="r"))

    again = await face.stems.BatchCreateSeparations(batch(face, *items, request_id="r"))

    assert again == first
    with pytest.raises(AlreadyExists, match="another BatchCreate"):
        await face.stems.BatchCreateSeparations(batch(face, *items[:2], request_id="r"))


async def test_a_batch_that_was_cut_off_goes_on_where_it_was(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [pb.Separation(asset=face.asset, labels={"n": str(index)}) for index in range(4)]
    left = iter([True, True])
    get = face.house.assets.get

    def away(name: str) -> Any:
        if not next(left, False):
            raise DependencyUnavailable("sessions")
        return get(name)

    monkeypatch.setattr(face.house.assets, "get", away)
    with pytest.raises(Unavailable):
        await face.stems.BatchCreateSeparations(batch(face, *items, request_id="r"))
    monkeypatch.undo()

    answer = await face.stems.BatchCreateSeparations(batch(face, *items, request_id="r"))

    listed = await face.stems.ListSeparations(pb.ListSeparationsRequest(parent=PARENT))
    assert [item.name for item in listed.separations][::-1] == [target(operation) for operation in answer.operations]


async def test_a_batch_has_bounds(face: Face) -> None:
    one = pb.CreateSeparationRequest(separation=pb.Separation(asset=face.asset))
    strange = pb.CreateSeparationRequest(parent="artists/stranger", separation=one.separation)
    wide = pb.CreateSeparationRequest(separation=pb.Separation(asset=face.asset, labels={"x": "y" * (1 << 20)}))

    for requests, error in (([], InvalidArgument), ([one] * 1001, InvalidArgument), ([wide], ResourceExhausted)):
        with pytest.raises(error):
            await face.stems.BatchCreateSeparations(pb.BatchCreateSeparationsRequest(parent=PARENT, requests=requests))
    with pytest.raises(NotFound):
        await face.stems.BatchCreateSeparations(pb.BatchCreateSeparationsRequest(parent=PARENT, requests=[strange]))


def state_name(separation: pb.Separation) -> str:
    return operations.State.Name(separation.state).removeprefix("STATE_")
