"""Short internal tokens: which service calls which, for whom, at which artist, in which role."""

from __future__ import annotations

import re
import threading
import tomllib
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from chassis.clock import Clock, SystemClock
from chassis.context import Caller, Role
from chassis.errors import TokenRefused

LIFETIME_S = 60
# A token is used again only while more than half of its life is left, so a slow call still arrives in time.
_REUSE_S = 30
_LEEWAY_S = 5
_SERVICE = re.compile(r"[a-z][a-z0-9-]{0,62}")
_Value = TypeVar("_Value")


class SigningKeyError(Exception):
    """The mounted private key is missing or not an Ed25519 key."""


class Signer:
    """Signs tokens of this service with its private key."""

    def __init__(self, service: str, key_file: Path, clock: Clock | None = None) -> None:
        self._service = service
        self._key_file = key_file
        self._clock = clock or SystemClock()
        self._key: Ed25519PrivateKey | None = None
        self._signed: _Recent[tuple[str, Caller], str] = _Recent()

    def sign(self, audience: str, caller: Caller) -> str:
        """A token for `audience` on behalf of the caller, good for at least half a minute.

        Raises:
            SigningKeyError: The private key cannot be read.
        """
        now = self._clock.now().timestamp()
        if (known := self._signed.get((audience, caller), now + _REUSE_S)) is not None:
            return known
        issued = int(now)
        claims = {
            "iss": self._service,
            "aud": audience,
            "act": caller.principal,
            "artist": caller.artist,
            "role": caller.role.value,
            "op": caller.operator,
            "iat": issued,
            "exp": issued + LIFETIME_S,
        }
        token = jwt.encode(claims, self.key(), algorithm="EdDSA")
        self._signed.put((audience, caller), token, issued + LIFETIME_S)
        return token

    def key(self) -> Ed25519PrivateKey:
        """The private key, read once; raises SigningKeyError."""
        if self._key is None:
            try:
                key = load_pem_private_key(self._key_file.read_bytes(), password=None)
            except (OSError, ValueError) as error:
                raise SigningKeyError(f"cannot read the signing key {self._key_file}: {error}") from error
            if not isinstance(key, Ed25519PrivateKey):
                raise SigningKeyError(f"{self._key_file} is not an Ed25519 private key")
            self._key = key
        return self._key


class Verifier:
    """Believes tokens for this service that a trusted service which may call it has signed."""

    def __init__(self, service: str, keys_dir: Path, callers_file: Path, clock: Clock | None = None) -> None:
        self._service = service
        self._keys_dir = keys_dir
        self._callers = frozenset(tomllib.loads(callers_file.read_text()).get(service, ()))
        self._clock = clock or SystemClock()
        self._keys: dict[str, tuple[float, Ed25519PublicKey]] = {}
        self._verified: _Recent[str, Caller] = _Recent()

    def verify(self, token: str) -> Caller:
        """The caller that the token names.

        Raises:
            TokenRefused: It is malformed, expired, for another service, or its signer is not trusted to call.
        """
        now = self._clock.now().timestamp()
        if (known := self._verified.get(token, now - _LEEWAY_S)) is not None:
            return known
        try:
            issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
            if issuer not in self._callers:
                raise TokenRefused(f"service {issuer[:64]!r} may not call {self._service}")
            claims = self._decode(token, issuer)
            expires = float(claims["exp"])
            if now > expires + _LEEWAY_S or float(claims["iat"]) > now + _LEEWAY_S:
                expired = datetime.fromtimestamp(expires, UTC).isoformat()
                raise TokenRefused(f"the token was valid until {expired}; compare the clocks and sign a fresh one")
            if expires - float(claims["iat"]) > LIFETIME_S:
                raise TokenRefused(f"tokens live {LIFETIME_S} s at most")
            role, operator = Role(claims["role"]), claims["op"] is True
            caller = Caller(issuer, str(claims["act"]), str(claims["artist"]), role, operator)
        except (jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
            raise TokenRefused(f"the token is not one of ours: {error}") from error
        self._verified.put(token, caller, expires)
        return caller

    def _decode(self, token: str, issuer: str) -> dict[str, Any]:
        return jwt.decode(
            token,
            self._key_of(issuer),
            algorithms=["EdDSA"],
            audience=self._service,
            issuer=issuer,
            options={
                "require": ["iss", "aud", "act", "artist", "role", "op", "iat", "exp"],
                "verify_exp": False,  # times are checked against our own clock
                "verify_iat": False,
            },
        )

    def _key_of(self, issuer: str) -> Ed25519PublicKey:
        if _SERVICE.fullmatch(issuer) is None:
            raise TokenRefused("the token's issuer is not a service name")
        path = self._keys_dir / f"{issuer}.pub"
        try:
            changed = path.stat().st_mtime
            if issuer not in self._keys or self._keys[issuer][0] != changed:
                pem = path.read_bytes()
                is_certificate = b"BEGIN CERTIFICATE" in pem
                key = load_pem_x509_certificate(pem).public_key() if is_certificate else load_pem_public_key(pem)
                if not isinstance(key, Ed25519PublicKey):
                    raise TokenRefused(f"the public key of {issuer} is not Ed25519")
                self._keys[issuer] = (changed, key)
        except OSError as error:
            raise TokenRefused(f"no public key of {issuer} is mounted") from error
        return self._keys[issuer][1]


_Key = TypeVar("_Key")


class _Recent(Generic[_Key, _Value]):
    """The latest 4,096 values with the time they end."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, tuple[float, _Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: _Key, alive_at: float) -> _Value | None:
        found = self._kept.get(key)
        return found[1] if found is not None and found[0] > alive_at else None

    def put(self, key: _Key, value: _Value, ends: float) -> None:
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (ends, value)
            if len(self._kept) > 4096:
                self._kept.popitem(last=False)
