"""Inbound webhooks: the exact bytes and headers go to the service that checks their signature."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from chassis.context import Caller, Role, acting_as
from services.gateway.access import NO_ARTIST
from services.gateway.context import tools_of
from services.gateway.errors import BodyTooLarge
from services.gateway.peers import TRAININGS
from services.gateway.replies import gone
from tonewright.datasets.v1 import trainings_pb2

router = APIRouter(prefix="/v1", tags=["webhooks"])
_MAX_BYTES = 1 << 20
_SECRET = frozenset({"authorization", "cookie"})


@router.post(
    "/webhooks/{provider}",
    operation_id="receive_webhook",
    summary="Take a provider's webhook",
    status_code=204,
    response_model=None,
)
async def receive_webhook(request: Request, provider: str) -> Response:
    """Takes what a training provider tells; it is believed for its signature alone."""
    body = await request.body()
    if len(body) > _MAX_BYTES:
        raise BodyTooLarge(f"the webhook has {len(body)} bytes; at most {_MAX_BYTES} are accepted")
    headers = {name: value for name, value in request.headers.items() if name not in _SECRET}
    asked = trainings_pb2.ReceiveTrainingWebhookRequest(provider=provider, headers=headers, body=body)
    nobody = Caller("gateway", f"webhook:{provider}"[:200], NO_ARTIST, Role.VIEWER)
    with acting_as(nobody):
        await tools_of(request).peers.call(TRAININGS, "ReceiveTrainingWebhook", asked)
    return gone()
