"""The gateway in this process, over services that answer as a test says."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import httpx2
import pytest
from google.protobuf.message import Message

from chassis import context
from chassis.context import Caller, Role
from chassis.errors import DependencyUnavailable, NotFound, NotImplementedYet, Unauthenticated
from chassis.health import Health
from chassis.testing import FakeClock
from chassis.testing.data import MemoryStore
from services.gateway.access import Doors
from services.gateway.app import create_app
from services.gateway.context import ServerTools
from services.gateway.keys import ApiKeys
from services.gateway.links import Signer
from services.gateway.oidc import Oidc
from services.gateway.peers import Peers
from services.gateway.problems import Problems
from services.gateway.settings import GatewaySettings
from tonewright.artists.v1 import artists_pb2

P = ParamSpec("P")
T = TypeVar("T")
KEY, OTHER_KEY, OPERATOR_KEY = "twk_ada", "twk_eve", "twk_root"
NAME = "artists/nova"
NOBODY = Caller("", "", "-", Role.VIEWER)


def _caller() -> Caller:
    try:
        return context.caller()
    except Unauthenticated:
        return NOBODY


class Backend:
    """All services at once: a handler per method, every call kept with its caller."""

    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}
        self.calls: list[tuple[str, Any, Caller]] = []
        self.members = {("ada", NAME): "OWNER", ("eve", "artists/vega"): "OWNER"}
        self.down: set[str] = set()
        self.on("ResolveMembership", self._membership)

    def on(self, method: str, answer: Any) -> None:
        """Let a method answer with a message, an error, a list of messages, or what a function gives."""
        self.handlers[method] = answer

    def requests(self, method: str) -> list[Any]:
        """The requests that a method got."""
        return [request for name, request, _ in self.calls if name == method]

    def aio(self, peer: str) -> Any:
        return _Channel(self, peer)

    def answer(self, peer: str, method: str, request: Message) -> Any:
        self.calls.append((method, request, _caller()))
        if peer in self.down:
            raise DependencyUnavailable(peer)
        handler = self.handlers.get(method)
        if handler is None:
            raise NotImplementedYet(f"{method} is not implemented in this release")
        answer = handler(request) if callable(handler) and not isinstance(handler, Message) else handler
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _membership(self, request: artists_pb2.ResolveMembershipRequest) -> artists_pb2.Membership:
        role = self.members.get((request.principal, request.artist))
        if role is None:
            raise NotFound("no such artist")
        return artists_pb2.Membership(
            artist=request.artist, principal=request.principal, role=artists_pb2.Role.Value(f"ROLE_{role}")
        )


class _Channel:
    def __init__(self, backend: Backend, peer: str) -> None:
        self._backend, self._peer = backend, peer

    def unary_unary(self, path: str, **_: Any) -> Any:
        async def call(request: Message, timeout: float | None = None) -> Any:
            return self._backend.answer(self._peer, path.rpartition("/")[2], request)

        return call

    def unary_stream(self, path: str, **_: Any) -> Any:
        async def call(request: Message, timeout: float | None = None) -> AsyncIterator[Any]:
            for answer in self._backend.answer(self._peer, path.rpartition("/")[2], request):
                if isinstance(answer, Exception):
                    raise answer
                yield answer

        return call

    stream_unary = stream_stream = unary_unary


class InlinePool:
    """Calls at once instead of in a thread."""

    async def run(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return fn(*args, **kwargs)


@dataclass
class Gateway:
    """The gateway and what it stands on."""

    app: Any
    tools: ServerTools
    backend: Backend
    clock: FakeClock
    objects: MemoryStore
    clients: list[httpx2.AsyncClient] = field(default_factory=list)

    def client(self, key: str | None = KEY) -> httpx2.AsyncClient:
        """An HTTP client with a key, or without."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        transport = httpx2.ASGITransport(app=self.app)
        made = httpx2.AsyncClient(transport=transport, base_url="http://gateway", headers=headers)
        self.clients.append(made)
        return made


def write_keys(path: Path) -> None:
    entries = [("ada", KEY, "false"), ("eve", OTHER_KEY, "false"), ("root", OPERATOR_KEY, "true")]
    path.write_text(
        "".join(
            f'[[keys]]\nprincipal = "{principal}"\nsha256 = "{hashlib.sha256(key.encode()).hexdigest()}"\n'
            f"operator = {operator}\n"
            for principal, key, operator in entries
        )
    )


def make_gateway(folder: Path, *, oidc: Any = None, **settings: Any) -> Gateway:
    """A gateway with settings of the test's choice."""
    write_keys(folder / "api-keys.toml")
    chosen = GatewaySettings(home=folder, **settings)
    clock, backend, objects = FakeClock(), Backend(), MemoryStore()
    signer = Signer(b"secret", clock)
    tools = ServerTools(
        settings=chosen,
        clock=clock,
        peers=Peers(backend, 30),
        objects=objects,
        pool=InlinePool(),
        signer=signer,
        problems=Problems(chosen.docs_url),
        health=Health(),
    )
    door = Oidc(chosen, clock, oidc) if oidc else None
    app = create_app(tools, Doors(ApiKeys(chosen.keys_file, clock), door, signer))
    return Gateway(app, tools, backend, clock, objects)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway on its defaults."""
    made = make_gateway(tmp_path)
    yield made
    made.tools.health.close()


@pytest.fixture
def http(gateway: Gateway) -> httpx2.AsyncClient:
    """A client with ada's key; she owns artists/nova."""
    return gateway.client()


@pytest.fixture
def backend(gateway: Gateway) -> Backend:
    """The services behind the gateway."""
    return gateway.backend
