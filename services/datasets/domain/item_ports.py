"""What the use cases of training items need from the rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from chassis.paging import Page
from services.datasets.domain.captions import CaptionSource
from services.datasets.domain.items import CaptionRevision, ItemState, TrainingItem

if TYPE_CHECKING:
    from services.datasets.domain.ports import RequestKey


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items a list holds; everything that is not set chooses none away."""

    state: ItemState | None = None
    live_set: str = ""
    asset: str = ""
    query: str = ""
    caption_source: CaptionSource | None = None


@dataclass(frozen=True, slots=True)
class AudioPrint:
    """What tells the audio of an item from another's."""

    item_uid: str
    sha256: str
    pcm_sha256: str
    fingerprint: bytes  # little-endian 32-bit words; empty when the audio was not listened to


@dataclass(frozen=True, slots=True)
class Edited:
    """A caption that an edit of many has changed."""

    before: str
    after: str


class ItemStore(Protocol):
    """Training items of all artists."""

    def add(self, item: TrainingItem, key: RequestKey, *, fingerprint: bytes = b"") -> tuple[TrainingItem, bool]:
        """The stored item, and whether this request made it; a repeat gives what the first one made."""
        ...

    def replayed(self, artist: str, key: RequestKey) -> TrainingItem | None:
        """What an earlier request of this key made."""
        ...

    def get(self, artist: str, uid: str) -> TrainingItem:
        """The item, or TrainingItemNotFound."""
        ...

    def find(self, artist: str, uids: Sequence[str]) -> dict[str, TrainingItem]:
        """The items that exist, by uid."""
        ...

    def in_states(self, artist: str, states: Collection[ItemState], *, limit: int) -> list[TrainingItem]:
        """Items in these states, oldest first."""
        ...

    def captioned(self, artist: str, *, limit: int) -> list[TrainingItem]:
        """Items that have a caption, oldest first."""
        ...

    def to_caption(self, artist: str, *, rewrite_generated: bool, limit: int) -> list[TrainingItem]:
        """Items with audio and no caption, and on demand those whose caption a model wrote, oldest first."""
        ...

    def captions(self, artist: str, *, besides: str = "", limit: int) -> tuple[str, ...]:
        """Captions of the newest items but one."""
        ...

    def holding(self, artist: str, sha256s: Collection[str]) -> dict[str, str]:
        """Name of the oldest item that holds each of these bytes."""
        ...

    def counts(self, artist: str) -> dict[ItemState, int]:
        """How many items stand in each state."""
        ...

    def marker(self, artist: str) -> str:
        """A word that changes when any audio of the artist's items comes or goes."""
        ...

    def prints(self, artist: str, *, limit: int) -> list[AudioPrint]:
        """What tells the audio of the items apart, oldest first."""
        ...

    def page(self, artist: str, wanted: ItemFilter, *, size: int, token: str) -> Page[TrainingItem]:
        """Items, newest first."""
        ...

    def replace(
        self, before: TrainingItem, after: TrainingItem, *, fingerprint: bytes | None = None, edit_uid: str = ""
    ) -> TrainingItem:
        """The item changed, if it is as before, else EtagMismatch; a hold it no longer needs is given back.

        Args:
            before: As it was read.
            after: As it is to be.
            fingerprint: Of new audio; None keeps the old.
            edit_uid: The edit of many that made the caption; empty when none did.
        """
        ...

    def delete(self, item: TrainingItem) -> None:
        """Remove the item, if it still is as it was; its hold is given back."""
        ...

    def revisions(self, item: TrainingItem, *, size: int, token: str) -> Page[CaptionRevision]:
        """The item's captions, newest first."""
        ...

    def revision(self, item: TrainingItem, number: int) -> CaptionRevision:
        """One caption, or CaptionRevisionNotFound."""
        ...


class CaptionEditStore(Protocol):
    """Edits of many captions that may be asked for again."""

    def begin(self, artist: str, item_uids: Sequence[str], key: RequestKey) -> tuple[str, list[str]]:
        """Uid of the edit and the items it is about: those of the first request where this is a repeat."""
        ...

    def done(self, artist: str, edit_uid: str) -> dict[str, Edited]:
        """What the edit has changed so far, by item."""
        ...
