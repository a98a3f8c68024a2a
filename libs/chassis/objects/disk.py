import contextlib
import errno
import hashlib
import mimetypes
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from chassis.errors import DependencyUnavailable
from chassis.objects.parts import Part, Tell, untold
from chassis.objects.port import CHUNK, ObjectInfo, ObjectNotFound, ObjectStore, ObjectWriter, check_key

_BUFFER = 256 << 10  # 21 GB/s from the page cache


class DiskStore(ObjectStore):
    """Objects as files below one folder; the media type follows from the key's suffix."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)
        self._drafts = self._root / ".drafts"
        with _answering(""):
            self._drafts.mkdir(parents=True, exist_ok=True)

    def writer(self, key: str, *, media_type: str = "application/octet-stream") -> ObjectWriter:
        """A writer whose file appears under the key at commit."""
        path = self._path(key)
        with _answering(""):
            draft = self._drafts / uuid.uuid4().hex
            return _DiskWriter(self, key, path, draft, draft.open("xb"))

    def read(self, key: str, *, offset: int = 0, length: int | None = None, chunk: int = CHUNK) -> Iterator[bytes]:
        """The bytes from `offset` in pieces of at most `chunk`."""
        path = self._path(key)
        if self.head(key) is None:
            raise ObjectNotFound(f"no object {key}")
        return _pieces(path, key, offset, length, min(chunk, CHUNK))

    def head(self, key: str) -> ObjectInfo | None:
        """What is known of the object."""
        path = self._path(key)
        with _answering(""):
            if path.is_file():
                return _info(key, path.stat())
            self._drafts.stat()  # a store that is not mounted is away, not empty
            return None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object whose key begins with the prefix."""
        folder = prefix.rpartition("/")[0]
        top = self._path(folder) if folder else self._root
        with _answering(""):
            for base, folders, files in os.walk(top):
                folders[:] = [name for name in folders if not name.startswith(".")]
                for path in (Path(base, name) for name in files):
                    key = path.relative_to(self._root).as_posix()
                    with contextlib.suppress(FileNotFoundError):
                        if key.startswith(prefix):
                            yield _info(key, path.stat())

    def copy(self, source: str, target: str) -> None:
        """A second name for the same bytes: files never change once they are committed."""
        path, draft = self._path(target), self._drafts / uuid.uuid4().hex
        with _answering(source):
            os.link(self._path(source), draft)
            _place(draft, path)

    def compose(
        self, key: str, parts: Sequence[Part], *, media_type: str = "application/octet-stream", tell: Tell = untold
    ) -> ObjectInfo:
        """One object of the parts in order; it appears when it is whole."""
        path, draft = self._path(key), self._drafts / uuid.uuid4().hex
        try:
            with _answering(""), draft.open("xb", buffering=0) as file:
                write_parts(self._root, parts, file, tell=tell)
                os.fsync(file.fileno())
                status = draft.stat()
                _place(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        return _info(key, status)

    def drop_unfinished(self, before: datetime) -> int:
        """Remove the drafts of writers that died before that moment; gives how many."""
        with _answering(""):
            found = [path for path in self._drafts.iterdir() if path.exists()]
            old = [path for path in found if path.lstat().st_mtime < before.timestamp()]
            for path in old:
                path.unlink(missing_ok=True)
        return len(old)

    def delete(self, key: str) -> None:
        """Remove the object."""
        with _answering(""):
            self._path(key).unlink(missing_ok=True)

    def ping(self) -> None:
        """Nothing if the folder takes a file."""
        with _answering(""):
            probe = self._drafts / uuid.uuid4().hex
            probe.touch()
            probe.unlink()

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)


def write_parts(root: Path, parts: Iterable[Part], out: BinaryIO, *, tell: Tell = untold) -> int:
    """Write the parts in order into the file, objects being files below the root; gives the number of bytes.

    Raises:
        ObjectNotFound: An object is gone or shorter than the range that is wanted of it.
    """
    done, buffer = 0, memoryview(bytearray(_BUFFER))
    for part in parts:
        if isinstance(part, bytes):
            out.write(part)
            done += len(part)
            tell(done)
            continue
        left = part.length
        with _answering(part.key), (root / check_key(part.key)).open("rb", buffering=0) as file:
            file.seek(part.offset)
            while left and (count := file.readinto(buffer[: min(left, _BUFFER)])):
                out.write(buffer[:count])
                left -= count
                done += count
                tell(done)
        if left:
            raise ObjectNotFound(f"object {part.key} ends {left} bytes too early")
    return done


class _DiskWriter(ObjectWriter):
    def __init__(self, store: DiskStore, key: str, path: Path, draft: Path, file: BinaryIO) -> None:
        self._store, self._key, self._path, self._draft, self._file = store, key, path, draft, file
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        with _answering(""):
            self._file.write(data)
        self._hash.update(data)

    def commit(self) -> ObjectInfo:
        with _answering(""):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            status = self._draft.stat()
            _place(self._draft, self._path)
        return _info(self._key, status, self._hash.hexdigest())

    def abort(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
            self._draft.unlink(missing_ok=True)


def _place(draft: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(path)
    draft.unlink(missing_ok=True)  # a rename onto another link of the same file does nothing
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _pieces(path: Path, key: str, offset: int, length: int | None, chunk: int) -> Iterator[bytes]:
    with _answering(key), path.open("rb") as file:
        file.seek(offset)
        left = length
        while piece := file.read(chunk if left is None else min(chunk, left)):
            left = left and left - len(piece)
            yield piece


def _info(key: str, status: os.stat_result, sha256: str | None = None) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size_bytes=status.st_size,
        sha256=sha256,
        media_type=mimetypes.guess_type(key)[0],
        update_time=datetime.fromtimestamp(status.st_mtime, UTC),
        etag=f"{status.st_mtime_ns:x}-{status.st_size:x}",
    )


@contextlib.contextmanager
def _answering(key: str) -> Iterator[None]:
    """A block in which a missing file of `key` is ObjectNotFound and every other fault of the disk Unavailable."""
    try:
        yield
    except OSError as error:
        if key and error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise ObjectNotFound(f"no object {key}") from error
        raise DependencyUnavailable("objects", f"the object store answers {error.strerror}; repeat later") from error
