"""Finished files become assets of the artist."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from chassis.clock import Clock
from chassis.errors import Aborted, AppError, Cancelled, DeadlineExceeded, NotFound, ResourceExhausted, Unavailable
from services.stems.domain import Assets, Blobs, Encoded, Separation, Stem
from services.stems.use_cases.course import LOOK_S, Course

T = TypeVar("T")

# The assets service measures each file in a process of its own, two at once by default.
_SIDE_BY_SIDE = 2
_TRIES = 6
_LONGEST_WAIT_S = 30.0
# Of a file that was just written here it says that measuring took too long, on a machine that is too busy.
_UNREADABLE, _UNREADABLE_TRIES = "AUDIO_UNREADABLE", 2


@dataclass(frozen=True, slots=True)
class Keeper:
    """Stores stems side by side; a repeat finds what is stored already and stores nothing twice."""

    assets: Assets
    blobs: Blobs
    clock: Clock

    def keep(
        self, encoded: Encoded, separation: Separation, course: Course, *, from_percent: float
    ) -> tuple[Stem, ...]:
        """The stems as assets, each held for the separation.

        Of a run that ends otherwise none is held, unless another worker may have it by now and hold them itself.
        """
        stop = threading.Event()
        errand = _Errand(self, separation, stop)
        with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="stem") as threads:
            adopted = {
                stem: threads.submit(copy_context().run, errand.adopt, stem, path)
                for stem, path in encoded.files.items()
            }
            try:
                waiting = set(adopted.values())
                while waiting:
                    done, waiting = wait(waiting, LOOK_S, return_when="FIRST_EXCEPTION")
                    for future in done:
                        future.result()
                    share = 1 - len(waiting) / len(adopted)
                    course.at(from_percent + share * (100 - from_percent), "storing")
            except BaseException as error:
                stop.set()
                threads.shutdown(cancel_futures=True)
                self._let_go(errand.held, separation, course, error)
                raise
        return tuple(Stem(stem, future.result()) for stem, future in adopted.items())

    def release(self, assets: Iterable[str], separation: Separation) -> None:
        """Let go of assets that the separation does not need; those that cannot be reached stay held."""
        for asset in assets:
            with suppress(Unavailable, NotFound):
                self.assets.release(asset, separation.name)

    def _let_go(self, held: list[str], separation: Separation, course: Course, error: BaseException) -> None:
        if isinstance(error, Aborted):
            return
        # Not from a run whose lease is lost without its knowing: the holder's name is the same for the next one.
        with suppress(Cancelled, Aborted):
            if not isinstance(error, Cancelled):
                course.beat()
            self.release(held, separation)


@dataclass(slots=True)
class _Errand:
    keeper: Keeper
    separation: Separation
    stop: threading.Event
    held: list[str] = field(default_factory=list)

    def adopt(self, stem: str, path: Path) -> str:
        """The asset made of the file, held; the same for the same bytes."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        asset = self._stored(stem, path, digest)
        self._insist(lambda: self.keeper.assets.hold(asset, self.separation.name))
        self.held.append(asset)
        return asset

    def _stored(self, stem: str, path: Path, digest: str) -> str:
        keeper, separation = self.keeper, self.separation
        media_type, size_bytes = separation.order.output_format.media_type, path.stat().st_size
        upload = self._insist(
            lambda: keeper.assets.open_upload(separation.artist, digest, size_bytes, media_type, stem)
        )
        if upload.asset:
            return upload.asset
        self._insist(lambda: keeper.blobs.put(upload.object_key, path, media_type))
        return self._insist(lambda: keeper.assets.complete_upload(upload))

    def _insist(self, attempt: Callable[[], T]) -> T:
        """What the attempt gives; a busy or absent service is asked again for some minutes.

        A stem costs far more than the wait: without it the whole separation would begin again.
        """
        for number in range(_TRIES):
            self._check()
            try:
                return attempt()
            except AppError as error:
                if not _may_repeat(error, number + 1):
                    raise
                self._pause(min(_LONGEST_WAIT_S, error.retry_after_s or 2.0**number))
        raise AssertionError("the last try gives or raises")

    def _pause(self, seconds: float) -> None:
        end_s = self.keeper.clock.monotonic() + seconds
        while (left_s := end_s - self.keeper.clock.monotonic()) > 0:
            self._check()
            self.keeper.clock.sleep(min(LOOK_S, left_s))

    def _check(self) -> None:
        if self.stop.is_set():
            raise _Stopped("the run has ended")


def _may_repeat(error: AppError, tries: int) -> bool:
    if error.reason == _UNREADABLE:
        return tries < _UNREADABLE_TRIES
    return isinstance(error, Unavailable | ResourceExhausted | DeadlineExceeded) and tries < _TRIES


class _Stopped(Exception):
    """Ends what is left of a run; nobody hears it."""
