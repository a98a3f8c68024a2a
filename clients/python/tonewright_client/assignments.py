"""Options that are given as `name=value`, checked against the names and types that there are."""

from __future__ import annotations

from collections.abc import Iterable
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_YES, _NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


class AssignmentInvalid(Exception):
    """There is no such name, or the value is of another kind."""


def assigned(pairs: Iterable[str], fields: type) -> dict[str, Any]:
    """The values of `name=value` pairs.

    Args:
        pairs: As a person gives them.
        fields: A TypedDict with the names and their types: bool, int, float, str or a choice of words.

    Raises:
        AssignmentInvalid: The message says which names there are, or what the value may be.
    """
    known = get_type_hints(fields)
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name not in known:
            raise AssignmentInvalid(f"{pair!r} is not NAME=VALUE with NAME one of: {', '.join(known)}")
        found[name] = _value(name, text.strip(), known[name])
    return found


def _value(name: str, text: str, kind: Any) -> Any:
    if get_origin(kind) in (Union, UnionType):
        kind = next(one for one in get_args(kind) if one is not type(None))
    if get_origin(kind) is Literal:
        word = text.upper()
        if word not in get_args(kind):
            raise AssignmentInvalid(f"{name} is one of: {', '.join(get_args(kind))}; not {text!r}")
        return word
    if kind is bool:
        if text.lower() not in _YES | _NO:
            raise AssignmentInvalid(f"{name} is true or false, not {text!r}")
        return text.lower() in _YES
    try:
        return kind(text)
    except ValueError:
        raise AssignmentInvalid(f"{name} is a number, not {text!r}") from None
