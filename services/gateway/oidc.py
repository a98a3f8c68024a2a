"""Tokens of an OIDC issuer, checked against its published keys."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import jwt

from chassis.clock import Clock
from chassis.logs import get_logger
from services.gateway.errors import IssuerUnavailable, TokenExpired, TokenInvalid
from services.gateway.keys import Identity
from services.gateway.settings import GatewaySettings

_log = get_logger(__name__)
# Only signatures that need the issuer's private key; a shared secret or none would let anybody sign.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_READ_TIMEOUT_S = 5.0
_PROBE_TIMEOUT_S = 1.5
_AGAIN_S = 10.0
_AGAIN_WHEN_DOWN_S = 2.0
_MAX_DOCUMENT_BYTES = 1 << 20

ReadJson = Callable[[str], Awaitable[dict[str, Any]]]


class IssuerKeys:
    """The issuer's public keys, read when one is needed and kept for a while."""

    def __init__(self, issuer: str, clock: Clock, *, ttl_s: float, read: ReadJson) -> None:
        self._issuer = issuer.rstrip("/")
        self._discovery = f"{self._issuer}/.well-known/openid-configuration"
        self._clock = clock
        self._ttl_s = ttl_s
        self._read = read
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._is_down = False
        self._lock = asyncio.Lock()

    async def get(self, key_id: str) -> jwt.PyJWK:
        """The key of this id.

        Raises:
            IssuerUnavailable: The key is not known and the issuer does not answer.
            TokenInvalid: The issuer has no such key.
        """
        if not self._is_stale() and key_id in self._keys:
            return self._keys[key_id]
        async with self._lock:
            if self._is_stale() or key_id not in self._keys:
                await self._refresh(key_id)
        if key_id not in self._keys:
            raise TokenInvalid("the token is signed with a key that its issuer does not publish; sign in again")
        return self._keys[key_id]

    def probe(self) -> None:
        """Raises when keys would have to be read and the issuer does not answer; blocks for 2 s at most."""
        if self._is_stale():
            httpx2.get(self._discovery, timeout=_PROBE_TIMEOUT_S).raise_for_status()

    def _is_stale(self) -> bool:
        return self._read_at is None or self._clock.monotonic() - self._read_at > self._ttl_s

    async def _refresh(self, key_id: str) -> None:
        now = self._clock.monotonic()
        # Tokens with invented key ids, and an issuer that is down, must not make us call it for each request.
        pause_s = _AGAIN_WHEN_DOWN_S if self._is_down else _AGAIN_S
        if self._tried_at is None or now - self._tried_at >= pause_s:
            self._tried_at = now
            self._is_down = not await self._read_keys()
        if self._is_down and key_id not in self._keys:
            raise IssuerUnavailable(
                f"the identity provider {self._issuer} does not answer, so the token cannot be checked; "
                "repeat the request later",
                metadata={"dependency": "oidc"},
                retry_after_s=5,
            )

    async def _read_keys(self) -> bool:
        try:
            discovery = await self._read(self._discovery)
            found = await self._read(str(discovery["jwks_uri"]))
            keys = jwt.PyJWKSet.from_dict(found).keys
        except (httpx2.HTTPError, jwt.PyJWKSetError, KeyError, ValueError, OSError) as error:
            _log.warning("issuer_unavailable", issuer=self._issuer, error=type(error).__name__)
            return False
        self._keys = {str(key.key_id): key for key in keys if key.key_id}
        self._read_at = self._clock.monotonic()
        return True


class Oidc:
    """Identities from JWTs of one issuer."""

    def __init__(self, settings: GatewaySettings, clock: Clock, read: ReadJson | None = None) -> None:
        assert settings.oidc_issuer is not None
        self._settings = settings
        self._clock = clock
        self.keys = IssuerKeys(settings.oidc_issuer, clock, ttl_s=settings.oidc_keys_ttl_s, read=read or read_json)

    async def identify(self, token: str) -> Identity:
        """The identity that a token states.

        Raises:
            TokenExpired: Its time is over.
            TokenInvalid: It is malformed, or not from our issuer, or not for us.
            IssuerUnavailable: It cannot be checked now.
        """
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in _ALGORITHMS or not header.get("kid"):
                raise TokenInvalid("the token names no key or is not signed by one; sign in again")
            key = await self.keys.get(str(header["kid"]))
            claims = self._claims(token, key)
        except jwt.ExpiredSignatureError as error:
            raise TokenExpired("the token has expired; sign in again or refresh it, then repeat the request") from error
        except jwt.PyJWTError as error:
            raise TokenInvalid(f"the token is not accepted ({_cause(error)}); sign in again") from error
        return self._identity(claims, token)

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        settings = self._settings
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=_ALGORITHMS,
            issuer=settings.oidc_issuer,
            audience=settings.oidc_audience,
            leeway=settings.oidc_leeway_s,
            options={
                "require": ["exp", "iss", settings.oidc_principal_claim],
                "verify_aud": settings.oidc_audience is not None,
            },
        )
        return claims

    def _identity(self, claims: dict[str, Any], token: str) -> Identity:
        settings = self._settings
        subject = str(claims[settings.oidc_principal_claim])
        if not 1 <= len(subject) <= 200:
            raise TokenInvalid(
                f"claim {settings.oidc_principal_claim} has {len(subject)} characters; 1 to 200 are accepted"
            )
        principal = settings.oidc_principal_prefix + subject
        key_id = hashlib.sha256(principal.encode()).hexdigest()[:16]
        return Identity(principal, key_id, operator=claims.get(settings.oidc_operator_claim) is True)


async def read_json(url: str) -> dict[str, Any]:
    """A JSON object of the issuer, bounded in time and size."""
    async with httpx2.AsyncClient(timeout=_READ_TIMEOUT_S) as client, client.stream("GET", url) as answer:
        answer.raise_for_status()
        body = bytearray()
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > _MAX_DOCUMENT_BYTES:
                raise ValueError("the issuer's document is too large")
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("the issuer's document is not an object")
    return document


def _cause(error: jwt.PyJWTError) -> str:
    causes: dict[type[Exception], str] = {
        jwt.InvalidAudienceError: "its audience is another one",
        jwt.InvalidIssuerError: "its issuer is another one",
        jwt.InvalidSignatureError: "its signature does not fit",
        jwt.ImmatureSignatureError: "it is not valid yet",
        jwt.MissingRequiredClaimError: "a claim is missing",
    }
    return next((text for kind, text in causes.items() if isinstance(error, kind)), "it is malformed")
