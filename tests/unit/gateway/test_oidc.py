from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from chassis.testing import FakeClock
from services.gateway.errors import IssuerUnavailable, TokenExpired, TokenInvalid
from services.gateway.oidc import IssuerKeys, Oidc
from services.gateway.settings import GatewaySettings
from tests.unit.gateway.conftest import make_gateway
from tonewright.artists.v1 import artists_pb2

ISSUER = "https://id.example.com"
PRIVATE = ec.generate_private_key(ec.SECP256R1())


class Issuer:
    """An issuer whose documents are read without a network."""

    def __init__(self) -> None:
        self.reads = 0
        self.is_down = False
        self.key_id = "k1"

    def probe(self) -> None:
        if self.is_down:
            raise OSError("no route")

    async def read(self, url: str) -> dict[str, Any]:
        self.reads += 1
        if self.is_down:
            raise OSError("no route")
        if url.endswith("openid-configuration"):
            return {"jwks_uri": f"{ISSUER}/keys"}
        key = jwt.algorithms.ECAlgorithm.to_jwk(PRIVATE.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": self.key_id, "alg": "ES256", "use": "sig"}]}


def token(clock: FakeClock, *, key_id: str = "k1", key: Any = PRIVATE, **claims: Any) -> str:
    # The library compares with the machine's clock, so expiry is relative to it.
    stated = {"iss": ISSUER, "aud": "tonewright", "sub": "7d5f", "exp": REAL_FUTURE, **claims}
    return jwt.encode(stated, key, algorithm="ES256", headers={"kid": key_id})


REAL_FUTURE = 4_000_000_000


def oidc(folder: Path, clock: FakeClock, issuer: Issuer) -> Oidc:
    settings = GatewaySettings(home=folder, oidc_issuer=ISSUER, oidc_audience="tonewright")
    return Oidc(settings, clock, issuer.read)


async def test_principal_and_operator_come_from_claims(tmp_path: Path) -> None:
    clock = FakeClock()

    identity = await oidc(tmp_path, clock, Issuer()).identify(token(clock, tonewright_operator=True))

    assert (identity.principal, identity.operator) == ("oidc:7d5f", True)


async def test_expired_token_says_what_to_do(tmp_path: Path) -> None:
    clock = FakeClock()

    with pytest.raises(TokenExpired, match="sign in again"):
        await oidc(tmp_path, clock, Issuer()).identify(token(clock, exp=1_000_000_000))


@pytest.mark.parametrize(
    "claims",
    [{"aud": "other"}, {"iss": "https://evil.example.com"}, {"sub": ""}, {"sub": "x" * 300}],
)
async def test_token_for_others_is_refused(tmp_path: Path, claims: dict[str, Any]) -> None:
    clock = FakeClock()

    with pytest.raises(TokenInvalid):
        await oidc(tmp_path, clock, Issuer()).identify(token(clock, **claims))


async def test_token_signed_by_another_key_is_refused(tmp_path: Path) -> None:
    clock = FakeClock()
    stranger = ec.generate_private_key(ec.SECP256R1())

    with pytest.raises(TokenInvalid, match="signature"):
        await oidc(tmp_path, clock, Issuer()).identify(token(clock, key=stranger))


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_token_without_the_issuers_signature_is_refused(tmp_path: Path, algorithm: str) -> None:
    clock = FakeClock()
    key = "" if algorithm == "none" else "shared secret of thirty-two bytes!!"
    forged = jwt.encode({"sub": "x", "exp": REAL_FUTURE}, key, algorithm=algorithm, headers={"kid": "k1"})

    with pytest.raises(TokenInvalid):
        await oidc(tmp_path, clock, Issuer()).identify(forged)


async def test_keys_are_read_once_and_survive_the_issuer(tmp_path: Path) -> None:
    clock, issuer = FakeClock(), Issuer()
    door = oidc(tmp_path, clock, issuer)

    await door.identify(token(clock))
    issuer.is_down = True
    await door.identify(token(clock))
    clock.advance(3600)
    identity = await door.identify(token(clock))

    assert identity.principal == "oidc:7d5f"


async def test_issuer_that_is_down_is_unavailable_only_when_its_keys_are_needed(tmp_path: Path) -> None:
    clock, issuer = FakeClock(), Issuer()
    issuer.is_down = True

    with pytest.raises(IssuerUnavailable) as raised:
        await oidc(tmp_path, clock, issuer).identify(token(clock))

    assert raised.value.retry_after_s is not None


async def test_rotated_key_is_found_and_invented_ones_do_not_bother_the_issuer() -> None:
    clock, issuer = FakeClock(), Issuer()
    keys = IssuerKeys(ISSUER, clock, ttl_s=600, read=issuer.read)
    await keys.get("k1")

    for _ in range(5):
        with pytest.raises(TokenInvalid):
            await keys.get("made-up")
    reads = issuer.reads
    issuer.key_id = "k2"
    clock.advance(11)

    assert (await keys.get("k2")).key_id == "k2"
    assert reads == 2


async def test_gateway_accepts_tokens_and_names_the_issuer_when_it_is_down(tmp_path: Path) -> None:
    issuer = Issuer()
    gateway = make_gateway(tmp_path, oidc=issuer.read, oidc_issuer=ISSUER, oidc_audience="tonewright")
    gateway.backend.on("ListMemberships", artists_pb2.ListMembershipsResponse())

    accepted = await gateway.client(token(gateway.clock)).get("/v1/me")
    gateway.clock.advance(timedelta(days=1).total_seconds())
    issuer.is_down, issuer.key_id = True, "k9"
    refused = await gateway.client(token(gateway.clock, key_id="k9")).get("/v1/me")
    gateway.tools.health.add("oidc", issuer.probe, required=False)
    ready = await gateway.client(None).get("/readyz?scope=self")
    gateway.tools.health.close()

    assert accepted.json()["principal"] == "oidc:7d5f"
    assert (refused.status_code, refused.json()["reason"]) == (503, "ISSUER_UNAVAILABLE")
    assert (ready.status_code, ready.json()["failing"]) == (200, ["oidc"])
