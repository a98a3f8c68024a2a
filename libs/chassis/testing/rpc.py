"""An in-process server with real tokens, interceptors and channels."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from chassis.channels import Channels
from chassis.clock import Clock, SystemClock
from chassis.context import Caller, Role, acting_as
from chassis.health import Health
from chassis.rpc.server import make_server
from chassis.runtime import App
from chassis.settings import Settings
from chassis.tokens import Verifier


def caller_for(
    artist: str = "nova", *, principal: str = "ada", role: Role = Role.OWNER, service: str = "gateway"
) -> Caller:
    """A person at an artist, calling through a service."""
    return Caller(service=service, principal=principal, artist=artist, role=role)


def operator() -> Caller:
    """An operator of the platform, at no artist."""
    return Caller(service="gateway", principal="root", artist="-", role=Role.OWNER, operator=True)


def write_keys(folder: Path, services: Sequence[str]) -> None:
    """A key pair for each service, as `<service>.key` and `<service>.pub`."""
    folder.mkdir(parents=True, exist_ok=True)
    for service in services:
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{service}.key").write_bytes(private)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{service}.pub").write_bytes(public)


@dataclass
class Served:
    """A server that runs, and channels to it as the calling service."""

    server: grpc.aio.Server
    channels: Channels
    channel: grpc.aio.Channel
    health: Health
    target: str


@asynccontextmanager
async def grpc_server(
    app: App, *, service: str = "service", caller: Caller | None = None, clock: Clock | None = None
) -> AsyncIterator[Served]:
    """Serve the app and act as the caller inside; other callers through `acting_as`."""
    caller, clock = caller or caller_for(), clock or SystemClock()
    with tempfile.TemporaryDirectory(prefix="chassis-") as name:
        keys = Path(name)
        write_keys(keys, [caller.service, "stranger"])
        (keys / "callers.toml").write_text(f'{service} = ["{caller.service}"]')
        health = Health()
        server = make_server(
            service,
            app.servicers,
            verifier=Verifier(service, keys, keys / "callers.toml", clock),
            health=health,
            clock=clock,
            rules=app.method_rules,
            message_bytes=app.message_bytes,
        )
        target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        channels = Channels(
            _calling(caller.service, service, target)(home=keys, signing_key_file=keys / f"{caller.service}.key")
        )
        try:
            with acting_as(caller):
                yield Served(server, channels, channels.aio(service), health, target)
        finally:
            await channels.close()
            await server.stop(None)
            health.close()


def _calling(service: str, peer: str, target: str) -> type[Settings]:
    class CallerSettings(Settings):
        SERVICE = service

        def target_of(self, asked: str) -> str:
            return target if asked == peer else super().target_of(asked)

    return CallerSettings
