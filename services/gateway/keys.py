"""API keys: a file of SHA-256 hashes, read again when it changes."""

from __future__ import annotations

import hashlib
import hmac
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from chassis.clock import Clock
from chassis.logs import get_logger
from services.gateway.errors import KeyExpired, KeyUnknown

PREFIX = "twk_"
_LOOK_EVERY_S = 1.0
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is calling: the principal, and the key or token that says so."""

    principal: str
    key_id: str  # what limits are counted by; never the secret itself
    operator: bool = False


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    principal: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]
    operator: bool = False
    expire_time: AwareDatetime | None = None


_ENTRIES = TypeAdapter(list[_Entry])


class ApiKeys:
    """The keys of this installation.

    Args:
        path: TOML (`[[keys]]` with principal, sha256, operator, expire_time) or JSON (a list of the same).
        clock: Source of time.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._seen: tuple[int, int, int] | None = None
        self._looked_at = -_LOOK_EVERY_S

    def identify(self, token: str) -> Identity:
        """The identity that a key stands for.

        Raises:
            KeyUnknown: No entry has its hash.
            KeyExpired: Its entry has a time that has passed.
        """
        self._refresh()
        digest = hashlib.sha256(token.encode()).hexdigest()
        # The look-up is by the hash, so its timing says nothing about the key; the comparison is constant-time as well.
        entry = self._entries.get(digest)
        if entry is None or not hmac.compare_digest(entry.sha256.lower(), digest):
            raise KeyUnknown(
                "this API key is not known here; check that it is complete and belongs to this installation"
            )
        if entry.expire_time is not None and entry.expire_time <= self._clock.now():
            raise KeyExpired(f"this API key expired at {entry.expire_time.isoformat()}; ask an operator for a new one")
        return Identity(entry.principal, digest[:16], entry.operator)

    def _refresh(self) -> None:
        now = self._clock.monotonic()
        if now - self._looked_at < _LOOK_EVERY_S:
            return
        self._looked_at = now
        seen = _fingerprint(self._path)
        if seen == self._seen:
            return
        try:
            self._entries = _read(self._path) if seen else {}
        except (ValueError, OSError) as error:
            # A half-written file must not lock everybody out: the keys read last stay valid.
            _log.error("api_keys_unreadable", path=str(self._path), error=_brief(error))
            return
        self._seen = seen
        _log.info("api_keys_read", path=str(self._path), keys=len(self._entries))


def _fingerprint(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> dict[str, _Entry]:
    text = path.read_text()
    data: Any = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    entries = _ENTRIES.validate_python(data.get("keys", []) if isinstance(data, dict) else data)
    return {entry.sha256.lower(): entry for entry in entries}


def _brief(error: Exception) -> str:
    return f"{error.error_count()} invalid entries" if isinstance(error, ValidationError) else type(error).__name__
