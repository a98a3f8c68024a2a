"""What the use cases need from outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from services.sessions.domain.assets import Asset, Content, Hold, Recording, Upload
from services.sessions.domain.sessions import AudioReference, Revision, Session
from services.sessions.domain.snapshots import Snapshot


class BlobInfo(Protocol):
    """What is known of stored bytes."""

    @property
    def size_bytes(self) -> int:
        """Size of the bytes."""
        ...

    @property
    def etag(self) -> str:
        """Another text whenever the bytes were replaced."""
        ...


class Blobs(Protocol):
    """Bytes by key."""

    def head(self, key: str) -> BlobInfo | None:
        """What is known of the bytes, None if there are none."""
        ...

    def read(self, key: str, *, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes in pieces of at most 1 MiB."""
        ...

    def put(self, key: str, data: Path, *, media_type: str = "application/octet-stream") -> object:
        """Store a file's bytes; replaces older ones."""
        ...

    def copy(self, source: str, target: str) -> None:
        """Store the same bytes under a second key."""
        ...

    def delete(self, key: str) -> None:
        """Remove the bytes; nothing if there are none."""
        ...

    def sign_put(self, key: str, *, size_bytes: int, expires_s: int, media_type: str) -> str | None:
        """A link that takes one PUT, None if the store has no links."""
        ...


class Prober(Protocol):
    """Decodes audio apart from this process, within bounds."""

    def scratch(self) -> AbstractContextManager[Path]:
        """A folder that is gone after the block."""
        ...

    def measure(self, audio: Path, peaks: Path) -> Recording:
        """What the file holds; writes its waveform to `peaks`. Raises one of PROBE_ERRORS."""
        ...


@dataclass(frozen=True, slots=True)
class NewAsset:
    """An asset to be recorded."""

    display_name: str
    content: Content
    recording: Recording


class AssetRecords(Protocol):
    """One artist's uploads, assets and holds in one transaction."""

    def add_upload(self, upload: Upload) -> None:
        """Record an upload."""
        ...

    def upload(self, uid: str) -> Upload | None:
        """The upload; in a transaction that writes nobody else changes it until the end."""
        ...

    def save_upload(self, upload: Upload) -> None:
        """Record an upload's new state."""
        ...

    def asset(self, uid: str) -> Asset | None:
        """The asset in any state; in a transaction that writes nobody else changes it until the end."""
        ...

    def asset_with(self, sha256: str) -> Asset | None:
        """The asset in any state that has these bytes; in a transaction that writes nobody else changes it."""
        ...

    def assets(self, uids: Iterable[str]) -> dict[str, Asset]:
        """The assets in any state, by uid; in a transaction that writes nobody else changes them until the end."""
        ...

    def add_asset(self, new: NewAsset) -> Asset:
        """Record an asset, or give the one in any state that has the same bytes."""
        ...

    def save_asset(self, asset: Asset) -> Asset:
        """Record an asset's new name and state; gives it with its new etag."""
        ...

    def remove_asset(self, uid: str) -> None:
        """Forget an asset."""
        ...

    def page_assets(self, *, sha256: str, show_deleted: bool, size: int, token: str) -> tuple[list[Asset], str]:
        """A page of assets and the next token."""
        ...

    def hold(self, uid: str, holder: str) -> Hold:
        """The holder's hold, taken now if it was not before."""
        ...

    def hold_all(self, uids: Iterable[str], holder: str) -> None:
        """Take the holder's hold on each of them that it has not yet."""
        ...

    def release(self, uid: str, holder: str) -> None:
        """Drop the hold if there is one."""
        ...

    def release_all(self, holder: str) -> None:
        """Drop all holds of the holder."""
        ...

    def page_holds(self, uid: str, *, size: int, token: str) -> tuple[list[Hold], str]:
        """A page of an asset's holds and the next token."""
        ...


class SessionRecords(Protocol):
    """One artist's sessions and revisions in one transaction."""

    def session(self, uid: str, *, with_snapshot: bool = True) -> Session | None:
        """The session in any state; in a transaction that writes nobody else changes it until the end."""
        ...

    def add(self, session: Session, canonical: bytes) -> Session:
        """Record a session with its first revision; gives it with its etag."""
        ...

    def save(self, session: Session, canonical: bytes | None = None) -> Session:
        """Record a session's new state, and its newest revision if `canonical` is given; gives it with its etag."""
        ...

    def remove(self, uid: str) -> None:
        """Forget a session and its history."""
        ...

    def page(self, *, show_deleted: bool, size: int, token: str) -> tuple[list[Session], str]:
        """A page of sessions without snapshots and the next token."""
        ...

    def revision(self, uid: str, number: int) -> Revision | None:
        """A revision with its snapshot."""
        ...

    def audio_of_history(self, uid: str) -> set[str]:
        """Names of all assets that any revision refers to."""
        ...

    def page_revisions(self, uid: str, *, size: int, token: str) -> tuple[list[Revision], str]:
        """A page of revisions without snapshots and the next token."""
        ...


class Records(Protocol):
    """Everything of one artist in one transaction."""

    @property
    def assets(self) -> AssetRecords:
        """Uploads, assets and holds."""
        ...

    @property
    def sessions(self) -> SessionRecords:
        """Sessions and revisions."""
        ...

    def once(self, *, method: str, request_id: str, fingerprint: str, resource: str) -> str | None:
        """None if the request is new, else the resource that it made before. Raises RequestIdReused."""
        ...


class Store(Protocol):
    """The service's rows."""

    def read(self, artist: str) -> AbstractContextManager[Records]:
        """A transaction that only reads."""
        ...

    def write(self, artist: str) -> AbstractContextManager[Records]:
        """A transaction that commits at the end of the block."""
        ...

    def overdue_uploads(self, now: datetime, limit: int) -> Sequence[Upload]:
        """Open uploads of all artists past their expiry."""
        ...

    def finished_uploads(self, before: datetime, limit: int) -> Sequence[Upload]:
        """Uploads of all artists that ended and expired before the time."""
        ...

    def forget_upload(self, upload: Upload) -> None:
        """Remove an upload's row."""
        ...

    def purgeable_assets(self, before: datetime, limit: int) -> Sequence[Asset]:
        """Assets of all artists deleted before the time that nothing holds, and those whose purge was interrupted."""
        ...

    def purgeable_sessions(self, before: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """Artist and uid of the sessions of all artists deleted before the time."""
        ...


@dataclass(frozen=True, slots=True)
class SessionDraft:
    """What a caller saves."""

    display_name: str
    snapshot: Snapshot
    audio: tuple[AudioReference, ...]
    fingerprint: str


Members = Mapping[str, Any]
