import hashlib
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.clock import Clock
from chassis.context import Caller, mark_replayed
from chassis.db import UtcDateTime
from chassis.errors import RequestIdReused, require

KEPT = timedelta(hours=24)


class RequestsMixin:
    """Columns of a service's `requests` table: which request made which resource, kept for 24 hours."""

    __tablename__ = "requests"

    artist: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    principal: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    method: Mapped[str] = mapped_column(sa.String(128), primary_key=True)
    request_id: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    resource: Mapped[str] = mapped_column(sa.String(512))
    create_time: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def once(
    session: Session,
    table: type[Any],
    *,
    caller: Caller,
    method: str,
    request_id: str,
    fingerprint: bytes | str,
    resource: str,
    clock: Clock,
) -> str | None:
    """None if this request is new (it is now recorded), else the name of the resource that it made before.

    A caller without a request id is always new. The record commits or rolls back with the session.

    Raises:
        RequestIdReused: The same id came before with another body.
    """
    if not request_id:
        return None
    require(len(request_id) <= 255, "request_id", "1 to 255 characters")
    body = fingerprint.encode() if isinstance(fingerprint, str) else fingerprint
    digest, now = hashlib.sha256(body).hexdigest(), clock.now()
    session.execute(sa.delete(table).where(table.artist == caller.artist, table.create_time < now - KEPT))
    key = {"artist": caller.artist, "principal": caller.principal, "method": method, "request_id": request_id}
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = {**key, "fingerprint": digest, "resource": resource, "create_time": now}
    # On Postgres a concurrent twin waits here until the first one commits, then finds its row.
    added = insert(table).values(row).on_conflict_do_nothing().returning(table.request_id)
    if session.execute(added).one_or_none() is not None:
        return None
    earlier = session.execute(sa.select(table.fingerprint, table.resource).filter_by(**key)).one()
    if earlier.fingerprint != digest:
        raise RequestIdReused(
            f"request id {request_id!r} was used for another {method}; send a new id with a new body",
            metadata={"request_id": request_id, "resource": earlier.resource},
        )
    mark_replayed()
    return str(earlier.resource)
