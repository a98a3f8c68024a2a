"""Liveness, readiness with everything that is down, and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from fastapi import APIRouter, Request
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field
from starlette.responses import PlainTextResponse, Response

from chassis.errors import AppError
from chassis.health import Report
from services.gateway.context import ServerTools, tools_of
from services.gateway.peers import PEER_NAMES
from services.gateway.replies import json_reply
from services.gateway.shapes import Out

_ASK_S = 2.0
_DEPENDENCY = "dependency/"
_SERVING = health_pb2.HealthCheckResponse.SERVING
router = APIRouter(tags=["health"])

Probe = Callable[[], Awaitable[None]]


class Liveness(Out):
    """Whether the process lives."""

    status: Literal["ok"] = Field(description="Always the same.", examples=["ok"])


class ReadinessCheck(Out):
    """How one thing is that the gateway stands on."""

    status: Literal["ok", "degraded", "unavailable"] = Field(description="How it is.", examples=["ok"])
    detail: str = Field(description="What is wrong with it; empty when nothing is.", examples=["no answer within 2 s"])
    failing: list[str] = Field(description="What it lacks itself.", examples=[["database"]])


class Readiness(Out):
    """How the gateway and everything behind it is."""

    status: Literal["ok", "degraded", "unavailable"] = Field(description="All in all.", examples=["ok"])
    failing: list[str] = Field(description="Names of the checks that are not ok.", examples=[[]])
    checks: dict[str, ReadinessCheck] = Field(description="Each check by its name.")


@router.get(
    "/livez",
    operation_id="get_liveness",
    summary="Whether the process lives",
    response_model=None,
    responses={200: {"model": Liveness}},
)
async def get_liveness() -> Response:
    """Answers 200 while the process can answer at all."""
    return json_reply({"status": "ok"})


@router.get(
    "/readyz",
    operation_id="get_readiness",
    summary="Whether requests can be served",
    response_model=None,
    responses={200: {"model": Readiness}, 503: {"model": Readiness, "description": "Some of them cannot."}},
)
async def get_readiness(request: Request, scope: str = "all") -> Response:
    """Answers 200 when the gateway and every service behind it can serve, else 503; names what is down.

    The status is `degraded` where something is down that most requests do without, such as the model provider.
    `scope=self` asks whether requests should come to this gateway: one service that is down, or the object store, does
    not take the others away, so only a gateway that stops answers 503.
    """
    tools = tools_of(request)
    probes = {} if scope == "self" else {peer: _peer_probe(tools, peer) for peer in PEER_NAMES}
    own, *found = await asyncio.gather(tools.health.check(), *(_ask(probe) for probe in probes.values()))
    checks = {name: _own_check(own, name) for name in own.dependencies} | dict(zip(probes, found, strict=True))
    can_serve = scope == "self" or all(check["status"] != "unavailable" for check in checks.values())
    is_ready = can_serve and not tools.health.is_draining
    failing = sorted(name for name, check in checks.items() if check["status"] != "ok")
    status = ("degraded" if failing else "ok") if is_ready else "unavailable"
    told = {name: {"detail": "", "failing": [], **check} for name, check in checks.items()}
    body = {"status": status, "failing": failing, "checks": told}
    headers = {"cache-control": "no-store"} | ({} if is_ready else {"retry-after": "2"})
    return json_reply(body, 200 if is_ready else 503, headers)


@router.get(
    "/metrics",
    operation_id="get_metrics",
    summary="Prometheus metrics",
    response_model=None,
    response_class=PlainTextResponse,
)
async def get_metrics() -> Response:
    """The metrics of this process in Prometheus's text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _own_check(report: Report, name: str) -> dict[str, Any]:
    if report.dependencies[name]:
        return {"status": "ok"}
    status = "degraded" if report.ready else "unavailable"
    return {"status": status, "detail": report.failed.get(name, "does not answer")}


class _NotServing(AppError):
    """A service answers and says what it lacks."""

    def __init__(self, failing: list[str], *, is_serving: bool) -> None:
        super().__init__(f"{'without' if is_serving else 'not serving'}: {', '.join(failing) or 'itself'}")
        self.failing = failing
        self.status = "degraded" if is_serving else "unavailable"


async def _ask(probe: Probe) -> dict[str, Any]:
    try:
        async with asyncio.timeout(_ASK_S):
            await probe()
    except _NotServing as error:
        return {"status": error.status, "detail": error.message, "failing": error.failing}
    except AppError as error:
        return {"status": "unavailable", "detail": error.message}
    except TimeoutError:
        return {"status": "unavailable", "detail": f"no answer within {_ASK_S:g} s"}
    except OSError as error:
        return {"status": "unavailable", "detail": type(error).__name__}
    return {"status": "ok"}


def _peer_probe(tools: ServerTools, peer: str) -> Probe:
    async def probe() -> None:
        stub = health_pb2_grpc.HealthStub(tools.peers.channel(peer))
        answer = await stub.List(health_pb2.HealthListRequest(), timeout=_ASK_S)
        bad = sorted(name for name, status in answer.statuses.items() if status.status != _SERVING)
        if bad:
            named = [name.removeprefix(_DEPENDENCY) for name in bad if name.startswith(_DEPENDENCY)]
            raise _NotServing(named, is_serving="" not in bad)

    return probe
