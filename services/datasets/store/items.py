"""Training items in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.context import caller
from chassis.db import artist_scope
from chassis.paging import Page
from services.datasets.domain.items import (
    Audio,
    CaptionRevision,
    CaptionRevisionNotFound,
    Consent,
    ItemState,
    TrainingItem,
    TrainingItemNotFound,
)
from services.datasets.domain.ports import RequestKey
from services.datasets.store.shared import Ground, changed_meanwhile, earlier, give_back, recorded
from services.datasets.store.tables import CaptionRevisions, TrainingItems

_PLAIN = (
    "uid",
    "artist",
    "display_name",
    "caption",
    "caption_revision",
    "live_set",
    "provenance",
    "licence",
    "failure",
    "last_export",
    "revision",
    "content_revision",
    "create_time",
    "update_time",
)


class SqlItems:
    """Training items and their captions, in SQL."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def add(self, item: TrainingItem, key: RequestKey) -> tuple[TrainingItem, bool]:
        """The stored item, and whether this request made it; a repeat gives what the first one made."""
        with self._ground.db.transaction(artist_scope(item.artist)) as session:
            if name := earlier(session, key, item.name, self._ground.clock):
                return _to_item(_row(session, item.artist, name.rpartition("/")[2])), False
            session.add(TrainingItems(**_columns(item)))
            session.flush()
            _add_revision(session, item)
            return item, True

    def replayed(self, artist: str, key: RequestKey) -> TrainingItem | None:
        """What an earlier request of this key made."""
        with self._ground.db.transaction(artist_scope(artist)) as session:
            name = recorded(session, key, self._ground.clock)
            return _to_item(_row(session, artist, name.rpartition("/")[2])) if name else None

    def get(self, artist: str, uid: str) -> TrainingItem:
        """The item, or TrainingItemNotFound."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return _to_item(_row(session, artist, uid))

    def find(self, artist: str, uids: Sequence[str]) -> dict[str, TrainingItem]:
        """The items that exist, by uid."""
        found: dict[str, TrainingItem] = {}
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            for start in range(0, len(uids), 500):
                part = uids[start : start + 500]
                rows = session.scalars(
                    sa.select(TrainingItems).where(TrainingItems.artist == artist, TrainingItems.uid.in_(part))
                )
                found |= {row.uid: _to_item(row) for row in rows}
        return found

    def in_states(self, artist: str, states: Collection[ItemState], *, limit: int) -> list[TrainingItem]:
        """Items in these states, oldest first."""
        wanted = sa.select(TrainingItems).where(
            TrainingItems.artist == artist, TrainingItems.state.in_([state.value for state in states])
        )
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            rows = session.scalars(wanted.order_by(TrainingItems.create_time, TrainingItems.uid).limit(limit))
            return [_to_item(row) for row in rows]

    def page(self, artist: str, *, state: ItemState | None, size: int, token: str) -> Page[TrainingItem]:
        """Items, newest first."""
        select = sa.select(TrainingItems).where(TrainingItems.artist == artist)
        if state is not None:
            select = select.where(TrainingItems.state == state.value)
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            rows, following = self._ground.pager.page(
                session,
                select,
                order=(TrainingItems.create_time, TrainingItems.uid),
                size=size,
                token=token,
                filter=f"items/{artist}/{state or ''}",
            )
            return Page([_to_item(row) for row in rows], following)

    def replace(self, before: TrainingItem, after: TrainingItem) -> TrainingItem:
        """The item changed, if it is as before, else EtagMismatch; a hold it no longer needs is given back."""
        with self._ground.db.transaction(artist_scope(before.artist)) as session:
            _compare_and_set(session, before, _columns(after))
            if after.caption_revision != before.caption_revision:
                _add_revision(session, after)
            old, new = before.audio, after.audio
            if old is not None and (new is None or new.asset != old.asset):
                give_back(session, self._ground, before.artist, caller().principal, old.asset, before.name)
            return after

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
            return Page([_to_revision(row) for row in rows], following)

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
            return _to_revision(row)


def _row(session: Session, artist: str, uid: str) -> TrainingItems:
    row = session.scalars(
        sa.select(TrainingItems).where(TrainingItems.artist == artist, TrainingItems.uid == uid)
    ).one_or_none()
    if row is None:
        raise TrainingItemNotFound(f"training item {uid!r} does not exist")
    return row


def _compare_and_set(session: Session, before: TrainingItem, columns: dict[str, Any]) -> None:
    changed = session.execute(
        sa.update(TrainingItems)
        .where(
            TrainingItems.artist == before.artist,
            TrainingItems.uid == before.uid,
            TrainingItems.revision == before.revision,
            TrainingItems.state == before.state.value,
        )
        .values(columns)
    )
    if not changed.rowcount:  # type: ignore[attr-defined]
        _row(session, before.artist, before.uid)
        raise changed_meanwhile(before.name)


def _add_revision(session: Session, item: TrainingItem) -> None:
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
            )
        )


def _columns(item: TrainingItem) -> dict[str, Any]:
    consent = asdict(item.consent)
    consent["give_time"] = item.consent.give_time and item.consent.give_time.isoformat()
    return {name: getattr(item, name) for name in _PLAIN} | {
        "audio": item.audio and asdict(item.audio),
        "audio_sha256": item.audio.sha256 if item.audio else "",
        "consent": consent,
        "state": item.state.value,
    }


def _to_item(row: TrainingItems) -> TrainingItem:
    consent = dict(row.consent)
    given = consent.pop("give_time")
    return TrainingItem(
        **{name: getattr(row, name) for name in _PLAIN},
        audio=Audio(**row.audio) if row.audio else None,
        consent=Consent(**consent, give_time=datetime.fromisoformat(given) if given else None),
        state=ItemState(row.state),
    )


def _to_revision(row: CaptionRevisions) -> CaptionRevision:
    return CaptionRevision(
        row.artist, row.item_uid, row.revision, row.caption, row.provenance, row.principal, row.create_time
    )
