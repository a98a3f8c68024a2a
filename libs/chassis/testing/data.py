import hashlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.orm import DeclarativeBase

from chassis.clock import Clock, SystemClock
from chassis.db import Database
from chassis.objects.port import CHUNK, ObjectInfo, ObjectNotFound, ObjectStore, ObjectWriter, check_key


def sqlite_database(folder: Path, base: type[DeclarativeBase]) -> Database:
    """A new SQLite database in the folder with all tables of the base; close it when done."""
    schema = str(base.metadata.info.get("schema", "test"))
    database = Database(f"sqlite:///{folder}/{schema}.db", schema)
    base.metadata.create_all(database.engine)
    return database


class MemoryStore(ObjectStore):
    """An object store in a dictionary."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.objects: dict[str, tuple[bytes, ObjectInfo]] = {}

    def writer(self, key: str, *, media_type: str = "application/octet-stream") -> ObjectWriter:
        """A writer that stores at commit."""
        return _MemoryWriter(self, check_key(key), media_type)

    def read(self, key: str, *, offset: int = 0, length: int | None = None, chunk: int = CHUNK) -> Iterator[bytes]:
        """The bytes from `offset` in pieces of at most `chunk`."""
        data, _info = self._found(key)
        wanted = data[offset:] if length is None else data[offset : offset + length]
        return (wanted[at : at + chunk] for at in range(0, len(wanted), chunk))

    def head(self, key: str) -> ObjectInfo | None:
        """What is known of the object."""
        found = self.objects.get(check_key(key))
        return found and found[1]

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object whose key begins with the prefix."""
        return (info for key, (_data, info) in sorted(self.objects.items()) if key.startswith(prefix))

    def copy(self, source: str, target: str) -> None:
        """A second object with the same bytes."""
        data, info = self._found(source)
        self.put(target, data, media_type=info.media_type or "application/octet-stream")

    def delete(self, key: str) -> None:
        """Remove the object."""
        self.objects.pop(check_key(key), None)

    def ping(self) -> None:
        """Nothing: memory is there."""

    def keep(self, key: str, data: bytes, media_type: str) -> ObjectInfo:
        """Store the finished object."""
        digest = hashlib.sha256(data).hexdigest()
        info = ObjectInfo(key, len(data), digest, media_type, self._clock.now(), digest[:32])
        self.objects[key] = (data, info)
        return info

    def _found(self, key: str) -> tuple[bytes, ObjectInfo]:
        if check_key(key) not in self.objects:
            raise ObjectNotFound(f"no object {key}")
        return self.objects[key]


class _MemoryWriter(ObjectWriter):
    def __init__(self, store: MemoryStore, key: str, media_type: str) -> None:
        self._store, self._key, self._media_type, self._data = store, key, media_type, bytearray()

    def write(self, data: bytes) -> None:
        self._data += data

    def commit(self) -> ObjectInfo:
        return self._store.keep(self._key, bytes(self._data), self._media_type)

    def abort(self) -> None:
        self._data.clear()
