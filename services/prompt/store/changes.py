"""Compare-and-set on rows with a revision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.errors import EtagMismatch

Row = TypeVar("Row", bound=Any)


def change(
    session: Session,
    row: Row,
    key: Sequence[sa.ColumnElement[bool]],
    etag: str,
    etag_of_row: Callable[[Row], str],
    clock: Clock,
    columns: dict[str, Any],
) -> None:
    """Write the columns over the row if it still is as it was read and has the etag (unless empty or `*`).

    Raises:
        EtagMismatch: Somebody changed it.
    """
    check_etag(row, etag, etag_of_row)
    kind = type(row)
    now = max(clock.now(), row.update_time)
    statement = (
        sa.update(kind)
        .where(*key, kind.revision == row.revision)
        .values(**columns, revision=row.revision + 1, update_time=now)
        .execution_options(synchronize_session=False)
    )
    if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]
        raise _changed()
    session.refresh(row)


def check_etag(row: Row, etag: str, etag_of_row: Callable[[Row], str]) -> None:
    """Nothing if the etag is the row's, empty or `*`, else EtagMismatch."""
    if etag not in {"", "*", etag_of_row(row)}:
        raise _changed()


def _changed() -> EtagMismatch:
    return EtagMismatch("the resource changed since you read it; read it again and repeat the change with its new etag")
