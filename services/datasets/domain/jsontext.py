"""JSON as text: what is taken in, and the one way it is written out."""

from __future__ import annotations

import json
from typing import Any, NoReturn

MAX_DEPTH = 64


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def parse(text: str | bytes) -> Any:
    """The value of a JSON text; stricter than the standard library about what is not JSON.

    Raises:
        ValueError: The text is not JSON, is nested deeper than 64 levels, or holds half a surrogate pair.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        write(value)
    except RecursionError as error:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels") from error
    except UnicodeEncodeError as error:
        raise ValueError("holds half a surrogate pair") from error
    if _depth_exceeds(value, MAX_DEPTH):
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    return value


def write(value: Any) -> bytes:
    """Compact UTF-8 with the keys in their own order; equal values in equal order give equal bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def write_indented(value: Any, *, level: int = 0) -> bytes:
    """UTF-8 indented by two spaces, as it stands inside a document at that level; the first line is not indented."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    return text.replace("\n", "\n" + "  " * level).encode()


def ordered(value: Any, *keys: str) -> Any:
    """The same value with the keys of every object in one order: those named first, then by name.

    Protobuf and databases keep objects without an order of their own.
    """
    if isinstance(value, dict):
        known = [key for key in keys if key in value]
        return {key: ordered(value[key], *keys) for key in known + sorted(set(value) - set(known))}
    return [ordered(item, *keys) for item in value] if isinstance(value, list) else value


def number(value: float, *, digits: int = 6) -> int | float:
    """The number as a person writes it: rounded, and without a fraction when it has none."""
    rounded = round(float(value), digits)
    return int(rounded) if rounded.is_integer() else rounded


def plain(value: Any) -> Any:
    """The same value with every number written as a person writes it; protobuf knows doubles only."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _depth_exceeds(value: Any, limit: int) -> bool:
    layer = [value]
    for _ in range(limit):
        layer = [item for node in layer for item in _children(node)]
        if not layer:
            return False
    return True


def _children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []
