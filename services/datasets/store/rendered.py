"""Audio that was made anew, in SQL."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from chassis.context import caller
from chassis.db import artist_scope
from chassis.ids import new_uid
from services.datasets.domain.rendering import Rendered, RenderedPiece
from services.datasets.store.rendered_tables import RenderedAudio
from services.datasets.store.shared import Ground
from services.datasets.store.tables import HoldReleases

_PIECE = ("object_key", "size_bytes", "crc32", "sha256", "start_frame", "frames")
_WHOLE = ("media_type", "rate_hz", "channels", "facts")
_HELD = timedelta(days=1)


class SqlRendered:
    """What is known of audio made anew."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def find(self, artist: str, key: str) -> Rendered | None:
        """The rendering with all its pieces, from now on in use again; None when there is none."""
        with self._ground.db.transaction(artist_scope(artist)) as session:
            # Before it is read: the collector removes no row that is in use.
            session.execute(sa.update(RenderedAudio).where(*_is(artist, key)).values(use_time=self._ground.clock.now()))
            return _read(session, artist, key)

    def add(self, artist: str, rendered: Rendered) -> Rendered:
        """The rendering as it is recorded: this one, or the one that another worker recorded before."""
        now = self._ground.clock.now()
        whole = {name: getattr(rendered, name) for name in _WHOLE}
        whole |= {"artist": artist, "content_key": rendered.key, "piece_count": len(rendered.pieces)}
        rows = [
            {**whole, **{name: getattr(piece, name) for name in _PIECE}, "piece": index}
            | {"create_time": now, "use_time": now}
            for index, piece in enumerate(rendered.pieces)
        ]
        with self._ground.db.transaction(artist_scope(artist)) as session:
            insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
            session.execute(insert(RenderedAudio).on_conflict_do_nothing(), rows)
            found = _read(session, artist, rendered.key)
        assert found is not None, "the rows were inserted or are those of another worker"
        return found

    def forget(self, artist: str, key: str) -> None:
        """Drop what is known, because its objects are gone."""
        with self._ground.db.transaction(artist_scope(artist)) as session:
            session.execute(sa.delete(RenderedAudio).where(*_is(artist, key)))

    def release_later(self, artist: str, asset: str, holder: str) -> None:
        """See to it that a hold ends in a day, whatever becomes of this process."""
        with self._ground.db.transaction(artist_scope(artist)) as session:
            session.add(
                HoldReleases(
                    uid=new_uid(),
                    artist=artist,
                    principal=caller().principal,
                    asset=asset,
                    holder=holder,
                    due_time=self._ground.clock.now() + _HELD,
                    failures=0,
                )
            )


def _is(artist: str, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return RenderedAudio.artist == artist, RenderedAudio.content_key == key


def _read(session: Session, artist: str, key: str) -> Rendered | None:
    rows = session.scalars(sa.select(RenderedAudio).where(*_is(artist, key)).order_by(RenderedAudio.piece)).all()
    if not rows or len(rows) != rows[0].piece_count:
        return None
    pieces = tuple(RenderedPiece(**{name: getattr(row, name) for name in _PIECE}) for row in rows)
    return Rendered(key=key, pieces=pieces, **{name: getattr(rows[0], name) for name in _WHOLE})
