"""Snapshots: their form, what of them counts for the signature, and how two of them differ."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.errors import Violation
from services.sessions.domain.errors import SnapshotInvalid, SnapshotTooLarge, SnapshotVersionUnsupported

VERSION = 1
MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_CHANGES = 1000
# When a snapshot was taken does not change how it sounds.
VOLATILE = frozenset({"captured_at", "capturedAt"})
# Members of the browser's layout whose type a reader relies on.
_KNOWN: Mapping[str, tuple[type, str]] = {
    "config": (dict, "an object"),
    "fixture": (str, "a text"),
    "customTracks": (list, "a list"),
    "stemOverlay": (dict, "an object"),
    "deckState": (dict, "an object"),
}

Canonical = Callable[[Any], bytes]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A checked snapshot."""

    members: Mapping[str, Any]
    version: int
    canonical: bytes  # RFC 8785, volatile members included


@dataclass(frozen=True, slots=True)
class Change:
    """One place where two states differ; `missing` stands for "not there"."""

    path: str
    before: Any
    after: Any


class Missing:
    """The value of a place that does not exist."""


MISSING = Missing()


def check(members: Mapping[str, Any], canonical: Canonical) -> Snapshot:
    """The snapshot if it has the form of one.

    Raises:
        SnapshotVersionUnsupported: Its `version` is one that this release does not read.
        SnapshotInvalid: A member has the wrong type or a number is not finite.
        SnapshotTooLarge: It is deeper than 32 levels or larger than 1 MiB.
    """
    version = _version(members)
    violations = [
        Violation(f"snapshot.{key}", expectation)
        for key, (kind, expectation) in _KNOWN.items()
        if key in members and not isinstance(members[key], kind)
    ]
    violations += [Violation(f"snapshot{path}", fault) for path, fault in _faults(members, "", 1)]
    if violations:
        text = "; ".join(f"{v.field}: expected {v.description}" for v in violations[:5])
        raise SnapshotInvalid(f"the snapshot is not well formed: {text}", violations=violations[:100])
    encoded = canonical(members)
    if len(encoded) > MAX_BYTES:
        raise SnapshotTooLarge(
            f"the snapshot has {len(encoded)} bytes as JSON; a session takes {MAX_BYTES}; keep audio in assets",
            metadata={"size_bytes": str(len(encoded)), "limit_bytes": str(MAX_BYTES)},
        )
    return Snapshot(members, version, encoded)


def signature(members: Mapping[str, Any], audio: Sequence[Mapping[str, str]], canonical: Canonical) -> str:
    """SHA-256 of the canonical state without its volatile members, 64 hex digits."""
    lasting = {key: value for key, value in members.items() if key not in VOLATILE}
    ordered = sorted(audio, key=lambda reference: (reference["track"], reference["role"]))
    return hashlib.sha256(canonical({"audio": ordered, "snapshot": lasting})).hexdigest()


def differences(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """Every place where two states differ, in the order of their JSON Pointers."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            step = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
            yield from differences(before.get(key, MISSING), after.get(key, MISSING), step)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            old, new = (side[index] if index < len(side) else MISSING for side in (before, after))
            yield from differences(old, new, f"{path}/{index}")
    elif type(before) is not type(after) or before != after:
        yield Change(path, before, after)


def _version(members: Mapping[str, Any]) -> int:
    found = members.get("version")
    if isinstance(found, bool) or not isinstance(found, int | float) or not float(found).is_integer():
        expected = f"the number {VERSION}"
        raise SnapshotInvalid(
            f"snapshot.version: expected {expected}; set it to the version of the layout",
            violations=[Violation("snapshot.version", expected)],
        )
    if found != VERSION:
        raise SnapshotVersionUnsupported(
            f"snapshot version {int(found)} is not one that this release reads; it reads {VERSION}",
            metadata={"version": str(int(found)), "supported": str(VERSION)},
        )
    return int(found)


def _faults(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list) and depth > MAX_DEPTH:
        raise SnapshotTooLarge(
            f"the snapshot is deeper than {MAX_DEPTH} levels at {path[:200]}; flatten it",
            metadata={"limit_levels": str(MAX_DEPTH)},
        )
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _faults(member, f"{path}.{key}", depth + 1)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _faults(member, f"{path}[{index}]", depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, "a finite number"
