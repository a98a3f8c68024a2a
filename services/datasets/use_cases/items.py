"""What a person does with training items."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chassis.clock import Clock
from chassis.errors import AppError, EtagMismatch, require
from chassis.ids import new_uid, parse_name
from chassis.paging import Page
from services.datasets.domain import items
from services.datasets.domain.items import CaptionRevision, Consent, ItemState, TrainingItem
from services.datasets.domain.ports import Assets, ItemStore, ReleaseStore, RequestKey


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What a caller says of an item."""

    display_name: str = ""
    asset: str = ""
    caption: str = ""
    live_set: str = ""
    provenance: dict[str, Any] | None = None
    licence: str = ""
    consent: Consent = field(default_factory=Consent)


EDITABLE = ("display_name", "asset", "caption", "live_set", "provenance", "licence", "consent")


class TrainingItems:
    """Training items of the current caller's artist."""

    def __init__(self, store: ItemStore, assets: Assets, releases: ReleaseStore, clock: Clock) -> None:
        self._store, self._assets, self._releases, self._clock = store, assets, releases, clock

    def create(self, artist: str, facts: ItemFacts, key: RequestKey) -> TrainingItem:
        """A new item; its audio is held, so that it cannot be deleted while the item uses it."""
        require(bool(facts.asset or facts.caption), "training_item", "an asset, a caption, or both")
        if (made := self._store.replayed(artist, key)) is not None:
            return made
        now, uid = self._clock.now(), new_uid()
        blank = TrainingItem(artist, uid, now, now)
        item = items.check_facts(self._with_facts(blank, facts, EDITABLE, now=now))
        item = replace(item, state=items.natural_state(item))
        if item.audio is None:
            return self._store.add(item, key)[0]
        return self._holding(item, lambda: self._store.add(item, key))

    def get(self, artist: str, uid: str) -> TrainingItem:
        """One item."""
        return self._store.get(artist, uid)

    def page(self, artist: str, *, state: ItemState | None, size: int, token: str) -> Page[TrainingItem]:
        """Items, newest first."""
        return self._store.page(artist, state=state, size=size, token=token)

    def update(self, artist: str, uid: str, facts: ItemFacts, fields: Collection[str], etag: str) -> TrainingItem:
        """The item with these fields changed; a changed caption becomes a new revision."""
        unknown = sorted(set(fields) - set(EDITABLE))
        require(not unknown, "update_mask", f"fields among {', '.join(EDITABLE)}, not {', '.join(unknown)}")
        before, now = self._seen(artist, uid, etag), self._clock.now()
        after = items.check_facts(self._with_facts(before, facts, fields, now=now))
        after = items.edited(before, after, now=now)
        audio = after.audio
        if audio is None or (before.audio is not None and before.audio.asset == audio.asset):
            return self._store.replace(before, after)
        return self._holding(after, lambda: (self._store.replace(before, after), True))

    def delete(self, artist: str, uid: str, etag: str) -> None:
        """Remove the item; its audio is given back."""
        self._store.delete(self._seen(artist, uid, etag))

    def fail(self, artist: str, uid: str, failure: str, etag: str) -> TrainingItem:
        """The item marked as failed."""
        before = self._seen(artist, uid, etag)
        return self._store.replace(before, items.failed(before, failure, now=self._clock.now()))

    def retry(self, artist: str, uid: str, etag: str) -> TrainingItem:
        """A failed item back where its audio and caption put it."""
        before = self._seen(artist, uid, etag)
        return self._store.replace(before, items.retried(before, now=self._clock.now()))

    def revisions(self, artist: str, uid: str, *, size: int, token: str) -> Page[CaptionRevision]:
        """Captions of the item, newest first."""
        return self._store.revisions(self._store.get(artist, uid), size=size, token=token)

    def restore(self, artist: str, uid: str, number: int, etag: str) -> TrainingItem:
        """The item with an earlier caption again, as a new revision."""
        before = self._seen(artist, uid, etag)
        wanted = self._store.revision(before, number)
        after = _captioned(replace(before, provenance=wanted.provenance), wanted.caption)
        return self._store.replace(before, items.edited(before, after, now=self._clock.now()))

    def _seen(self, artist: str, uid: str, etag: str) -> TrainingItem:
        found = self._store.get(artist, uid)
        if etag and etag != found.etag:
            raise EtagMismatch(f"{found.name} has changed since it was read; read it again and repeat")
        return found

    def _with_facts(
        self, item: TrainingItem, facts: ItemFacts, fields: Collection[str], *, now: datetime
    ) -> TrainingItem:
        plain = {name: getattr(facts, name) for name in ("display_name", "licence", "consent") if name in fields}
        changed = replace(item, update_time=now, **plain)
        if "live_set" in fields:
            _check_name("artists/{artist}/live-sets/{live_set}", facts.live_set, "training_item.live_set")
            changed = replace(changed, live_set=facts.live_set)
        if "provenance" in fields:
            changed = replace(changed, provenance=facts.provenance or {})
        if "asset" in fields:
            _check_name("artists/{artist}/assets/{asset}", facts.asset, "training_item.asset")
            same = item.audio is not None and item.audio.asset == facts.asset
            audio = item.audio if same else self._assets.get(facts.asset) if facts.asset else None
            name = changed.display_name or (audio.display_name[:255] if audio else "")
            changed = replace(changed, audio=audio, display_name=name)
        return _captioned(changed, facts.caption) if "caption" in fields else changed

    def _holding(self, item: TrainingItem, store: Callable[[], tuple[TrainingItem, bool]]) -> TrainingItem:
        """Take the hold before the row, and give it back when the row does not come."""
        assert item.audio is not None, "only an item with audio holds something"
        self._assets.hold(item.audio.asset, item.name)
        try:
            stored, is_new = store()
        except AppError:
            self._releases.add(item.audio.asset, item.name)
            raise
        if not is_new:
            self._releases.add(item.audio.asset, item.name)
        return stored


def _captioned(item: TrainingItem, caption: str) -> TrainingItem:
    text = caption.strip()
    if text == item.caption:
        return item
    return replace(item, caption=text, caption_revision=item.caption_revision + 1)


def _check_name(pattern: str, name: str, field: str) -> None:
    if name:
        parse_name(pattern, name, field=field)


def give_holds_back(releases: ReleaseStore, assets: Assets, acting: Callable[[str, str], Any], *, limit: int) -> int:
    """Give back holds whose time has come; gives how many were due.

    Args:
        releases: What is to be given back.
        assets: Where the holds are.
        acting: A context of (artist, principal) to call in.
        limit: Most of them in one go.
    """
    due = releases.due(limit)
    for release in due:
        try:
            with acting(release.artist, release.principal):
                assets.release(release.asset, release.holder)
        except AppError as error:
            if error.CODE.name != "NOT_FOUND":
                releases.postpone(release)
                continue
        releases.done(release)
    return len(due)


def chosen(store: ItemStore, artist: str, uids: Sequence[str]) -> list[TrainingItem]:
    """The named items in the order named.

    Raises:
        TrainingItemNotFound: One does not exist.
        FieldInvalid: One is named twice.
    """
    require(len(set(uids)) == len(uids), "selection.training_items", "each item once")
    found = store.find(artist, uids)
    missing = [uid for uid in uids if uid not in found]
    if missing:
        raise items.TrainingItemNotFound(
            f"{len(missing)} training items do not exist, the first is {missing[0]!r}",
            metadata={"count": str(len(missing))},
        )
    return [found[uid] for uid in uids]
