import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from chassis.errors import NotFound, ResourceExhausted, require
from chassis.objects.parts import ObjectRange, Part, Tell, untold

CHUNK = 1 << 20
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~=+@-]*(/[A-Za-z0-9_][A-Za-z0-9._~=+@-]*)*")


class ObjectNotFound(NotFound):
    """There is no object with this key."""

    REASON = "OBJECT_NOT_FOUND"


class ObjectTooLarge(ResourceExhausted):
    """The object is larger than the reader takes at once."""

    REASON = "OBJECT_TOO_LARGE"


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What is known of a stored object."""

    key: str
    size_bytes: int
    sha256: str | None  # known to its writer only
    media_type: str | None
    update_time: datetime
    etag: str = ""


def check_key(key: str) -> str:
    """The key itself if it is one: segments of letters, digits and `._~=+@-`, none of which begins with a dot."""
    require(len(key) <= 1024 and _KEY.fullmatch(key) is not None, "key", f"an object key, not {key!r}")
    return key


class ObjectWriter(Protocol):
    """An object in the making; it exists for readers after `commit` alone, and leaving without it drops it."""

    def write(self, data: bytes) -> None:
        """Append bytes."""
        ...

    def commit(self) -> ObjectInfo:
        """The finished object, with its size and SHA-256."""
        ...

    def abort(self) -> None:
        """Drop what was written; nothing after a commit."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.abort()


class ObjectStore(Protocol):
    """Objects by key; every method raises DependencyUnavailable("objects") when the store is away."""

    def writer(self, key: str, *, media_type: str = "application/octet-stream") -> ObjectWriter:
        """A writer for a new object under the key; replaces an older one at commit."""
        ...

    def read(self, key: str, *, offset: int = 0, length: int | None = None, chunk: int = CHUNK) -> Iterator[bytes]:
        """The bytes from `offset` in pieces of at most `chunk`; none beyond the end."""
        ...

    def head(self, key: str) -> ObjectInfo | None:
        """What is known of the object, None if there is none."""
        ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object whose key begins with the prefix, in no particular order."""
        ...

    def copy(self, source: str, target: str) -> None:
        """A second object with the same bytes, made without carrying them through this process where possible."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing if there is none."""
        ...

    def compose(
        self, key: str, parts: Sequence[Part], *, media_type: str = "application/octet-stream", tell: Tell = untold
    ) -> ObjectInfo:
        """One object of the parts in order, by the server itself where it can; nothing is left of one that fails."""
        done = 0
        with self.writer(key, media_type=media_type) as writer:
            for part in parts:
                for piece in [part] if isinstance(part, bytes) else self.read_range(part):
                    writer.write(piece)
                    done += len(piece)
                    tell(done)
            return writer.commit()

    def read_range(self, part: ObjectRange) -> Iterator[bytes]:
        """The bytes of the range in pieces; ObjectNotFound if there are fewer of them."""
        left = part.length
        for piece in self.read(part.key, offset=part.offset, length=part.length):
            left -= len(piece)
            yield piece
        if left:
            raise ObjectNotFound(f"object {part.key} ends {left} bytes too early")

    def drop_unfinished(self, before: datetime) -> int:
        """Remove what writers that died left behind before that moment; gives how many."""
        return 0

    def sign_get(self, key: str, *, expires_s: int, filename: str | None = None) -> str | None:
        """A link that reads the object until it expires; None if this store cannot sign."""
        return None

    def sign_put(self, key: str, *, size_bytes: int, expires_s: int, media_type: str) -> str | None:
        """A link that stores exactly so many bytes of that type; None if this store cannot sign."""
        return None

    def ping(self) -> None:
        """Nothing if the store answers."""

    def put(
        self,
        key: str,
        data: bytes | BinaryIO | Path | Iterable[bytes],
        *,
        media_type: str = "application/octet-stream",
    ) -> ObjectInfo:
        """Store the data under the key and give its facts."""
        with self.writer(key, media_type=media_type) as writer:
            for piece in _pieces(data):
                writer.write(piece)
            return writer.commit()

    def read_bytes(self, key: str, *, limit: int) -> bytes:
        """The whole object, or ObjectTooLarge if it has more than `limit` bytes."""
        data = b"".join(self.read(key, length=limit + 1))
        if len(data) > limit:
            raise ObjectTooLarge(f"object has more than {limit} bytes; read it in pieces")
        return data

    def fetch(self, key: str, path: Path) -> None:
        """Download the object to a file."""
        with path.open("wb") as file:
            for piece in self.read(key):
                file.write(piece)


def _pieces(data: bytes | BinaryIO | Path | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(data, bytes | bytearray | memoryview):
        yield bytes(data)
    elif isinstance(data, Path):
        with data.open("rb") as file:
            yield from _pieces(file)
    elif (read := getattr(data, "read", None)) is not None:
        while piece := read(CHUNK):
            yield piece
    else:
        yield from data
