"""Trainings at a provider, music from what was trained, and lineage."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from services.gateway.context import base_url
from services.gateway.peers import TRAININGS
from services.gateway.routes.exports import archive_link
from services.gateway.transcode import Rpc, expose

router = APIRouter(prefix="/v1")
_ARTIST = "/artists/{artist}"
_TRAINING = "/artists/{artist}/trainings/{training}"
_GENERATION = "/artists/{artist}/generations/{generation}"
# A training may queue at the provider; its link has to outlive that.
_ARCHIVE_LINK_S = 7 * 86400


async def _with_addresses(request: Request, message: Any) -> None:
    message.archive_url = await archive_link(request, message.training.export, _ARCHIVE_LINK_S)
    message.webhook_url = _webhook_address(request)


async def _with_webhook(request: Request, message: Any) -> None:
    message.webhook_url = _webhook_address(request)


def _webhook_address(request: Request) -> str:
    return f"{base_url(request)}/v1/webhooks/replicate"


expose(
    router,
    "trainings",
    Rpc(f"POST {_ARTIST}/trainings", TRAININGS, "CreateTraining", prepare=_with_addresses),
    Rpc(f"POST {_ARTIST}/trainings:emulate", TRAININGS, "EmulateTraining", timeout_s=120),
    Rpc(f"GET {_ARTIST}/trainings", TRAININGS, "ListTrainings"),
    Rpc(f"GET {_ARTIST}/training-budget", TRAININGS, "GetTrainingBudget"),
    Rpc(f"GET {_TRAINING}", TRAININGS, "GetTraining"),
    Rpc(f"POST {_TRAINING}:cancel", TRAININGS, "CancelTraining"),
    Rpc(f"GET {_TRAINING}/lineage", TRAININGS, "GetLineage", name="artists/{artist}/trainings/{training}"),
)
expose(
    router,
    "generations",
    Rpc(f"POST {_ARTIST}/generations", TRAININGS, "CreateGeneration", prepare=_with_webhook),
    Rpc(f"GET {_ARTIST}/generations", TRAININGS, "ListGenerations"),
    Rpc(f"GET {_GENERATION}", TRAININGS, "GetGeneration"),
    Rpc(f"POST {_GENERATION}:cancel", TRAININGS, "CancelGeneration"),
    Rpc(
        f"GET {_GENERATION}/lineage",
        TRAININGS,
        "GetLineage",
        name="artists/{artist}/generations/{generation}",
        operation_id="get_generation_lineage",
    ),
)
