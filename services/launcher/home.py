"""The state folder: its lock, the services' key pairs and the first API key."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


class HomeInUseError(Exception):
    """Another launcher runs from the same state folder."""


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold the state folder for this process.

    Raises:
        HomeInUseError: another process holds it; the message names the process.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = home / "lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            holder = path.read_text().strip() or "unknown"
            message = (
                f"tonewright already runs from {home} (process {holder}). "
                "Stop it first, or set TONEWRIGHT_HOME and the ports to start a second one."
            )
            raise HomeInUseError(message) from busy
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def ensure_signing_keys(home: Path, services: tuple[str, ...]) -> None:
    """Make the key pair of each service that has none: `keys/<service>.key` (0600) and `keys/<service>.pub`."""
    folder = home / "keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    for service in services:
        private, public = folder / f"{service}.key", folder / f"{service}.pub"
        if private.exists() and public.exists():
            continue
        key = Ed25519PrivateKey.generate()
        _write_private(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def ensure_api_key(home: Path) -> tuple[Path, bool]:
    """Make the first API key if there is none; give the file that holds it and whether it is new."""
    path, hashes = home / "api-key", home / "api-keys.toml"
    if path.exists() and hashes.exists():
        return path, False
    key = f"twk_{secrets.token_urlsafe(32)}"
    digest = hashlib.sha256(key.encode()).hexdigest()
    _write_private(path, f"{key}\n".encode())
    _write_private(hashes, f'[[keys]]\nprincipal = "local"\nsha256 = "{digest}"\noperator = true\n'.encode())
    return path, True


def _write_private(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    fresh.rename(path)
