"""What the use cases need from outside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chassis.paging import Page
from services.datasets.domain.conversations import Conversation, ConversationState
from services.datasets.domain.exports import Entry, Export, ExportFile, Layout, Segment
from services.datasets.domain.item_ports import ItemStore
from services.datasets.domain.items import Audio
from services.datasets.domain.snapshots import Snapshot, SnapshotMember
from services.datasets.domain.training_files import Member, Statistics, TrainingFile, TrainingFileState, Version

__all__ = ["ItemStore"]


@dataclass(frozen=True, slots=True)
class RequestKey:
    """What makes a repeat of a request recognisable; an empty id makes every request new."""

    method: str
    request_id: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class HoldRelease:
    """A hold that is to be given back."""

    uid: str
    artist: str
    principal: str
    asset: str
    holder: str
    failures: int


class Assets(Protocol):
    """The audio of artists, kept by the sessions service."""

    def get(self, asset: str) -> Audio:
        """The asset's facts; raises NotFound when there is none."""
        ...

    def heard(self, asset: str) -> tuple[Audio, bytes]:
        """The asset's facts with the fingerprint of its sound, empty when there is none; raises NotFound."""
        ...

    def hold(self, asset: str, holder: str) -> None:
        """Keep the asset from being deleted; a repeat changes nothing."""
        ...

    def hold_all(self, artist: str, assets: Sequence[str], holder: str) -> list[Audio]:
        """Keep the assets from being deleted, all or none, and give their facts; raises NotFound when one is gone."""
        ...

    def release(self, asset: str, holder: str) -> None:
        """Give the hold back, or all holds of the holder when `asset` is empty; a repeat changes nothing."""
        ...


class SnapshotStore(Protocol):
    """Snapshots of all artists."""

    def add(self, snapshot: Snapshot, members: Sequence[SnapshotMember], key: RequestKey) -> Snapshot:
        """The stored snapshot; a repeat gives what the first one made."""
        ...

    def replayed(self, artist: str, key: RequestKey) -> Snapshot | None:
        """What an earlier request of this key made."""
        ...

    def get(self, artist: str, uid: str) -> Snapshot:
        """The snapshot, or SnapshotNotFound."""
        ...

    def page(self, artist: str, *, size: int, token: str) -> Page[Snapshot]:
        """Snapshots, newest first."""
        ...

    def members(self, artist: str, uid: str, *, provenance: bool = True) -> list[SnapshotMember]:
        """The frozen items, in order; without their provenance they take little memory."""
        ...

    def member_page(self, artist: str, uid: str, *, size: int, token: str) -> Page[SnapshotMember]:
        """The frozen items, in order."""
        ...

    def held_revisions(self, artist: str, uid: str) -> dict[str, int]:
        """Content revisions of the frozen items, by item uid; SnapshotNotFound if there is none."""
        ...

    def delete(self, snapshot: Snapshot) -> None:
        """Remove the snapshot, or SnapshotInUse; its holds are given back."""
        ...


class ExportStore(Protocol):
    """Exports of all artists."""

    def add(
        self, export: Export, key: RequestKey, snapshot: Snapshot | None, members: Sequence[SnapshotMember]
    ) -> Export:
        """The stored export, queued, with its own snapshot if one is given; a repeat gives what the first one made."""
        ...

    def replayed(self, artist: str, key: RequestKey) -> Export | None:
        """What an earlier request of this key made."""
        ...

    def get(self, artist: str, uid: str) -> Export:
        """The export, or ExportNotFound."""
        ...

    def page(self, artist: str, *, size: int, token: str) -> Page[Export]:
        """Exports, newest first."""
        ...

    def finish(self, export: Export, fence: int, layout: Layout, files: Sequence[ExportFile], file_name: str) -> None:
        """Commit the archive and mark its unchanged items as exported; LeaseLost if another worker has the job."""
        ...

    def cancel(self, artist: str, uid: str) -> Export:
        """The export after the wish to stop it."""
        ...

    def delete(self, export: Export) -> None:
        """Remove the export, or ExportInUse; its own snapshot goes along unless something else uses that."""
        ...

    def segments(self, export: Export, *, offset_bytes: int, limit: int) -> list[Segment]:
        """The segments from the one that holds the offset."""
        ...

    def file_page(self, export: Export, *, size: int, token: str) -> Page[ExportFile]:
        """The archive's files, in order."""
        ...

    def files(self, export: Export) -> list[ExportFile]:
        """All files of the archive, in order."""
        ...


class LeftoverStore(Protocol):
    """What tells objects that something refers to from those that nothing does."""

    def artists(self) -> list[str]:
        """Every artist that has rows here."""
        ...

    def forget_unused(self, artist: str, before: datetime) -> int:
        """Drop records of audio made anew that no archive holds and nobody used since then; gives their number."""
        ...

    def unreferred(self, artist: str, keys: Sequence[str]) -> set[str]:
        """Those of the objects that no row refers to."""
        ...


class ReleaseStore(Protocol):
    """Holds that are to be given back."""

    def add(self, asset: str, holder: str) -> None:
        """Remember to give a hold of the current caller back."""
        ...

    def due(self, limit: int) -> list[HoldRelease]:
        """Those whose time has come, of all artists."""
        ...

    def done(self, release: HoldRelease) -> None:
        """Forget one that was given back."""
        ...

    def postpone(self, release: HoldRelease) -> None:
        """Try one again later."""
        ...


class ConversationStore(Protocol):
    """Conversations of all artists."""

    def add(self, conversation: Conversation, key: RequestKey) -> Conversation:
        """The stored conversation; a repeat gives what the first one made. ConversationIdTaken if its UUID is."""
        ...

    def get(self, artist: str, uid: str) -> Conversation:
        """The conversation, or ConversationNotFound."""
        ...

    def find(self, artist: str, uids: Sequence[str]) -> dict[str, Conversation]:
        """The conversations that exist, by uid."""
        ...

    def page(
        self, artist: str, *, state: ConversationState | None, batch: str, size: int, token: str
    ) -> Page[Conversation]:
        """Conversations, newest first."""
        ...

    def replace(self, before: Conversation, after: Conversation) -> Conversation:
        """The conversation changed, if it still is as before; EtagMismatch otherwise."""
        ...

    def delete(self, conversation: Conversation) -> None:
        """Remove the conversation, if it is as it was and no training file holds it."""
        ...


class TrainingFileStore(Protocol):
    """Training files of all artists."""

    def add(self, file: TrainingFile, version: Version, members: Sequence[Member], key: RequestKey) -> Version:
        """The first version, queued, of a new file; a repeat gives what the first request made."""
        ...

    def append(
        self, file: TrainingFile, version: Version, members: Sequence[Member], key: RequestKey, *, etag: str
    ) -> Version:
        """A next version, queued, with members more; ConversationsNotEligible if one is there already."""
        ...

    def get(self, artist: str, uid: str) -> TrainingFile:
        """The file with its current version, or TrainingFileNotFound."""
        ...

    def page(self, artist: str, *, state: TrainingFileState | None, size: int, token: str) -> Page[TrainingFile]:
        """Files, newest first."""
        ...

    def replace(self, before: TrainingFile, after: TrainingFile) -> TrainingFile:
        """The file with a new title, description or state, if it still is as before."""
        ...

    def delete(self, file: TrainingFile) -> None:
        """Remove the file with all versions, if it still is as it was."""
        ...

    def version(self, artist: str, file_uid: str, sequence: int) -> Version:
        """One version, or TrainingFileVersionNotFound."""
        ...

    def versions(self, file: TrainingFile, *, size: int, token: str) -> Page[Version]:
        """Versions, newest first."""
        ...

    def build(self, artist: str, uid: str) -> Version:
        """One version by its job's uid, or TrainingFileVersionNotFound."""
        ...

    def cancel(self, artist: str, uid: str) -> Version:
        """The version after the wish to stop its build."""
        ...

    def members(self, version: Version) -> list[Member]:
        """Members of the version, in file order."""
        ...

    def member_page(self, file: TrainingFile, *, size: int, token: str) -> Page[Member]:
        """Members of the current version, in file order."""
        ...

    def taken(self, file: TrainingFile, uids: Collection[str]) -> set[str]:
        """Those of the conversations that are members already."""
        ...

    def finish(self, version: Version, fence: int, built: Built) -> None:
        """Commit the build and make it current; LeaseLost if another worker has the job."""
        ...


@dataclass(frozen=True, slots=True)
class Built:
    """The two files of a version."""

    statistics: Statistics
    json_key: str
    json_size_bytes: int
    json_sha256: str
    jsonl_key: str
    jsonl_size_bytes: int
    jsonl_sha256: str


# Where a worker says how far it is, in percent and words; raises when the work is to stop.
Report = Callable[[float, str], None]


class LayOut(Protocol):
    """Makes an archive's layout from its files."""

    def __call__(self, entries: Sequence[Entry], *, report: Callable[[int], None]) -> Layout:
        """The archive as byte ranges."""
        ...
