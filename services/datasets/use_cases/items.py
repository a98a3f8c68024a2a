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
from services.datasets.domain.captions import Captions, LiveSetUnknown
from services.datasets.domain.item_ports import ItemFilter, ItemStore
from services.datasets.domain.items import AudioInUse, CaptionRevision, Consent, TrainingItem
from services.datasets.domain.ports import Assets, ReleaseStore, RequestKey
from services.datasets.use_cases.captioning import Captioning, Check, Wording
from services.datasets.use_cases.primed import primed_checks

BATCH = 200


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
    tempo_bpm: float = 0.0
    key: str = ""
    time_signature: str = ""
    source_caption: str = ""


_PLAIN = ("display_name", "licence", "consent", "live_set", "tempo_bpm", "key", "time_signature")
EDITABLE = (*_PLAIN, "asset", "caption", "source_caption", "provenance")


class TrainingItems:
    """Training items of the current caller's artist."""

    def __init__(
        self, store: ItemStore, assets: Assets, releases: ReleaseStore, captions: Captions, clock: Clock
    ) -> None:
        self._store, self._assets, self._releases, self._clock = store, assets, releases, clock
        self._captions, self._captioning = captions, Captioning(store, captions)

    def create(self, artist: str, facts: ItemFacts, key: RequestKey) -> TrainingItem:
        """A new item; its audio is held, so that it cannot be deleted while the item uses it.

        One recording may be in several items, which the list of duplicates shows.
        """
        if (made := self._store.replayed(artist, key)) is not None:
            return made
        return self._create(artist, facts, key)

    def batch_create(
        self, artist: str, many: Sequence[ItemFacts], keys: Sequence[RequestKey]
    ) -> list[TrainingItem | AppError]:
        """What became of each: the item, or why there is none.

        Audio that an item holds already, and the second of two files with the same bytes, make no item.
        """
        require(1 <= len(many) <= BATCH, "training_items", f"1 to {BATCH} items")
        check = primed_checks(
            self._captions, artist, [(facts.caption, facts.live_set, facts.tempo_bpm) for facts in many]
        )
        results: list[TrainingItem | AppError] = []
        for facts, key in zip(many, keys, strict=True):
            try:
                made = self._store.replayed(artist, key)
                results.append(made or self._create(artist, facts, key, check=check, is_only=True))
            except AppError as error:
                results.append(error)
        return results

    def get(self, artist: str, uid: str) -> TrainingItem:
        """One item."""
        return self._store.get(artist, uid)

    def page(self, artist: str, wanted: ItemFilter, *, size: int, token: str) -> Page[TrainingItem]:
        """Items, newest first."""
        require(len(wanted.query) <= 100, "query", "up to 100 characters")
        require("\x00" not in wanted.query, "query", "no NUL characters")
        return self._store.page(artist, wanted, size=size, token=token)

    def update(self, artist: str, uid: str, facts: ItemFacts, fields: Collection[str], etag: str) -> TrainingItem:
        """The item with these fields changed; a changed caption becomes a new revision."""
        unknown = sorted(set(fields) - set(EDITABLE))
        require(not unknown, "update_mask", f"fields among {', '.join(EDITABLE)}, not {', '.join(unknown)}")
        before, now = self._seen(artist, uid, etag), self._clock.now()
        changed, words = self._with_facts(before, facts, fields, now=now)
        changed = items.check_facts(self._with_words(before, changed, facts, fields, now=now))
        after = items.edited(before, changed, now=now)
        audio = after.audio
        if audio is None or (before.audio is not None and before.audio.asset == audio.asset):
            return self._store.replace(before, after, fingerprint=words)
        return self._holding(after, lambda: (self._store.replace(before, after, fingerprint=words), True))

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
        after = self._captioning.restored(before, self._store.revision(before, number))
        return self._store.replace(before, items.edited(before, after, now=self._clock.now()))

    def _create(
        self, artist: str, facts: ItemFacts, key: RequestKey, *, check: Check | None = None, is_only: bool = False
    ) -> TrainingItem:
        wanted = facts.asset or facts.caption or facts.source_caption
        require(bool(wanted), "training_item", "an asset, a caption, or both")
        now, uid = self._clock.now(), new_uid()
        blank = TrainingItem(artist, uid, now, now)
        item, words = self._with_facts(blank, facts, EDITABLE, now=now)
        if is_only and item.audio is not None:
            self._refuse_known(artist, item.audio.sha256)
        item = items.check_facts(self._with_words(blank, item, facts, EDITABLE, now=now, check=check))
        item = replace(item, state=items.natural_state(item))
        if item.audio is None:
            return self._store.add(item, key)[0]
        return self._holding(item, lambda: self._store.add(item, key, fingerprint=words or b""))

    def _refuse_known(self, artist: str, sha256: str) -> None:
        if name := self._store.holding(artist, [sha256]).get(sha256):
            raise AudioInUse(
                f"{name} holds the same audio; use that item, or make a second one by itself",
                metadata={"training_item": name},
            )

    def _seen(self, artist: str, uid: str, etag: str) -> TrainingItem:
        found = self._store.get(artist, uid)
        if etag and etag != found.etag:
            raise EtagMismatch(f"{found.name} has changed since it was read; read it again and repeat")
        return found

    def _with_facts(
        self, item: TrainingItem, facts: ItemFacts, fields: Collection[str], *, now: datetime
    ) -> tuple[TrainingItem, bytes | None]:
        """The item with everything but its caption changed, and the fingerprint of new audio."""
        changed = replace(item, update_time=now, **{name: getattr(facts, name) for name in _PLAIN if name in fields})
        items.check_facts(changed)
        if changed.live_set != item.live_set:
            self._check_live_set(item.artist, changed.live_set)
        if "provenance" in fields:
            changed = replace(changed, provenance=facts.provenance or {})
        if "asset" not in fields or facts.asset == (item.audio.asset if item.audio else ""):
            return changed, None
        _check_name("artists/{artist}/assets/{asset}", facts.asset, "training_item.asset")
        if not facts.asset:
            return replace(changed, audio=None), b""
        audio, words = self._assets.heard(facts.asset)
        return replace(changed, audio=audio, display_name=changed.display_name or audio.display_name[:255]), words

    def _with_words(
        self,
        before: TrainingItem,
        changed: TrainingItem,
        facts: ItemFacts,
        fields: Collection[str],
        *,
        now: datetime,
        check: Check | None = None,
    ) -> TrainingItem:
        """The item with its caption set, or with the one that it has checked again where something moved under it."""
        moved = _ground(before) != _ground(changed)
        if moved:
            changed = replace(changed, proposal=None)
        if {"caption", "source_caption"} & set(fields):
            said = facts.provenance if "provenance" in fields else None
            given = Wording(
                facts.caption if "caption" in fields else "",
                facts.source_caption if "source_caption" in fields else "",
                said,
            )
            worded = self._captioning.worded(changed, given, now=now, check=check)
            if worded.caption_revision != before.caption_revision or not moved:
                return worded
            changed = worded
        rules_moved = moved or before.tempo_bpm != changed.tempo_bpm
        return self._captioning.rechecked(changed, now=now) if rules_moved else changed

    def _check_live_set(self, artist: str, name: str) -> None:
        _check_name("artists/{artist}/live-sets/{live_set}", name, "training_item.live_set")
        if name and name not in self._captions.live_sets(artist, [name]):
            raise LiveSetUnknown(f"the Live Set {name} does not exist; upload it first, or leave `live_set` empty")

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


def _ground(item: TrainingItem) -> tuple[str, str]:
    return item.audio.asset if item.audio else "", item.live_set


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
