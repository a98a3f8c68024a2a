from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chassis.context import Caller, Role
from chassis.errors import TokenRefused
from chassis.testing import FakeClock, caller_for, operator, write_keys
from chassis.tokens import Signer, SigningKeyError, Verifier


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    write_keys(tmp_path, ["gateway", "stems", "stranger"])
    (tmp_path / "callers.toml").write_text('stems = ["gateway"]\nsessions = ["gateway"]')
    return tmp_path


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def signer(keys: Path, clock: FakeClock, service: str = "gateway") -> Signer:
    return Signer(service, keys / f"{service}.key", clock)


def verifier(keys: Path, clock: FakeClock) -> Verifier:
    return Verifier("stems", keys, keys / "callers.toml", clock)


@pytest.mark.parametrize("caller", [caller_for("nova", role=Role.VIEWER), operator()])
def test_a_token_names_its_caller(keys: Path, clock: FakeClock, caller: Caller) -> None:
    token = signer(keys, clock).sign("stems", caller)

    assert verifier(keys, clock).verify(token) == caller


def test_a_token_is_used_again_while_half_its_life_is_left(keys: Path, clock: FakeClock) -> None:
    gateway = signer(keys, clock)
    first = gateway.sign("stems", caller_for())
    clock.advance(29)
    second = gateway.sign("stems", caller_for())
    clock.advance(2)
    third = gateway.sign("stems", caller_for())

    assert first == second != third
    assert gateway.sign("stems", caller_for("other")) != third


def test_an_expired_token_is_refused_also_when_it_was_believed_before(keys: Path, clock: FakeClock) -> None:
    token = signer(keys, clock).sign("stems", caller_for())
    stems = verifier(keys, clock)
    stems.verify(token)

    clock.advance(66)

    with pytest.raises(TokenRefused, match="valid until 2026-01-01T00:01:00"):
        stems.verify(token)


def test_a_token_from_the_future_is_refused(keys: Path, clock: FakeClock) -> None:
    token = signer(keys, FakeClock(clock.now() + timedelta(minutes=5))).sign("stems", caller_for())

    with pytest.raises(TokenRefused):
        verifier(keys, clock).verify(token)


def test_a_token_for_another_service_is_refused(keys: Path, clock: FakeClock) -> None:
    token = signer(keys, clock).sign("sessions", caller_for())

    with pytest.raises(TokenRefused):
        verifier(keys, clock).verify(token)


def test_a_service_that_may_not_call_is_refused(keys: Path, clock: FakeClock) -> None:
    token = signer(keys, clock, "stranger").sign("stems", caller_for())

    with pytest.raises(TokenRefused, match="'stranger' may not call stems"):
        verifier(keys, clock).verify(token)


def test_a_service_that_claims_to_be_another_is_refused(keys: Path, clock: FakeClock) -> None:
    token = Signer("gateway", keys / "stranger.key", clock).sign("stems", caller_for())

    with pytest.raises(TokenRefused):
        verifier(keys, clock).verify(token)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_other_algorithms_are_refused(keys: Path, clock: FakeClock, algorithm: str) -> None:
    claims = {
        "iss": "gateway",
        "aud": "stems",
        "act": "x",
        "artist": "nova",
        "role": "owner",
        "op": True,
        "iat": 0,
        "exp": 60,
    }
    token = jwt.encode(claims, "" if algorithm == "none" else "k" * 40, algorithm=algorithm)

    with pytest.raises(TokenRefused):
        verifier(keys, clock).verify(token)


def test_a_token_that_lives_too_long_or_lacks_a_claim_is_refused(keys: Path, clock: FakeClock) -> None:
    key, now = signer(keys, clock).key(), int(clock.now().timestamp())
    claims = {"iss": "gateway", "aud": "stems", "act": "x", "artist": "nova", "role": "owner", "op": False, "iat": now}
    long = jwt.encode({**claims, "exp": now + 3600}, key, algorithm="EdDSA")
    roleless = jwt.encode({**claims, "exp": now + 60, "role": "king"}, key, algorithm="EdDSA")
    endless = jwt.encode(claims, key, algorithm="EdDSA")

    for token in (long, roleless, endless, "", "a.b.c"):
        with pytest.raises(TokenRefused):
            verifier(keys, clock).verify(token)


def certificate(key: Any, hash_: hashes.SHA256 | None = None) -> bytes:
    """A certificate as cert-manager and Helm make it, long expired: trust comes from the mount alone."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    from_, to = datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, from_, to).sign(key, hash_)
    return made.public_bytes(Encoding.PEM)


def test_a_certificate_stands_for_its_key(keys: Path, clock: FakeClock) -> None:
    key = Ed25519PrivateKey.generate()
    (keys / "gateway.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (keys / "gateway.pub").write_bytes(certificate(key))

    assert verifier(keys, clock).verify(signer(keys, clock).sign("stems", caller_for())) == caller_for()


def test_a_certificate_of_another_kind_of_key_is_refused(keys: Path, clock: FakeClock) -> None:
    rsa = generate_private_key(public_exponent=65_537, key_size=2048)
    (keys / "gateway.pub").write_bytes(certificate(rsa, hashes.SHA256()))

    with pytest.raises(TokenRefused, match="not Ed25519"):
        verifier(keys, clock).verify(signer(keys, clock).sign("stems", caller_for()))


def test_a_missing_public_key_is_named(keys: Path, clock: FakeClock) -> None:
    token = signer(keys, clock).sign("stems", caller_for())
    (keys / "gateway.pub").unlink()

    with pytest.raises(TokenRefused, match="no public key of gateway"):
        verifier(keys, clock).verify(token)


def test_a_missing_private_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(SigningKeyError, match=r"gateway\.key"):
        Signer("gateway", tmp_path / "gateway.key").key()
