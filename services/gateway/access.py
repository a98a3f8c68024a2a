"""Who may come in: identities from keys, tokens and tickets, and the role each has at an artist."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.clock import Clock
from chassis.context import Caller, Role, acting_as
from chassis.errors import NotFound, OperatorRequired
from services.gateway.errors import ArtistNotFound, KeyMissing, KeyUnknown
from services.gateway.keys import PREFIX, ApiKeys, Identity
from services.gateway.limits import RateLimit
from services.gateway.links import Signer
from services.gateway.oidc import Oidc
from services.gateway.peers import ARTISTS, Peers
from tonewright.artists.v1 import artists_pb2

# What anybody may read. Everything else needs a key; docs/contracts.md lists these for people.
PUBLIC = {
    "/": "redirect to /docs",
    "/livez": "liveness",
    "/readyz": "readiness, with what is down",
    "/metrics": "Prometheus metrics",
    "/openapi.json": "the contract",
    "/docs": "the contract for people",
}
PUBLIC_BELOW = {
    "/v1/links/": "signed links: the token in the path is the right to one content",
    "/v1/webhooks/": "inbound webhooks: the provider's signature is checked over the exact bytes",
}
TICKETED = (
    "/v1/artists/{artist}/operations/{operation}/events?ticket=…",
    "/v1/artists/{artist}/separations/{separation}/events?ticket=…",
)
_TICKETED = re.compile(r"/v1/artists/[^/]+/(operations|separations)/[^/]+/events")
_ARTIST = re.compile(r"/v1/artists/([^/:]+)")
_CHANGES_ROLES = re.compile(r"/v1/artists/[^/]+(/members(/[^/]+)?)?")
_OPERATOR = "/v1/operator/"
_MAX_ROLES = 10_000
NO_ARTIST = "-"


class Roles:
    """The role of a principal at an artist, remembered for a while; an answer of "none" is not.

    Args:
        peers: Where to ask.
        clock: Source of time.
        ttl_s: How long a role is remembered.
    """

    def __init__(self, peers: Peers, clock: Clock, ttl_s: float) -> None:
        self._peers = peers
        self._clock = clock
        self._ttl_s = ttl_s
        self._known: OrderedDict[tuple[str, str], tuple[Role, float]] = OrderedDict()

    async def of(self, identity: Identity, artist: str, *, show_deleted: bool = False) -> Role:
        """The role.

        Raises:
            ArtistNotFound: There is none, or no such artist.
        """
        key = (identity.principal, artist)
        known = self._known.get(key)
        if known is not None and known[1] > self._clock.monotonic() and not show_deleted:
            return known[0]
        self._known.pop(key, None)
        role = await self._ask(identity, artist, show_deleted=show_deleted)
        if not show_deleted:
            self._known[key] = (role, self._clock.monotonic() + self._ttl_s)
            if len(self._known) > _MAX_ROLES:
                self._known.popitem(last=False)
        return role

    def forget(self, artist: str) -> None:
        """Ask again for everybody at this artist: its members just changed."""
        for key in [key for key in self._known if key[1] == artist]:
            del self._known[key]

    async def _ask(self, identity: Identity, artist: str, *, show_deleted: bool) -> Role:
        request = artists_pb2.ResolveMembershipRequest(
            principal=identity.principal, artist=f"artists/{artist}", show_deleted=show_deleted
        )
        nobody = Caller("gateway", identity.principal, NO_ARTIST, Role.VIEWER, identity.operator)
        try:
            with acting_as(nobody):
                found = await self._peers.call(ARTISTS, "ResolveMembership", request)
        except NotFound as error:
            raise ArtistNotFound(f"artists/{artist} does not exist") from error
        return Role(artists_pb2.Role.Name(found.role).removeprefix("ROLE_").lower())


@dataclass(frozen=True, slots=True)
class Doors:
    """The ways to show who one is."""

    keys: ApiKeys
    oidc: Oidc | None
    signer: Signer

    async def identify(self, headers: Headers) -> Identity:
        """The identity behind `Authorization: Bearer`.

        Raises:
            KeyMissing: There is none.
            KeyUnknown: It is neither a key nor a token that could be ours.
        """
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret:
            raise KeyMissing("this needs an API key or token: send the header `Authorization: Bearer <key>`")
        if self.oidc is not None and not secret.startswith(PREFIX) and secret.count(".") == 2:
            return await self.oidc.identify(secret)
        if not secret.isascii():
            raise KeyUnknown("an API key has ASCII characters only; check that it is complete")
        return self.keys.identify(secret)


class Access:
    """Lets a request in with the caller it belongs to, or refuses it; what is not public needs a key."""

    def __init__(self, app: ASGIApp, *, doors: Doors, roles: Roles, limit: RateLimit) -> None:
        self._app = app
        self._doors = doors
        self._roles = roles
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request on behalf of its caller."""
        if scope["type"] != "http" or is_public(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers, path = Headers(scope=scope), scope["path"]
        ticket = QueryParams(scope["query_string"]).get("ticket")
        if ticket and scope["method"] == "GET" and _TICKETED.fullmatch(path):
            caller = self._doors.signer.open_ticket(ticket, path).caller
            await self._run(scope, receive, send, caller)
            return
        identity = await self._doors.identify(headers)
        rate = self._limit.take(identity.key_id)
        scope.setdefault("state", {})["identity"] = identity

        async def send_with_rate(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(rate)
            await send(message)

        await self._run(scope, receive, send_with_rate, await self._caller(identity, path))

    async def _run(self, scope: Scope, receive: Receive, send: Send, caller: Caller) -> None:
        with acting_as(caller):
            await self._app(scope, receive, send)
        if scope["method"] not in ("GET", "HEAD") and _CHANGES_ROLES.fullmatch(scope["path"]):
            self._roles.forget(caller.artist)

    async def _caller(self, identity: Identity, path: str) -> Caller:
        found = _ARTIST.match(path)
        if found is None:
            if path.startswith(_OPERATOR) and not identity.operator:
                raise OperatorRequired("only operators of the platform may do this; use an operator's key")
            return Caller("gateway", identity.principal, NO_ARTIST, Role.VIEWER, identity.operator)
        artist = found[1]
        role = await self._roles.of(identity, artist, show_deleted=path.endswith(":undelete"))
        return Caller("gateway", identity.principal, artist, role, identity.operator)


def is_public(path: str) -> bool:
    """Whether anybody may read this path."""
    return path in PUBLIC or path.startswith(tuple(PUBLIC_BELOW))
