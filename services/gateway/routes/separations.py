"""Separations into stems, and the models that make them."""

from __future__ import annotations

from fastapi import APIRouter

from services.gateway.peers import STEMS
from services.gateway.transcode import Rpc, expose

router = APIRouter(prefix="/v1")
_SEPARATION = "/artists/{artist}/separations/{separation}"

expose(
    router,
    "separations",
    Rpc("POST /artists/{artist}/separations", STEMS, "CreateSeparation"),
    Rpc("POST /artists/{artist}/separations:batchCreate", STEMS, "BatchCreateSeparations"),
    Rpc("GET /artists/{artist}/separations", STEMS, "ListSeparations"),
    Rpc(f"GET {_SEPARATION}", STEMS, "GetSeparation"),
    Rpc(f"GET {_SEPARATION}/events", STEMS, "WatchSeparation"),
    Rpc(f"POST {_SEPARATION}:cancel", STEMS, "CancelSeparation"),
    Rpc(f"DELETE {_SEPARATION}", STEMS, "DeleteSeparation"),
    Rpc("GET /artists/{artist}/models", STEMS, "ListModels"),
    Rpc("GET /artists/{artist}/models/{model}", STEMS, "GetModel"),
)
