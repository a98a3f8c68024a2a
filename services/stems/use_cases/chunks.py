"""Publishes the beginning of stems while the rest is being made."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from chassis.clock import Clock
from chassis.errors import Aborted, Unavailable
from chassis.logs import get_logger
from services.stems.domain import Audio, Blobs, Block, Chunk, ChunkPart, Float32, Recording, Separation, Store
from services.stems.use_cases.course import LOOK_S, Course

log = get_logger(__name__)

# Chunks begin at the same frames whenever the work begins anew: short ones first, so that listening can begin.
_SHORT_CHUNKS, _SHORT_S, _LONG_S = 3, 2, 8
_MEDIA_TYPES = {".flac": "audio/flac", ".wav": "audio/wav", ".mp3": "audio/mpeg"}
# A chunk is published within this time after the engine gave it, or the engine waits.
_AHEAD = 2
_RETRIES_S = (1.0, 2.0, 4.0)


def chunk_frames(index: int, rate_hz: int) -> int:
    """Length of a chunk, unless the recording ends in it."""
    return rate_hz * (_SHORT_S if index < _SHORT_CHUNKS else _LONG_S)


@dataclass(frozen=True, slots=True)
class Publisher:
    """Makes chunks of one separation's stems playable; a chunk that cannot be published ends that, not the work."""

    store: Store
    blobs: Blobs
    audio: Audio
    clock: Clock

    def begin(self, separation: Separation, mix: Recording, folder: Path) -> Chunks:
        """Chunks in the order in which their stretches come; close it."""
        place = folder / "chunks"
        place.mkdir()
        return Chunks(lambda index, start, stems: self._publish(separation, mix, place, (index, start), stems), mix)

    def _publish(self, separation: Separation, mix: Recording, folder: Path, at: tuple[int, int], stems: Block) -> None:
        files = self.audio.encode_chunk(stems, mix.rate_hz, separation.order.output_format, folder)
        index, start = at
        top = separation.chunk_folder
        parts = tuple(
            ChunkPart(stem, f"{top}{index}-{stem}{path.suffix}", _MEDIA_TYPES[path.suffix])
            for stem, path in files.items()
        )
        count = len(next(iter(stems.values())))
        self._insist(lambda: self._store(separation, Chunk(index, start, count, mix.rate_hz, parts), files))
        for path in files.values():
            path.unlink()

    def _store(self, separation: Separation, chunk: Chunk, files: dict[str, Path]) -> None:
        for part in chunk.parts:
            self.blobs.put(part.object_key, files[part.stem], part.media_type)
        self.store.add_chunk(separation, chunk)

    def _insist(self, attempt: Callable[[], None]) -> None:
        for wait_s in _RETRIES_S:
            try:
                return attempt()
            except Unavailable:
                self.clock.sleep(wait_s)
        attempt()


@dataclass(slots=True)
class Chunks:
    """Cuts stretches into chunks and publishes them in a thread of its own, in order.

    Args:
        publish: Takes index, first frame and stems of a chunk.
        mix: The whole recording.
    """

    publish: Callable[[int, int, Block], None]
    mix: Recording
    _index: int = 0
    _start: int = 0
    _held: dict[str, list[Float32]] = field(default_factory=dict)
    _ready: queue.Queue[tuple[int, int, Block] | None] = field(default_factory=lambda: queue.Queue(_AHEAD))
    _error: Exception | None = None
    _is_over: bool = False
    _thread: threading.Thread | None = None

    def add(self, stems: Block, course: Course) -> None:
        """Take the next stretch; raises when another worker has the separation by now."""
        for name, frames in stems.items():
            self._held.setdefault(name, []).append(frames)
        for chunk in self._complete():
            self._hand_over(chunk, course)

    def finish(self, course: Course) -> None:
        """Return once all was published, or it was given up."""
        if self._thread is not None:
            self._hand_over(None, course)
            while self._thread.is_alive():
                self._thread.join(LOOK_S)
                course.beat()
        self._check()

    def close(self) -> None:
        """Publish no more; a repeat does nothing."""
        self._is_over = True

    def _complete(self) -> Iterator[tuple[int, int, Block]]:
        whole = {name: np.concatenate(pieces) for name, pieces in self._held.items()}
        there = len(next(iter(whole.values()), ()))
        taken = 0
        while True:
            wanted = min(chunk_frames(self._index, self.mix.rate_hz), self.mix.frame_count - self._start)
            if wanted <= 0 or there - taken < wanted:
                break
            yield self._index, self._start, {name: frames[taken : taken + wanted] for name, frames in whole.items()}
            self._index, self._start, taken = self._index + 1, self._start + wanted, taken + wanted
        self._held = {name: [frames[taken:]] for name, frames in whole.items()}

    def _hand_over(self, chunk: tuple[int, int, Block] | None, course: Course) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=copy_context().run, args=(self._work,), name="chunks", daemon=True)
            self._thread.start()
        while not self._is_over:
            try:
                self._ready.put(chunk, timeout=LOOK_S)
                break
            except queue.Full:
                course.beat()
        self._check()

    def _work(self) -> None:
        while (chunk := self._next()) is not None:
            try:
                self.publish(*chunk)
            except Aborted as error:
                self._error, self._is_over = error, True
            except Exception as error:
                if not self._is_over:
                    log.warning("chunks_given_up", index=chunk[0], exc_info=error)
                self._is_over = True

    def _next(self) -> tuple[int, int, Block] | None:
        while not self._is_over:
            try:
                return self._ready.get(timeout=LOOK_S)
            except queue.Empty:
                continue
        return None

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
