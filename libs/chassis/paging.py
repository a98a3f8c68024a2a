import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from chassis.errors import PageTokenInvalid, require

T = TypeVar("T")
DEFAULT_SIZE, MAX_SIZE = 50, 1000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of the items, and the token that gives the next ones; an empty token ends the list."""

    items: list[T]
    next_page_token: str = ""


def page_size(size: int) -> int:
    """The size to use for the size that was asked for: 0 gives 50, above 1000 gives 1000."""
    require(size >= 0, "page_size", "0 or more")
    return min(size or DEFAULT_SIZE, MAX_SIZE)


class Pager:
    """Keyset pages, newest first; the key signs the page tokens and is shared by all processes of a service."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def page(
        self,
        session: Session,
        select: sa.Select[T],
        *,
        order: Sequence[InstrumentedAttribute[Any]],
        size: int = 0,
        token: str = "",
        filter: str = "",
    ) -> tuple[list[T], str]:
        """The rows after the token in descending order, and the next token.

        Args:
            session: Where the rows are.
            select: One entity with its conditions.
            order: Columns that together are unique, as (create_time, uid); none may be null.
            size: As asked for by the caller.
            token: From the page before, or empty.
            filter: Text of everything that chose the rows (parent, filter); a token holds for the same text alone.

        Raises:
            PageTokenInvalid: The token is not ours or was made for another filter.
        """
        limit = page_size(size)
        bound = hashlib.sha256("\0".join((filter, *(str(column) for column in order))).encode()).hexdigest()[:16]
        if token:
            after = [sa.literal(_parse(value), column.type) for value, column in self._open(token, bound, order)]
            select = select.where(sa.tuple_(*order) < sa.tuple_(*after))
        rows = list(session.scalars(select.order_by(*(column.desc() for column in order)).limit(limit + 1)))
        if len(rows) <= limit:
            return rows, ""
        return rows[:limit], self.seal([bound, *(_plain(getattr(rows[limit - 1], column.key)) for column in order)])

    def seal(self, record: list[Any]) -> str:
        """An opaque signed token of a small JSON list."""
        body = json.dumps(record, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._sign(body) + body).decode().rstrip("=")

    def unseal(self, token: str) -> list[Any]:
        """The list that `seal` was given, or PageTokenInvalid."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise _invalid("is not one of ours") from error
        if not hmac.compare_digest(raw[:16], self._sign(raw[16:])):
            raise _invalid("is not one of ours")
        return list(json.loads(raw[16:]))

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:16]

    def _open(
        self, token: str, bound: str, order: Sequence[InstrumentedAttribute[Any]]
    ) -> list[tuple[Any, InstrumentedAttribute[Any]]]:
        made_for, *values = self.unseal(token)
        if made_for != bound or len(values) != len(order):
            raise _invalid("was made for another parent, filter or order")
        return list(zip(values, order, strict=True))


def _plain(value: object) -> object:
    return {"t": value.isoformat()} if isinstance(value, datetime) else value


def _parse(value: Any) -> Any:
    return datetime.fromisoformat(value["t"]) if isinstance(value, dict) else value


def _invalid(fault: str) -> PageTokenInvalid:
    return PageTokenInvalid(f"page_token {fault}; ask for the first page again with an empty page_token")
