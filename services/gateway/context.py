"""What every route needs, in one place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, Protocol, TypeVar

from starlette.requests import Request

from chassis.clock import Clock
from chassis.health import Health
from chassis.objects import ObjectStore
from services.gateway.links import Signer
from services.gateway.peers import Peers
from services.gateway.problems import Problems
from services.gateway.settings import GatewaySettings

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Pool(Protocol):
    """Threads for calls that block."""

    async def run(self, fn: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """The result of the call, made in a thread."""
        ...


@dataclass(frozen=True, slots=True)
class ServerTools:
    """The parts that routes share."""

    settings: GatewaySettings
    clock: Clock
    peers: Peers
    objects: ObjectStore
    pool: Pool
    signer: Signer
    problems: Problems
    health: Health
    # Set at the end of the drain: followed operations end, so that their clients connect to another process.
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


def tools_of(request: Request) -> ServerTools:
    """The tools of the application that serves the request."""
    tools: ServerTools = request.scope["state"]["tools"]
    return tools


def base_url(request: Request) -> str:
    """How the client reaches the gateway: the public URL if one is set, else as it just did."""
    settings = tools_of(request).settings
    return (settings.public_url or str(request.base_url)).rstrip("/")
