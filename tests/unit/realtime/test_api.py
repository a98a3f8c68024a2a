from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.context import Role, acting_as
from chassis.errors import AppError
from chassis.runtime import App, WorkPool
from chassis.testing import caller_for, grpc_server, operator
from services.realtime.api import METHOD_RULES, RealtimeServicer
from tests.unit.realtime.world import PIECE, World
from tonewright.realtime.v1 import realtime_pb2 as pb
from tonewright.realtime.v1.realtime_pb2_grpc import RealtimeServiceStub, add_RealtimeServiceServicer_to_server

PARENT = "artists/nova"


@pytest.fixture
async def stub(world: World) -> AsyncIterator[Any]:
    pool = WorkPool(2)
    servicer = RealtimeServicer(pool, world.use_cases, world.hall(), lambda: "ws://127.0.0.1:8081/socket")
    app = App(servicers=[(add_RealtimeServiceServicer_to_server, servicer)], method_rules=METHOD_RULES)
    async with grpc_server(app, service="realtime", caller=caller_for("nova")) as served:
        yield RealtimeServiceStub(served.channel)
    pool.close()


async def create(stub: Any, **wanted: Any) -> pb.Performance:
    performance = pb.Performance(**{"asset": PIECE, **wanted})
    request = pb.CreatePerformanceRequest(parent=PARENT, performance=performance)
    made: pb.Performance = await stub.CreatePerformance(request)
    return made


async def test_a_performance_starts_with_the_defaults_of_its_engine(stub: Any) -> None:
    made = await create(stub, graph=pb.Graph(knobs={"gain_db": -6}))

    found = await stub.GetPerformance(pb.GetPerformanceRequest(name=made.name))
    assert (found.engine, found.state, found.stems_state) == (
        "spectral",
        pb.Performance.STATE_STARTING,
        pb.Performance.STEMS_STATE_PENDING,
    )
    assert dict(found.graph.knobs) == {"gain_db": -6.0, "low_db": 0.0, "mid_db": 0.0, "high_db": 0.0, "blend": 0.0}
    assert (found.graph.overlay, found.source_mode) == ("instruments", pb.SOURCE_MODE_FULL)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"asset": ""}, "SOURCE_MISSING"),
        ({"asset": "piece"}, "NAME_INVALID"),
        ({"asset": "artists/nova/assets/nothing"}, "RESOURCE_NOT_FOUND"),
        ({"session": "artists/nova/sessions/x"}, "FIELD_INVALID"),
        ({"engine": "diffusion"}, "ENGINE_UNKNOWN"),
        ({"display_name": "x" * 201}, "FIELD_INVALID"),
        ({"graph": pb.Graph(knobs={"gain_db": 13})}, "KNOB_OUT_OF_RANGE"),
        ({"graph": pb.Graph(overlay="drums")}, "OVERLAY_UNKNOWN"),
        ({"graph": pb.Graph(curves=[pb.Curve(knob="gain_db")])}, "NOT_IMPLEMENTED"),
        ({"asset": "artists/vega/assets/piece"}, "RESOURCE_NOT_FOUND"),
    ],
)
async def test_a_wrong_request_says_what_is_wrong(stub: Any, wanted: dict[str, object], reason: str) -> None:
    with pytest.raises(AppError) as refused:
        await create(stub, **wanted)

    assert refused.value.reason == reason


async def test_an_update_changes_what_its_mask_names(stub: Any) -> None:
    made = await create(stub, graph=pb.Graph(knobs={"low_db": 3}), display_name="Before")
    wanted = pb.Performance(name=made.name, display_name="After", graph=pb.Graph(knobs={"gain_db": -6}))

    changed = await stub.UpdatePerformance(
        pb.UpdatePerformanceRequest(performance=wanted, update_mask=FieldMask(paths=["graph"]), etag=made.etag)
    )

    assert (changed.display_name, changed.graph.knobs["gain_db"], changed.graph.knobs["low_db"]) == (
        "Before",
        -6.0,
        3.0,
    )
    assert changed.etag != made.etag
    with pytest.raises(AppError, match="changed since"):
        await stub.UpdatePerformance(pb.UpdatePerformanceRequest(performance=wanted, etag=made.etag))


async def test_a_mask_with_something_else_is_refused(stub: Any) -> None:
    made = await create(stub)
    request = pb.UpdatePerformanceRequest(
        performance=pb.Performance(name=made.name), update_mask=FieldMask(paths=["engine"])
    )

    with pytest.raises(AppError, match="'engine' cannot be changed"):
        await stub.UpdatePerformance(request)


async def test_a_ticket_names_the_socket(stub: Any) -> None:
    made = await create(stub)

    ticket = await stub.CreateTicket(pb.CreateTicketRequest(name=made.name))

    assert ticket.socket_url == f"ws://127.0.0.1:8081/socket?ticket={ticket.ticket}"
    assert ticket.subprotocol == "tonewright.realtime.v1"


async def test_what_is_deleted_is_gone_and_its_audio_free(stub: Any, world: World) -> None:
    made = await create(stub)

    await stub.DeletePerformance(pb.DeletePerformanceRequest(name=made.name))

    with pytest.raises(AppError, match="does not exist"):
        await stub.GetPerformance(pb.GetPerformanceRequest(name=made.name))
    assert world.assets.holds == set()


async def test_another_artist_finds_nothing(stub: Any) -> None:
    made = await create(stub)

    with acting_as(caller_for("vega")), pytest.raises(AppError) as refused:
        await stub.GetPerformance(pb.GetPerformanceRequest(name=made.name))
    assert refused.value.CODE.name == "NOT_FOUND"


async def test_a_viewer_may_look_and_not_start(stub: Any) -> None:
    with acting_as(caller_for("nova", role=Role.VIEWER)):
        found = await stub.ListPerformances(pb.ListPerformancesRequest(parent=PARENT))
        with pytest.raises(AppError) as refused:
            await create(stub)

    assert (list(found.performances), refused.value.reason) == ([], "ROLE_TOO_LOW")


async def test_only_operators_see_all_artists(stub: Any) -> None:
    made = await create(stub)
    with acting_as(operator()):
        found = await stub.SearchPerformances(pb.SearchPerformancesRequest())
    with pytest.raises(AppError) as refused:
        await stub.SearchPerformances(pb.SearchPerformancesRequest())

    assert [one.name for one in found.performances] == [made.name]
    assert refused.value.reason == "OPERATOR_REQUIRED"


async def test_engines_tell_their_knobs(stub: Any) -> None:
    found = await stub.ListEngines(pb.ListEnginesRequest(parent=PARENT))

    (engine,) = found.engines
    assert engine.name == "artists/nova/engines/spectral"
    assert [knob.knob for knob in engine.knobs] == ["gain_db", "low_db", "mid_db", "high_db", "blend"]
