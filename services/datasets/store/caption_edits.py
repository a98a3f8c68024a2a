"""Edits of many captions in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from chassis.db import artist_scope
from chassis.ids import new_uid
from services.datasets.domain.item_ports import Edited
from services.datasets.domain.ports import RequestKey
from services.datasets.store.caption_run_tables import CaptionEdits
from services.datasets.store.shared import Ground, earlier
from services.datasets.store.tables import CaptionRevisions

_KEPT = timedelta(days=2)  # longer than the requests that refer to them


class SqlCaptionEdits:
    """Edits of many captions that may be asked for again, in SQL."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def begin(self, artist: str, item_uids: Sequence[str], key: RequestKey) -> tuple[str, list[str]]:
        """Uid of the edit and the items it is about: those of the first request where this is a repeat."""
        uid, now = new_uid(), self._ground.clock.now()
        with self._ground.db.transaction(artist_scope(artist)) as session:
            if known := earlier(session, key, f"artists/{artist}/caption-edits/{uid}", self._ground.clock):
                found = session.get_one(CaptionEdits, known.rpartition("/")[2])
                return found.uid, list(found.item_uids)
            old = sa.delete(CaptionEdits).where(CaptionEdits.artist == artist, CaptionEdits.create_time < now - _KEPT)
            session.execute(old)
            session.add(CaptionEdits(uid=uid, artist=artist, item_uids=list(item_uids), create_time=now))
            return uid, list(item_uids)

    def done(self, artist: str, edit_uid: str) -> dict[str, Edited]:
        """What the edit has changed so far, by item."""
        after, before = aliased(CaptionRevisions), aliased(CaptionRevisions)
        pair = sa.and_(before.item_uid == after.item_uid, before.revision == after.revision - 1)
        wanted = (
            sa.select(after.item_uid, before.caption, after.caption)
            .outerjoin(before, pair)
            .where(after.artist == artist, after.edit_uid == edit_uid)
        )
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return {uid: Edited(was or "", now) for uid, was, now in session.execute(wanted)}
