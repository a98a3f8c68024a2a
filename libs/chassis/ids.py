"""Ids that sort by time, and resource names."""

from __future__ import annotations

import re
from functools import lru_cache

import uuid_utils

from chassis.errors import NameInvalid, Violation

# What a caller may choose as an id.
SLUG = re.compile(r"[a-z][a-z0-9-]{2,62}")
# Names become object keys and URL paths: a segment never starts with a dot and never holds a slash or a colon.
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._~@|-]{0,127}"


def new_uid() -> str:
    """A fresh uuid7 as 32 lower-case hex digits; later ones sort later."""
    return str(uuid_utils.uuid7()).replace("-", "")


def parse_name(pattern: str, name: str, *, field: str = "name", wildcards: bool = False) -> dict[str, str]:
    """The parts of a resource name, by the pattern's braces.

    Args:
        pattern: As `artists/{artist}/assets/{asset}`.
        name: What the caller sent.
        field: The request's field, named in the error.
        wildcards: Whether `-` may stand for a part ("any").

    Raises:
        NameInvalid: `name` does not have the pattern.
    """
    match = _compiled(pattern, wildcards).fullmatch(name)
    if match is None:
        shown = name if len(name) <= 200 else name[:200] + "…"
        raise NameInvalid(
            f"{field}: {shown!r} does not have the form {pattern}", violations=[Violation(field, f"the form {pattern}")]
        )
    return match.groupdict()


def format_name(pattern: str, **parts: str) -> str:
    """The resource name that has these parts."""
    return pattern.format(**parts)


@lru_cache(maxsize=256)
def _compiled(pattern: str, wildcards: bool) -> re.Pattern[str]:  # noqa: FBT001
    part = f"(?:{_SEGMENT}|-)" if wildcards else _SEGMENT
    pieces = re.split(r"\{(\w+)\}", pattern)
    return re.compile("".join(f"(?P<{p}>{part})" if i % 2 else re.escape(p) for i, p in enumerate(pieces)))
