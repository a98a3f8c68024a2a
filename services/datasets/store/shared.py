"""What the stores of this service have in common: scopes, requests, holds to give back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.context import caller
from chassis.db import Database, artist_scope, system_scope
from chassis.errors import EtagMismatch
from chassis.ids import new_uid
from chassis.paging import Pager
from chassis.requests import once
from services.datasets.domain.ports import HoldRelease, RequestKey
from services.datasets.store.tables import HoldReleases, Requests

_RETRY_S = (2, 10, 60, 300)


@dataclass(frozen=True, slots=True)
class Ground:
    """What every store stands on."""

    db: Database
    clock: Clock
    pager: Pager


def earlier(session: Session, key: RequestKey, resource: str, clock: Clock) -> str | None:
    """The resource that this request made before; None when it is new and now recorded."""
    return once(
        session,
        Requests,
        caller=caller(),
        method=key.method,
        request_id=key.request_id,
        fingerprint=key.fingerprint,
        resource=resource,
        clock=clock,
    )


def recorded(session: Session, key: RequestKey, clock: Clock) -> str | None:
    """The resource that this request made before; a new request is not recorded."""
    if not key.request_id:
        return None
    who = caller()
    name = session.scalar(
        sa.select(Requests.resource).where(
            Requests.artist == who.artist,
            Requests.principal == who.principal,
            Requests.method == key.method,
            Requests.request_id == key.request_id,
        )
    )
    return earlier(session, key, name, clock) if name else None


def changed_meanwhile(name: str) -> EtagMismatch:
    """The error of a change that came second."""
    return EtagMismatch(f"{name} has changed since it was read; read it again and repeat")


def give_back(session: Session, ground: Ground, artist: str, principal: str, asset: str, holder: str) -> None:
    """Remember, with this transaction, to give a hold back."""
    session.add(
        HoldReleases(
            uid=new_uid(),
            artist=artist,
            principal=principal,
            asset=asset,
            holder=holder,
            due_time=ground.clock.now(),
            failures=0,
        )
    )


class SqlReleases:
    """Holds that are to be given back, in SQL."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def add(self, asset: str, holder: str) -> None:
        """Remember to give a hold of the current caller back."""
        who = caller()
        with self._ground.db.transaction(artist_scope(who.artist)) as session:
            give_back(session, self._ground, who.artist, who.principal, asset, holder)

    def due(self, limit: int) -> list[HoldRelease]:
        """Those whose time has come, of all artists."""
        with self._ground.db.transaction(system_scope("releases"), write=False) as session:
            rows: Sequence[HoldReleases] = session.scalars(
                sa.select(HoldReleases)
                .where(HoldReleases.due_time <= self._ground.clock.now())
                .order_by(HoldReleases.due_time)
                .limit(limit)
            ).all()
            return [
                HoldRelease(row.uid, row.artist, row.principal, row.asset, row.holder, row.failures) for row in rows
            ]

    def done(self, release: HoldRelease) -> None:
        """Forget one that was given back."""
        with self._ground.db.transaction(system_scope("releases")) as session:
            session.execute(sa.delete(HoldReleases).where(HoldReleases.uid == release.uid))

    def postpone(self, release: HoldRelease) -> None:
        """Try one again later."""
        wait_s = _RETRY_S[min(release.failures, len(_RETRY_S) - 1)]
        due = self._ground.clock.now() + timedelta(seconds=wait_s)
        with self._ground.db.transaction(system_scope("releases")) as session:
            session.execute(
                sa.update(HoldReleases)
                .where(HoldReleases.uid == release.uid)
                .values(due_time=due, failures=release.failures + 1)
            )
