"""Room on disk for running work."""

from __future__ import annotations

import errno
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chassis.errors import Aborted, Cancelled
from services.stems.domain import Model, ScratchFull, SeparationInputTooLong, SourceAsset

# A disk with less than this is full: what a library wrote last did not fit.
_LAST_BYTES = 1 << 20
_AGAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Scratch:
    """Folders for running work, each given only where its files will fit.

    Args:
        root: The folder of this process; it has one to itself.
        limit_bytes: Largest size of all folders together; 0 for what the disk has.
    """

    root: Path
    limit_bytes: int = 0
    _needs: dict[Path, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def folder(self, source: SourceAsset, model: Model, stem_count: int) -> Iterator[Path]:
        """A folder that is gone after the block.

        Raises:
            ScratchFull: There is no room at the moment, or none was left while the block ran.
            SeparationInputTooLong: There will never be room for it here.
        """
        need = needed_bytes(source, model, stem_count)
        with tempfile.TemporaryDirectory(prefix="separation-", dir=self.root, ignore_cleanup_errors=True) as name:
            folder = Path(name)
            self._take(folder, need, source.name)
            try:
                yield folder
            except Exception as error:
                if self._is_full(error):
                    raise self._full(need) from error
                raise
            finally:
                with self._lock:
                    del self._needs[folder]

    def _take(self, folder: Path, need: int, name: str) -> None:
        disk = shutil.disk_usage(self.root)
        largest = min(disk.total, self.limit_bytes or disk.total)
        if need > largest:
            raise SeparationInputTooLong(
                f"{name} needs {need} bytes of scratch space and this worker has {largest}: cut it into parts",
                metadata={"needed_bytes": str(need), "scratch_bytes": str(largest)},
            )
        with self._lock:
            written = {taken: _size(taken) for taken in self._needs}
            free = disk.free - sum(max(0, self._needs[taken] - written[taken]) for taken in self._needs)
            if self.limit_bytes:
                free = min(free, self.limit_bytes - sum(max(self._needs[taken], written[taken]) for taken in written))
            if need > free:
                raise self._full(need)
            self._needs[folder] = need

    def _is_full(self, error: Exception) -> bool:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        # Libraries and children say it in words of their own, or take it for a damaged source.
        is_ended = isinstance(error, Aborted | Cancelled)
        return not is_ended and shutil.disk_usage(self.root).free < _LAST_BYTES

    def _full(self, need: int) -> ScratchFull:
        return ScratchFull(
            f"a worker's scratch space has no room for {need} bytes at the moment; the work begins again by itself",
            metadata={"needed_bytes": str(need)},
            retry_after_s=_AGAIN_S,
        )


def needed_bytes(source: SourceAsset, model: Model, stem_count: int) -> int:
    """The most that a separation of this source writes at once.

    That is first the source beside the mix; then the mix, its copy at the model's rate, and each stem raw and encoded.
    """
    decoded = source.frame_count * min(source.channels, 2) * 4
    copy = 0 if model.rate_hz in (0, source.rate_hz) else decoded * model.rate_hz // source.rate_hz
    return max(source.size_bytes + decoded, decoded * (1 + 2 * stem_count) + copy)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total
