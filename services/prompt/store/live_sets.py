"""Rows of Live Sets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.paging import Page, Pager
from services.prompt.domain.live_sets import LiveSet, LiveSetNotDeleted, LiveSetNotFound
from services.prompt.store.changes import change
from services.prompt.store.rows import to_live_set
from services.prompt.store.tables import LiveSetRow


class LiveSetRows:
    """The part of a transaction that keeps Live Sets."""

    session: Session
    pager: Pager
    clock: Clock

    def add_live_set(self, live_set: LiveSet) -> None:
        """Keep a new Live Set."""
        self.session.add(
            LiveSetRow(
                artist=live_set.artist,
                uid=live_set.uid,
                display_name=live_set.display_name,
                project_name=live_set.project_name,
                file_name=live_set.file_name,
                sha256=live_set.sha256,
                size_bytes=live_set.size_bytes,
                summary=dict(live_set.summary),
                search_text=_search_text(live_set.display_name, live_set.file_name, live_set.project_name),
                create_time=live_set.create_time,
                update_time=live_set.update_time,
            )
        )
        self.session.flush()

    def live_set(self, artist: str, uid: str, *, deleted: bool = False) -> LiveSet:
        """The Live Set, also a deleted one if asked for."""
        return to_live_set(self._live_set_row(artist, uid, deleted=None if deleted else False))

    def live_set_of_file(self, artist: str, sha256: str) -> LiveSet | None:
        """The oldest Live Set of the artist that has this file and is not deleted."""
        select = sa.select(LiveSetRow).where(LiveSetRow.artist == artist, LiveSetRow.sha256 == sha256)
        oldest = select.where(LiveSetRow.delete_time.is_(None)).order_by(LiveSetRow.create_time, LiveSetRow.uid)
        row = self.session.scalar(oldest.limit(1))
        return to_live_set(row) if row else None

    def live_sets(self, artist: str, *, size: int, token: str, show_deleted: bool, query: str = "") -> Page[LiveSet]:
        """The Live Sets, newest first; only those whose names hold the query, unless it is empty."""
        select = sa.select(LiveSetRow).where(LiveSetRow.artist == artist)
        if query:
            select = select.where(LiveSetRow.search_text.contains(query.casefold(), autoescape=True))
        if not show_deleted:
            select = select.where(LiveSetRow.delete_time.is_(None))
        rows, next_token = self.pager.page(
            self.session,
            select,
            order=(LiveSetRow.create_time, LiveSetRow.uid),
            size=size,
            token=token,
            filter=f"live sets of {artist} {show_deleted} {query}",
        )
        return Page([to_live_set(row) for row in rows], next_token)

    def change_live_set(
        self, artist: str, uid: str, etag: str, *, deleted: bool | None = False, **columns: Any
    ) -> LiveSet:
        """Change columns if the etag fits; `deleted` says how the Live Set must be, None for either."""
        row = self._live_set_row(artist, uid, deleted=deleted)
        key = [LiveSetRow.artist == artist, LiveSetRow.uid == uid]
        names = [columns.get(name, getattr(row, name)) for name in ("display_name", "file_name", "project_name")]
        columns["search_text"] = _search_text(*names)
        change(self.session, row, key, etag, lambda r: to_live_set(r).etag, self.clock, columns)
        return to_live_set(row)

    def purge_live_sets(self, before: datetime, limit: int) -> list[LiveSet]:
        """Remove Live Sets deleted before the moment and give them back; a platform job."""
        rows = list(self.session.scalars(sa.select(LiveSetRow).where(LiveSetRow.delete_time < before).limit(limit)))
        found = [to_live_set(row) for row in rows]
        for row in rows:
            self.session.delete(row)
        return found

    def holds_file(self, artist: str, sha256: str) -> bool:
        """Whether any Live Set of the artist has this file."""
        held = sa.select(LiveSetRow.uid).where(LiveSetRow.artist == artist, LiveSetRow.sha256 == sha256).limit(1)
        return self.session.scalar(held) is not None

    def _live_set_row(self, artist: str, uid: str, *, deleted: bool | None) -> LiveSetRow:
        row = self.session.get(LiveSetRow, {"artist": artist, "uid": uid})
        if row is None or (deleted is False and row.delete_time is not None):
            raise LiveSetNotFound(f"artists/{artist}/live-sets/{uid} does not exist")
        if deleted and row.delete_time is None:
            raise LiveSetNotDeleted(f"artists/{artist}/live-sets/{uid} is not deleted; there is nothing to bring back")
        return row


def _search_text(*names: str) -> str:
    """The names in one case; the line ends keep a query from matching across two of them."""
    return "\n".join(names).casefold()
