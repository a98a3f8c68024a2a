"""Snapshots in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, defer

from chassis.context import caller
from chassis.db import artist_scope
from chassis.errors import PageTokenInvalid
from chassis.ids import format_name
from chassis.paging import Page, page_size
from services.datasets.domain import items
from services.datasets.domain.findings import Finding, Severity
from services.datasets.domain.items import Audio, Consent
from services.datasets.domain.ports import RequestKey
from services.datasets.domain.snapshots import Snapshot, SnapshotInUse, SnapshotMember, SnapshotNotFound
from services.datasets.store.shared import Ground, changed_meanwhile, earlier, give_back, recorded
from services.datasets.store.snapshot_tables import SnapshotMembers, Snapshots
from services.datasets.store.tables import Exports
from services.datasets.store.training_tables import Trainings

_ROWS = 500  # members of one statement
_PLAIN = (
    "artist",
    "uid",
    "principal",
    "display_name",
    "item_count",
    "duration_s",
    "content_sha256",
    "create_time",
    "update_time",
    "implicit",
    "revision",
)
_MEMBER = (
    "position",
    "item_uid",
    "display_name",
    "caption",
    "caption_revision",
    "content_revision",
    "caption_source",
    "live_set",
    "live_set_sha256",
    "licence",
    "tempo_bpm",
    "key",
    "time_signature",
)


class SqlSnapshots:
    """Snapshots with their members, in SQL."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def add(self, snapshot: Snapshot, members: Sequence[SnapshotMember], key: RequestKey) -> Snapshot:
        """The stored snapshot; a repeat gives what the first one made."""
        with self._ground.db.transaction(artist_scope(snapshot.artist)) as session:
            if name := earlier(session, key, snapshot.name, self._ground.clock):
                return to_snapshot(row_of(session, snapshot.artist, name.rpartition("/")[2]))
            insert_snapshot(session, snapshot, members)
            return snapshot

    def replayed(self, artist: str, key: RequestKey) -> Snapshot | None:
        """What an earlier request of this key made."""
        with self._ground.db.transaction(artist_scope(artist)) as session:
            name = recorded(session, key, self._ground.clock)
            return to_snapshot(row_of(session, artist, name.rpartition("/")[2])) if name else None

    def get(self, artist: str, uid: str) -> Snapshot:
        """The snapshot, or SnapshotNotFound."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return to_snapshot(row_of(session, artist, uid))

    def page(self, artist: str, *, size: int, token: str) -> Page[Snapshot]:
        """Snapshots, newest first."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            rows, following = self._ground.pager.page(
                session,
                sa.select(Snapshots).where(Snapshots.artist == artist),
                order=(Snapshots.create_time, Snapshots.uid),
                size=size,
                token=token,
                filter=f"snapshots/{artist}",
            )
            return Page([to_snapshot(row) for row in rows], following)

    def members(self, artist: str, uid: str, *, provenance: bool = True) -> list[SnapshotMember]:
        """The frozen items, in order; without their provenance they take little memory."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            row_of(session, artist, uid)
            return list(_members(session, artist, uid, provenance=provenance))

    def member_page(self, artist: str, uid: str, *, size: int, token: str) -> Page[SnapshotMember]:
        """The frozen items, in order."""
        filter = f"snapshot-members/{artist}/{uid}"
        after, limit = place_in(self._ground, token, filter), page_size(size)
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            row_of(session, artist, uid)
            found = list(_members(session, artist, uid, after=after, limit=limit + 1))
        if len(found) <= limit:
            return Page(found)
        return Page(found[:limit], self._ground.pager.seal([filter, found[limit - 1].position]))

    def held_revisions(self, artist: str, uid: str) -> dict[str, int]:
        """Content revisions of the frozen items, by item uid; SnapshotNotFound if there is none."""
        wanted = sa.select(SnapshotMembers.item_uid, SnapshotMembers.content_revision)
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            row_of(session, artist, uid)
            rows = session.execute(wanted.where(SnapshotMembers.artist == artist, SnapshotMembers.snapshot_uid == uid))
            return {row.item_uid: row.content_revision for row in rows}

    def delete(self, snapshot: Snapshot) -> None:
        """Remove the snapshot, or SnapshotInUse; its holds are given back."""
        with self._ground.db.transaction(artist_scope(snapshot.artist)) as session:
            uses = users_of(session, snapshot.artist, snapshot.uid)
            if any(uses.values()):
                told = " and ".join(f"{count} {noun}" for noun, count in uses.items() if count)
                raise SnapshotInUse(
                    f"{told} are made of {snapshot.name}; delete them first",
                    metadata={noun: str(count) for noun, count in uses.items()},
                )
            try:
                remove_snapshot(session, self._ground, snapshot)
            except IntegrityError as error:  # an export came between the count and the deletion
                raise SnapshotInUse(f"an export was just made of {snapshot.name}; delete it first") from error


def insert_snapshot(session: Session, snapshot: Snapshot, members: Sequence[SnapshotMember]) -> None:
    """Add the rows of a new snapshot."""
    plain = {name: getattr(snapshot, name) for name in _PLAIN}
    session.add(Snapshots(**plain, findings=[asdict(finding) for finding in snapshot.findings]))
    session.flush()
    for start in range(0, len(members), _ROWS):
        rows = [_member_columns(snapshot, member) for member in members[start : start + _ROWS]]
        session.execute(sa.insert(SnapshotMembers), rows)


def remove_snapshot(session: Session, ground: Ground, snapshot: Snapshot) -> None:
    """Remove the rows of a snapshot, if it is as it was; its holds are given back."""
    same = (Snapshots.artist == snapshot.artist, Snapshots.uid == snapshot.uid, Snapshots.revision == snapshot.revision)
    gone = session.execute(sa.delete(Snapshots).where(*same))
    if not gone.rowcount:  # type: ignore[attr-defined]
        row_of(session, snapshot.artist, snapshot.uid)
        raise changed_meanwhile(snapshot.name)
    give_back(session, ground, snapshot.artist, caller().principal, "", snapshot.name)


def users_of(session: Session, artist: str, uid: str) -> dict[str, int]:
    """How many exports and trainings are made of the snapshot."""
    exports = sa.select(sa.func.count()).where(Exports.artist == artist, Exports.snapshot_uid == uid)
    trainings = sa.select(sa.func.count()).where(Trainings.artist == artist, Trainings.snapshot_uid == uid)
    return {"exports": session.scalar(exports) or 0, "trainings": session.scalar(trainings) or 0}


def to_snapshot(row: Snapshots) -> Snapshot:
    """The snapshot that a row holds."""
    return Snapshot(
        **{name: getattr(row, name) for name in _PLAIN}, findings=tuple(to_finding(kept) for kept in row.findings)
    )


def to_finding(kept: dict[str, str]) -> Finding:
    """The finding that a row holds."""
    severity = Severity(kept.get("severity", Severity.WARNING.value))
    return Finding(kept["reason"], kept["message"], kept["training_item"], severity)


def row_of(session: Session, artist: str, uid: str) -> Snapshots:
    """The snapshot's row, or SnapshotNotFound."""
    row = session.scalars(sa.select(Snapshots).where(Snapshots.artist == artist, Snapshots.uid == uid)).one_or_none()
    if row is None:
        raise SnapshotNotFound(f"snapshot {uid!r} does not exist")
    return row


def place_in(ground: Ground, token: str, filter: str) -> int:
    """The position after which a page begins; 0 for the first page."""
    if not token:
        return 0
    bound, place = (*ground.pager.unseal(token), None, None)[:2]
    if bound != filter or not isinstance(place, int):
        raise PageTokenInvalid("the page token belongs to another list; leave it out to begin again")
    return place


def _members(
    session: Session, artist: str, uid: str, *, provenance: bool = True, after: int = 0, limit: int | None = None
) -> Iterator[SnapshotMember]:
    wanted = sa.select(SnapshotMembers).where(
        SnapshotMembers.artist == artist, SnapshotMembers.snapshot_uid == uid, SnapshotMembers.position > after
    )
    if not provenance:
        wanted = wanted.options(defer(SnapshotMembers.provenance))
    rows = session.scalars(wanted.order_by(SnapshotMembers.position).limit(limit).execution_options(yield_per=_ROWS))
    return (_to_member(row, row.provenance if provenance else {}) for row in rows)


def _member_columns(snapshot: Snapshot, member: SnapshotMember) -> dict[str, Any]:
    consent = asdict(member.consent)
    consent["give_time"] = member.consent.give_time and member.consent.give_time.isoformat()
    return {name: getattr(member, name) for name in _MEMBER} | {
        "snapshot_uid": snapshot.uid,
        "artist": snapshot.artist,
        "asset": member.audio.asset,
        "audio": asdict(member.audio),
        "provenance": member.provenance,
        "consent": consent,
    }


def _to_member(row: SnapshotMembers, provenance: dict[str, Any]) -> SnapshotMember:
    consent = dict(row.consent)
    given = consent.pop("give_time")
    return SnapshotMember(
        **{name: getattr(row, name) for name in _MEMBER},
        item_name=format_name(items.NAME, artist=row.artist, training_item=row.item_uid),
        audio=Audio(**row.audio),
        provenance=provenance,
        consent=Consent(**consent, give_time=datetime.fromisoformat(given) if given else None),
    )
