"""Copying one object store to another, and seeing that content is what its name says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from chassis.objects import ObjectInfo, ObjectNotFound, ObjectStore

# Keys that end with the SHA-256 of what they hold.
_CONTENT = re.compile(r"(?:/blobs/sha256/[0-9a-f]{2}/|/live-sets/)(?P<sha256>[0-9a-f]{64})(?:\.als)?")
_THREADS = 8


@dataclass(slots=True)
class Tally:
    """What happened to the objects of a store.

    Attributes:
        done: Copied, or verified.
        size_bytes: Of those.
        kept: Were in the target already.
        gone: Were removed while the store was read.
        damaged: Keys whose bytes are not what their name says.
    """

    done: int = 0
    size_bytes: int = 0
    kept: int = 0
    gone: int = 0
    damaged: list[str] = field(default_factory=list)


def copy(source: ObjectStore, target: ObjectStore, *, threads: int = _THREADS) -> Tally:
    """Put what the source has into the target as well; what is there with its size and no older stays.

    Nothing is removed from the target. Bytes that are not what their key says are not copied.
    """
    there = {info.key: info for info in target.list("")}

    def one(info: ObjectInfo, tally: Tally) -> None:
        old = there.get(info.key)
        if old and old.size_bytes == info.size_bytes and (_promised(info.key) or old.update_time >= info.update_time):
            tally.kept += 1
            return
        found = source.head(info.key)
        kind = (found and found.media_type) or "application/octet-stream"
        with target.writer(info.key, media_type=kind) as writer:
            if _is_whole(info.key, source.read(info.key), writer.write, tally):
                tally.size_bytes += writer.commit().size_bytes
                tally.done += 1

    return _each(source.list(""), one, threads)


def verify(store: ObjectStore, *, threads: int = _THREADS) -> Tally:
    """Read every object whose key is its content's hash, and compare."""

    def one(info: ObjectInfo, tally: Tally) -> None:
        if _is_whole(info.key, store.read(info.key), lambda _: None, tally):
            tally.size_bytes += info.size_bytes
            tally.done += 1

    return _each((info for info in store.list("") if _promised(info.key)), one, threads)


def _promised(key: str) -> str | None:
    found = _CONTENT.search(key)
    return found and found["sha256"]


def _is_whole(key: str, pieces: Iterator[bytes], take: Callable[[bytes], object], tally: Tally) -> bool:
    digest, promised = hashlib.sha256(), _promised(key)
    for piece in pieces:
        digest.update(piece)
        take(piece)
    if promised and digest.hexdigest() != promised:
        tally.damaged.append(key)
        return False
    return True


def _each(infos: Iterable[ObjectInfo], one: Callable[[ObjectInfo, Tally], None], threads: int) -> Tally:
    """Do it with every object, a bounded number at a time."""
    total = Tally()
    with ThreadPoolExecutor(threads, thread_name_prefix="objects") as pool:
        running: set[Future[Tally]] = set()
        for info in infos:
            if len(running) >= 4 * threads:
                running = _gathered(running, total, FIRST_COMPLETED)
            running.add(pool.submit(_told, one, info))
        _gathered(running, total)
    total.damaged.sort()
    return total


def _told(one: Callable[[ObjectInfo, Tally], None], info: ObjectInfo) -> Tally:
    tally = Tally()
    try:
        one(info, tally)
    except ObjectNotFound:
        tally.gone += 1
    return tally


def _gathered(running: set[Future[Tally]], total: Tally, until: str = "ALL_COMPLETED") -> set[Future[Tally]]:
    ended, left = wait(running, return_when=until)
    for future in ended:
        part = future.result()
        total.done += part.done
        total.size_bytes += part.size_bytes
        total.kept += part.kept
        total.gone += part.gone
        total.damaged += part.damaged
    return left
