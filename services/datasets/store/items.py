"""Training items in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.context import caller
from chassis.db import artist_scope, etag_of
from chassis.paging import Page
from services.datasets.domain.item_ports import AudioPrint, ItemFilter
from services.datasets.domain.items import (
    CaptionRevision,
    CaptionRevisionNotFound,
    ItemState,
    TrainingItem,
    TrainingItemNotFound,
)
from services.datasets.domain.ports import RequestKey
from services.datasets.store.item_rows import columns, to_item, to_revision
from services.datasets.store.shared import Ground, changed_meanwhile, earlier, give_back, recorded
from services.datasets.store.tables import CaptionRevisions, TrainingItems


class SqlItems:
    """Training items and their captions, in SQL."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def add(self, item: TrainingItem, key: RequestKey, *, fingerprint: bytes = b"") -> tuple[TrainingItem, bool]:
        """The stored item, and whether this request made it; a repeat gives what the first one made."""
        with self._ground.db.transaction(artist_scope(item.artist)) as session:
            if name := earlier(session, key, item.name, self._ground.clock):
                return to_item(_row(session, item.artist, name.rpartition("/")[2])), False
            session.add(TrainingItems(**columns(item), fingerprint=fingerprint or None))
            session.flush()
            add_revision(session, item)
            return item, True

    def replayed(self, artist: str, key: RequestKey) -> TrainingItem | None:
        """What an earlier request of this key made."""
        with self._ground.db.transaction(artist_scope(artist)) as session:
            name = recorded(session, key, self._ground.clock)
            return to_item(_row(session, artist, name.rpartition("/")[2])) if name else None

    def get(self, artist: str, uid: str) -> TrainingItem:
        """The item, or TrainingItemNotFound."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return to_item(_row(session, artist, uid))

    def find(self, artist: str, uids: Sequence[str]) -> dict[str, TrainingItem]:
        """The items that exist, by uid."""
        found: dict[str, TrainingItem] = {}
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            for start in range(0, len(uids), 500):
                part = uids[start : start + 500]
                rows = session.scalars(
                    sa.select(TrainingItems).where(TrainingItems.artist == artist, TrainingItems.uid.in_(part))
                )
                found |= {row.uid: to_item(row) for row in rows}
        return found

    def in_states(self, artist: str, states: Collection[ItemState], *, limit: int) -> list[TrainingItem]:
        """Items in these states, oldest first."""
        return self._oldest(artist, TrainingItems.state.in_([state.value for state in states]), limit=limit)

    def captioned(self, artist: str, *, limit: int) -> list[TrainingItem]:
        """Items that have a caption, oldest first."""
        return self._oldest(artist, TrainingItems.caption != "", limit=limit)

    def to_caption(self, artist: str, *, rewrite_generated: bool, limit: int) -> list[TrainingItem]:
        """Items with audio and no caption, and on demand those whose caption a model wrote, oldest first."""
        wanted = TrainingItems.caption == ""
        if rewrite_generated:
            wanted = sa.or_(wanted, TrainingItems.caption_source == "GENERATED")
        usable = sa.and_(TrainingItems.asset != "", TrainingItems.state != ItemState.FAILED.value)
        return self._oldest(artist, sa.and_(usable, wanted), limit=limit)

    def _oldest(self, artist: str, condition: sa.ColumnElement[bool], *, limit: int) -> list[TrainingItem]:
        wanted = sa.select(TrainingItems).where(TrainingItems.artist == artist, condition)
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            rows = session.scalars(wanted.order_by(TrainingItems.create_time, TrainingItems.uid).limit(limit))
            return [to_item(row) for row in rows]

    def captions(self, artist: str, *, besides: str = "", limit: int) -> tuple[str, ...]:
        """Captions of the newest items but one."""
        wanted = sa.select(TrainingItems.caption).where(
            TrainingItems.artist == artist, TrainingItems.caption != "", TrainingItems.uid != besides
        )
        newest = wanted.order_by(TrainingItems.create_time.desc(), TrainingItems.uid.desc()).limit(limit)
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return tuple(session.scalars(newest))

    def holding(self, artist: str, sha256s: Collection[str]) -> dict[str, str]:
        """Name of the oldest item that holds each of these bytes."""
        wanted = sa.select(TrainingItems).where(
            TrainingItems.artist == artist, TrainingItems.audio_sha256.in_(sorted(set(sha256s) - {""}))
        )
        found: dict[str, str] = {}
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            for row in session.scalars(wanted.order_by(TrainingItems.create_time, TrainingItems.uid)):
                found.setdefault(row.audio_sha256, to_item(row).name)
        return found

    def counts(self, artist: str) -> dict[ItemState, int]:
        """How many items stand in each state."""
        wanted = sa.select(TrainingItems.state, sa.func.count()).where(TrainingItems.artist == artist)
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return {ItemState(state): count for state, count in session.execute(wanted.group_by(TrainingItems.state))}

    def marker(self, artist: str) -> str:
        """A word that changes when any audio of the artist's items comes or goes."""
        facts = sa.select(
            sa.func.count(), sa.func.max(TrainingItems.update_time), sa.func.max(TrainingItems.uid)
        ).where(TrainingItems.artist == artist)
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return etag_of(*session.execute(facts).one())

    def prints(self, artist: str, *, limit: int) -> list[AudioPrint]:
        """What tells the audio of the items apart, oldest first."""
        wanted = sa.select(
            TrainingItems.uid, TrainingItems.audio_sha256, TrainingItems.pcm_sha256, TrainingItems.fingerprint
        ).where(TrainingItems.artist == artist, TrainingItems.asset != "")
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            rows = session.execute(wanted.order_by(TrainingItems.create_time, TrainingItems.uid).limit(limit))
            return [AudioPrint(uid, sha256, pcm, words or b"") for uid, sha256, pcm, words in rows]

    def page(self, artist: str, wanted: ItemFilter, *, size: int, token: str) -> Page[TrainingItem]:
        """Items, newest first."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            rows, following = self._ground.pager.page(
                session,
                _filtered(artist, wanted),
                order=(TrainingItems.create_time, TrainingItems.uid),
                size=size,
                token=token,
                filter=f"items/{artist}/{wanted}",
            )
            return Page([to_item(row) for row in rows], following)

    def replace(
        self, before: TrainingItem, after: TrainingItem, *, fingerprint: bytes | None = None, edit_uid: str = ""
    ) -> TrainingItem:
        """The item changed, if it is as before, else EtagMismatch; a hold it no longer needs is given back."""
        with self._ground.db.transaction(artist_scope(before.artist)) as session:
            return replaced(session, self._ground, before, after, fingerprint=fingerprint, edit_uid=edit_uid)

    def delete(self, item: TrainingItem) -> None:
        """Remove the item, if it still is as it was; its hold is given back."""
        with self._ground.db.transaction(artist_scope(item.artist)) as session:
            gone = session.execute(
                sa.delete(TrainingItems).where(
                    TrainingItems.artist == item.artist,
                    TrainingItems.uid == item.uid,
                    TrainingItems.revision == item.revision,
                )
            )
            if not gone.rowcount:  # type: ignore[attr-defined]
                raise changed_meanwhile(item.name)
            if item.audio is not None:
                give_back(session, self._ground, item.artist, caller().principal, item.audio.asset, item.name)

    def revisions(self, item: TrainingItem, *, size: int, token: str) -> Page[CaptionRevision]:
        """The item's captions, newest first."""
        select = sa.select(CaptionRevisions).where(
            CaptionRevisions.artist == item.artist, CaptionRevisions.item_uid == item.uid
        )
        with self._ground.db.transaction(artist_scope(item.artist), write=False) as session:
            rows, following = self._ground.pager.page(
                session, select, order=(CaptionRevisions.revision,), size=size, token=token, filter=item.name
            )
            return Page([to_revision(row) for row in rows], following)

    def revision(self, item: TrainingItem, number: int) -> CaptionRevision:
        """One caption, or CaptionRevisionNotFound."""
        with self._ground.db.transaction(artist_scope(item.artist), write=False) as session:
            row = session.scalars(
                sa.select(CaptionRevisions).where(
                    CaptionRevisions.artist == item.artist,
                    CaptionRevisions.item_uid == item.uid,
                    CaptionRevisions.revision == number,
                )
            ).one_or_none()
            if row is None:
                raise CaptionRevisionNotFound(f"{item.name} has no caption revision {number}")
            return to_revision(row)


def _row(session: Session, artist: str, uid: str) -> TrainingItems:
    row = session.scalars(
        sa.select(TrainingItems).where(TrainingItems.artist == artist, TrainingItems.uid == uid)
    ).one_or_none()
    if row is None:
        raise TrainingItemNotFound(f"training item {uid!r} does not exist")
    return row


def _filtered(artist: str, wanted: ItemFilter) -> sa.Select[TrainingItems]:
    select = sa.select(TrainingItems).where(TrainingItems.artist == artist)
    if wanted.state is not None:
        select = select.where(TrainingItems.state == wanted.state.value)
    if wanted.live_set:
        select = select.where(TrainingItems.live_set == wanted.live_set)
    if wanted.asset:
        select = select.where(TrainingItems.asset == wanted.asset)
    if wanted.caption_source is not None:
        select = select.where(TrainingItems.caption_source == wanted.caption_source.value)
    if wanted.query:
        select = select.where(TrainingItems.search_text.contains(wanted.query.casefold(), autoescape=True))
    return select


def replaced(
    session: Session,
    ground: Ground,
    before: TrainingItem,
    after: TrainingItem,
    *,
    fingerprint: bytes | None = None,
    edit_uid: str = "",
) -> TrainingItem:
    """The item changed with this transaction, if it is as before, else EtagMismatch."""
    new_words = {} if fingerprint is None else {"fingerprint": fingerprint or None}
    _compare_and_set(session, before, columns(after) | new_words)
    if after.caption_revision != before.caption_revision:
        add_revision(session, after, edit_uid=edit_uid)
    old, new = before.audio, after.audio
    if old is not None and (new is None or new.asset != old.asset):
        give_back(session, ground, before.artist, caller().principal, old.asset, before.name)
    return after


def _compare_and_set(session: Session, before: TrainingItem, values: dict[str, Any]) -> None:
    changed = session.execute(
        sa.update(TrainingItems)
        .where(
            TrainingItems.artist == before.artist,
            TrainingItems.uid == before.uid,
            TrainingItems.revision == before.revision,
            TrainingItems.state == before.state.value,
        )
        .values(values)
    )
    if not changed.rowcount:  # type: ignore[attr-defined]
        _row(session, before.artist, before.uid)
        raise changed_meanwhile(before.name)


def add_revision(session: Session, item: TrainingItem, *, edit_uid: str = "") -> None:
    """Note the item's caption as its newest revision, by the current caller."""
    if item.caption_revision:
        session.add(
            CaptionRevisions(
                artist=item.artist,
                item_uid=item.uid,
                revision=item.caption_revision,
                caption=item.caption,
                provenance=item.provenance,
                principal=caller().principal,
                create_time=item.update_time,
                caption_source=item.caption_source.value,
                source_caption=item.source_caption,
                edit_uid=edit_uid or None,
            )
        )
