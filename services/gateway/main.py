"""The gateway's composition root: it wires the parts and serves HTTP until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Iterator

import uvicorn
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.types import ASGIApp

from chassis.channels import Channels
from chassis.logs import get_logger
from chassis.runtime import App, Runtime, run_service
from services.gateway.access import Doors
from services.gateway.app import create_app, openapi
from services.gateway.context import ServerTools
from services.gateway.keys import ApiKeys
from services.gateway.links import Signer
from services.gateway.oidc import Oidc
from services.gateway.peers import Peers
from services.gateway.problems import Problems
from services.gateway.settings import GatewaySettings

_log = get_logger(__name__)
# A conversation's document may have as many bytes as a JSON body; a batch of them a little more.
_MESSAGE_BYTES = 32 << 20


def main() -> None:
    """Be the gateway."""
    run_service(GatewaySettings, build)


def build(runtime: Runtime) -> App:
    """The gateway as a process: no RPCs of its own, one HTTP server."""
    settings: GatewaySettings = runtime.settings
    channels = Channels(settings, runtime.signer, message_bytes=_MESSAGE_BYTES)
    app, tools = assemble(runtime, channels)
    openapi()
    # The contract's thousand classes live as long as the process: collections and the exit pass them over.
    gc.collect()
    gc.freeze()

    async def serve(stopping: asyncio.Event) -> None:
        await serve_http(app, settings, tools, stopping)

    return App(loops=[serve], on_stop=[channels.close], has_ops=False)


def assemble(runtime: Runtime, channels: Channels) -> tuple[ASGIApp, ServerTools]:
    """The application and what its routes share."""
    settings: GatewaySettings = runtime.settings
    secret = runtime.signer.key().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    signer = Signer(secret, runtime.clock)
    oidc = Oidc(settings, runtime.clock) if settings.oidc_issuer else None
    if oidc is not None:
        runtime.health.add("oidc", oidc.keys.probe, required=False)
    tools = ServerTools(
        settings=settings,
        clock=runtime.clock,
        peers=Peers(channels, settings.call_timeout_s),
        objects=runtime.objects,
        pool=runtime.pool,
        signer=signer,
        problems=Problems(settings.docs_url),
        health=runtime.health,
    )
    return create_app(tools, Doors(ApiKeys(settings.keys_file, runtime.clock), oidc, signer)), tools


async def serve_http(app: ASGIApp, settings: GatewaySettings, tools: ServerTools, stopping: asyncio.Event) -> None:
    """Serve until `stopping` is set; transfers that run then get the grace, followed operations end at once."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, int(settings.grace_s)),
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(server.serve())
        _log.info("http_serving", host=settings.host, port=settings.port)
        told = tasks.create_task(stopping.wait())
        await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        tools.stopping.set()
        server.should_exit = True


class _Server(uvicorn.Server):
    """A server that leaves the signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
