"""What requests say in headers: repeats, etags, ranges, digests."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from starlette.requests import Request

from chassis.errors import Violation
from services.gateway.errors import HeaderInvalid, IfMatchRequired, RangeUnsatisfiable

_ETAG = re.compile(r'"([\x21\x23-\x7e]*)"')
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_MAX_KEY = 255


def request_id(request: Request) -> str:
    """The `Idempotency-Key`, empty when there is none.

    Raises:
        HeaderInvalid: It is empty, too long, or not printable ASCII.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return ""
    if not 1 <= len(key) <= _MAX_KEY or not key.isascii() or not key.isprintable():
        raise _invalid("Idempotency-Key", f"1 to {_MAX_KEY} printable ASCII characters")
    return key


def sane_request_id(text: str | None) -> str | None:
    """The caller's `X-Request-Id` if it may go into logs."""
    return text if text and _SANE_ID.fullmatch(text) else None


def if_match(request: Request, *, required: bool) -> str:
    """The etag in `If-Match`; empty for `*` and, unless required, for none.

    Raises:
        IfMatchRequired: There is none.
        HeaderInvalid: It is not one strong etag.
    """
    text = request.headers.get("if-match")
    if text is None:
        if required:
            raise IfMatchRequired(
                "this change needs the header If-Match with the ETag of the last answer, so that nobody's "
                "change is lost; read the resource and repeat"
            )
        return ""
    if text.strip() == "*":
        return ""
    match = _ETAG.fullmatch(text.strip())
    if match is None:
        raise _invalid("If-Match", 'one strong ETag in quotes, as "5f1d2c3b", or *')
    return match[1]


def none_match(request: Request, etag: str) -> bool:
    """Whether the caller has this version already, by `If-None-Match`."""
    text = request.headers.get("if-none-match", "")
    return bool(etag) and (text.strip() == "*" or etag in _ETAG.findall(text))


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a content, from `start` up to but not including `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Number of bytes."""
        return self.end - self.start


def byte_range(request: Request, size_bytes: int, etag: str) -> Span | None:
    """The one range that is asked for; None for the whole.

    A range that is malformed, one of several, of another method than GET, or conditional on another version gives the
    whole, as RFC 9110 has it.

    Raises:
        RangeUnsatisfiable: It lies outside the content.
    """
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if match is None or match[1] == match[2] == "" or request.method != "GET":
        return None
    condition = request.headers.get("if-range")
    if condition is not None and condition.strip() != f'"{etag}"':
        return None
    if match[1] == "":
        start, end = max(0, size_bytes - int(match[2])), size_bytes
    else:
        start, end = int(match[1]), min(size_bytes, int(match[2]) + 1 if match[2] else size_bytes)
        if match[2] and int(match[2]) < start:
            return None
    if start >= size_bytes or start >= end:
        raise RangeUnsatisfiable(
            f"the content has {size_bytes} bytes and the range {match[0]} lies outside of it",
            metadata={"size_bytes": str(size_bytes)},
        )
    return Span(start, end)


def announced_digest(request: Request) -> str:
    """The SHA-256 that the body shall have, in hex; empty when none was announced.

    Raises:
        HeaderInvalid: `X-Content-SHA256` or `Content-Digest` cannot be read.
    """
    digest = request.headers.get("x-content-sha256")
    if digest is not None:
        if _HEX.fullmatch(digest) is None:
            raise _invalid("X-Content-SHA256", "64 hexadecimal digits")
        return digest.lower()
    structured = request.headers.get("content-digest")
    if structured is None:
        return ""
    match = _DIGEST.search(structured)
    if match is None:
        return ""
    try:
        raw = base64.b64decode(match[1], validate=True)
    except binascii.Error as error:
        raise _invalid("Content-Digest", "sha-256=:<base64>:") from error
    return raw.hex()


def _invalid(header: str, expectation: str) -> HeaderInvalid:
    return HeaderInvalid(
        f"header {header}: expected {expectation}", violations=[Violation(f"header.{header}", expectation)]
    )
