from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ObjectRange:
    """Bytes inside a stored object."""

    key: str
    offset: int
    length: int


Part = bytes | ObjectRange  # of an object that is composed
Tell = Callable[[int], None]  # takes the number of bytes done so far; may raise to stop


def untold(_done: int) -> None:
    """Nobody wants to know."""
