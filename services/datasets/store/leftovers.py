"""What rows refer to in the object store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.db import artist_scope, system_scope
from services.datasets.domain.exports import JobState
from services.datasets.store.rendered_tables import RenderedAudio
from services.datasets.store.shared import Ground
from services.datasets.store.tables import (
    Base,
    Conversations,
    Exports,
    ExportSegments,
    TrainingFileMembers,
    TrainingFiles,
    TrainingFileVersions,
)

_ACTIVE = (JobState.QUEUED.value, JobState.RUNNING.value)
# Every column that holds the key of an object; what is written below a key's folder belongs to the row as well.
_COLUMNS = (
    ExportSegments.object_key,
    RenderedAudio.object_key,
    Conversations.document_key,
    TrainingFileVersions.json_key,
    TrainingFileVersions.jsonl_key,
    TrainingFileMembers.json_key,
    TrainingFileMembers.jsonl_key,
)


class SqlLeftovers:
    """What tells objects that something refers to from those that nothing does, in SQL."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def artists(self) -> list[str]:
        """Every artist that has rows here."""
        found = sa.union(*(sa.select(table.c.artist) for table in Base.metadata.sorted_tables))
        with self._ground.db.transaction(system_scope("leftovers"), write=False) as session:
            return sorted(session.scalars(found))

    def forget_unused(self, artist: str, before: datetime) -> int:
        """Drop records of audio made anew that no archive holds and nobody used since then; gives their number."""
        held = sa.select(RenderedAudio.content_key).where(
            RenderedAudio.artist == artist,
            sa.or_(
                RenderedAudio.use_time >= before,
                sa.exists().where(
                    ExportSegments.artist == artist, ExportSegments.object_key == RenderedAudio.object_key
                ),
            ),
        )
        busy = sa.exists().where(Exports.artist == artist, Exports.state.in_(_ACTIVE))
        unused = sa.delete(RenderedAudio).where(
            RenderedAudio.artist == artist, RenderedAudio.content_key.not_in(held), ~busy
        )
        with self._ground.db.transaction(artist_scope(artist)) as session:
            gone = session.execute(unused.execution_options(synchronize_session=False))
            return int(gone.rowcount)  # type: ignore[attr-defined]

    def unreferred(self, artist: str, keys: Sequence[str]) -> set[str]:
        """Those of the objects that no row refers to."""
        left = set(keys)
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            for column in _COLUMNS:
                table = column.class_
                left -= set(session.scalars(sa.select(column).where(table.artist == artist, column.in_(left))))
            left -= self._of_living(session, artist, left)
        return left

    def _of_living(self, session: Session, artist: str, keys: set[str]) -> set[str]:
        """Those whose folder or name carries the uid of a row that may still write them."""
        living = set()
        rows = (
            (Conversations, "conversations/", sa.true()),
            (TrainingFiles, "training-files/", sa.true()),
            (Exports, "exports/", Exports.state.in_(_ACTIVE)),
        )
        for table, folder, condition in rows:
            prefix = f"artists/{artist}/datasets/{folder}"
            owners = {key: _uid(key, prefix) for key in keys if key.startswith(prefix)}
            wanted = sa.select(table.uid).where(table.artist == artist, table.uid.in_(set(owners.values())), condition)
            alive = set(session.scalars(wanted))
            living |= {key for key, uid in owners.items() if uid in alive}
        return living


def _uid(key: str, prefix: str) -> str:
    return key.removeprefix(prefix).split("/")[0].split(".")[0]
