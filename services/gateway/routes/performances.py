"""Performances: made, changed and left here, played over the realtime socket."""

from __future__ import annotations

from fastapi import APIRouter

from services.gateway.peers import REALTIME
from services.gateway.transcode import Rpc, expose

router = APIRouter(prefix="/v1")
_PERFORMANCE = "/artists/{artist}/performances/{performance}"

expose(
    router,
    "performances",
    Rpc("POST /artists/{artist}/performances", REALTIME, "CreatePerformance"),
    Rpc("GET /artists/{artist}/performances", REALTIME, "ListPerformances"),
    Rpc(f"GET {_PERFORMANCE}", REALTIME, "GetPerformance"),
    Rpc(f"PATCH {_PERFORMANCE}", REALTIME, "UpdatePerformance"),
    Rpc(f"POST {_PERFORMANCE}:connect", REALTIME, "CreateTicket", operation_id="connect_performance"),
    Rpc(f"POST {_PERFORMANCE}:save", REALTIME, "SavePerformance", timeout_s=120),
    Rpc(f"POST {_PERFORMANCE}:stop", REALTIME, "StopPerformance"),
    Rpc(f"DELETE {_PERFORMANCE}", REALTIME, "DeletePerformance"),
    Rpc("GET /artists/{artist}/engines", REALTIME, "ListEngines"),
)
