"""Rows of captions."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.paging import Page, Pager
from services.prompt.domain.captions import Caption, CaptionNotFound
from services.prompt.store.rows import of_caption, to_caption
from services.prompt.store.tables import CaptionRow


class CaptionRows:
    """The part of a transaction that keeps captions."""

    session: Session
    pager: Pager
    clock: Clock

    def add_caption(self, caption: Caption) -> None:
        """Keep a new caption."""
        self.session.add(of_caption(caption))
        self.session.flush()

    def caption(self, artist: str, uid: str) -> Caption:
        """The caption."""
        row = self.session.get(CaptionRow, {"artist": artist, "uid": uid})
        if row is None:
            raise CaptionNotFound(f"artists/{artist}/captions/{uid} does not exist")
        return to_caption(row)

    def captions(self, artist: str, *, size: int, token: str, live_set: str = "", asset: str = "") -> Page[Caption]:
        """The captions, newest first; only those of the named Live Set and asset, unless empty."""
        select = sa.select(CaptionRow).where(CaptionRow.artist == artist)
        if live_set:
            select = select.where(CaptionRow.live_set == live_set)
        if asset:
            select = select.where(CaptionRow.asset == asset)
        rows, next_token = self.pager.page(
            self.session,
            select,
            order=(CaptionRow.create_time, CaptionRow.uid),
            size=size,
            token=token,
            filter=f"captions of {artist} {live_set} {asset}",
        )
        return Page([to_caption(row) for row in rows], next_token)
