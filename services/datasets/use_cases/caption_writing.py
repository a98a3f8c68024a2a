"""The worker's side of caption runs: four texts at a time, at the provider's pace, safe to begin again anywhere."""

from __future__ import annotations

import contextvars
import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from chassis.clock import Clock
from chassis.errors import AppError, Code, EtagMismatch, RequestIdReused, Unavailable
from services.datasets.domain import items
from services.datasets.domain.caption_runs import (
    CaptionRun,
    CaptionRunStore,
    Entry,
    Outcome,
    may_write,
    request_of,
    same_ground,
)
from services.datasets.domain.captions import Captions, CaptionSource, CaptionVerdict, CaptionWish, WrittenCaption
from services.datasets.domain.item_ports import ItemStore
from services.datasets.domain.items import TrainingItem
from services.datasets.domain.ports import Report
from services.datasets.use_cases.captioning import SIBLINGS, captioned, proposed

AT_ONCE = 4
_TICK_S = 0.25  # how soon a cancelled run stops
_PATIENCE_S = 60.0  # a longer pause is taken without a worker
_TRIES = 4  # of one text, when the provider fails it
_TURNS = 3  # of one item, when somebody changes it meanwhile
# Nobody answers, or not now: the whole run waits. Anything else is about the one text.
_LATER = (Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED)
_AGAIN = (Code.DEADLINE_EXCEEDED, Code.ABORTED, Code.INTERNAL, Code.UNKNOWN)


class CaptionBench:
    """Writes the captions of a run."""

    def __init__(self, runs: CaptionRunStore, store: ItemStore, captions: Captions, clock: Clock) -> None:
        self._runs, self._store, self._captions, self._clock = runs, store, captions, clock

    def run(self, artist: str, uid: str, fence: int, report: Report) -> None:
        """Look at every item whose turn has not come; a run that was broken off goes on where it stopped."""
        run = self._runs.get(artist, uid)
        pace = _Pace()
        siblings = deque(self._store.captions(artist, limit=SIBLINGS), maxlen=SIBLINGS)
        left = deque(self._runs.entries(artist, uid, only_open=True))
        done, pending = run.item_count - len(left), set[Future[None]]()
        # Not a `with` block: a run that ends early leaves what is under way, which the fence keeps from being kept.
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="captions")
        try:
            while left or pending:
                report(100.0 * done / run.item_count, pace.words(done, run.item_count))
                while left and len(pending) < AT_ONCE:
                    context = contextvars.copy_context()
                    work = _Writing(self, run, fence, pace, siblings)
                    pending.add(pool.submit(context.run, work.settle, left.popleft()))
                ended, pending = wait(pending, timeout=_TICK_S, return_when=FIRST_COMPLETED)
                for future in ended:
                    future.result()
                done += len(ended)
        finally:
            pace.stop()
            pool.shutdown(wait=False, cancel_futures=True)
        self._runs.finish(run, fence)

    @property
    def parts(self) -> tuple[CaptionRunStore, ItemStore, Captions, Clock]:
        """What one text needs."""
        return self._runs, self._store, self._captions, self._clock


class _Writing:
    """One text at a time."""

    def __init__(self, bench: CaptionBench, run: CaptionRun, fence: int, pace: _Pace, siblings: deque[str]) -> None:
        self._runs, self._store, self._captions, self._clock = bench.parts
        self._run, self._fence, self._pace, self._siblings = run, fence, pace, siblings

    def settle(self, entry: Entry) -> None:
        """Write the item's caption, or say why not, and commit that."""
        for _ in range(_TURNS):
            item = self._item(entry)
            if item is None or not may_write(item, self._run):
                break
            try:
                written = self._written(entry, item)
            except AppError as error:
                if self._pace.is_stopped or error.CODE in _LATER:
                    raise
                told = replace(
                    entry,
                    outcome=Outcome.FAILED,
                    error_code=error.CODE.name,
                    error_reason=error.reason,
                    error_message=error.message,
                )
                self._runs.settle(self._run, self._fence, told)
                return
            if self._kept(entry, item, written):
                return
        self._runs.settle(self._run, self._fence, replace(entry, outcome=Outcome.SKIPPED))

    def _item(self, entry: Entry) -> TrainingItem | None:
        return self._store.find(self._run.artist, [entry.item_uid]).get(entry.item_uid)

    def _kept(self, entry: Entry, item: TrainingItem, written: WrittenCaption) -> bool:
        """Whether the text went into the item, which may have been touched where it does not matter."""
        told = replace(
            entry, outcome=Outcome.PROPOSED if written.violations else Outcome.ACCEPTED, caption=written.name
        )
        current: TrainingItem | None = item
        while current is not None and same_ground(item, current) and may_write(current, self._run):
            after = self._with_text(current, written)
            try:
                self._runs.settle(
                    self._run, self._fence, told, cost_usd_micros=written.cost_usd_micros, change=(current, after)
                )
            except EtagMismatch:
                current = self._item(entry)
                continue
            except items.TrainingItemNotFound:
                return False
            if not written.violations:
                self._siblings.append(written.text)
            return True
        return False

    def _with_text(self, item: TrainingItem, written: WrittenCaption) -> TrainingItem:
        now = self._clock.now()
        if written.violations:
            changed = proposed(item, written.text, written.name, written.violations, now=now)
        else:
            verdict = CaptionVerdict(written.text, (), written.warnings)
            provenance = written.provenance | {"source": "generated"}
            changed = captioned(item, verdict, CaptionSource.GENERATED, written.name, provenance)
        return items.edited(item, changed, now=now)

    def _written(self, entry: Entry, item: TrainingItem) -> WrittenCaption:
        wish = CaptionWish(
            live_set=item.live_set,
            asset=item.audio.asset if item.audio else "",
            tempo_bpm=item.tempo_bpm,
            key=item.key,
            time_signature=item.time_signature,
            prompt_version=self._run.prompt_version,
            hint=self._run.hint,
            siblings=_besides(self._siblings, item.caption),
        )
        request_id = request_of(self._run, entry, item)
        tries = 0
        while True:
            self._pace.wait()
            try:
                found = self._asked(wish, request_id)
            except AppError as error:
                tries += 1
                if self._pace.is_stopped:
                    raise
                if error.CODE in _LATER:
                    self._pace.slow_down(error, tries)
                elif error.CODE not in _AGAIN or tries >= _TRIES:
                    raise
                continue
            self._pace.went_well()
            return found

    def _asked(self, wish: CaptionWish, request_id: str) -> WrittenCaption:
        try:
            return self._captions.write(self._run.artist, wish, request_id)
        except AppError as error:
            # The text was written before the run was broken off; beside it stood other captions then.
            if error.reason != RequestIdReused.REASON or "resource" not in error.metadata:
                raise
            return self._captions.get(error.metadata["resource"])


class _Pace:
    """How fast the provider wants to be asked; shared by all texts of a run."""

    def __init__(self) -> None:
        self._resume_s, self._failures, self._reason = 0.0, 0, ""
        self._stopped, self._lock = threading.Event(), threading.Lock()

    @property
    def is_stopped(self) -> bool:
        """Whether the run has ended."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Let nobody wait any longer."""
        self._stopped.set()

    def wait(self) -> None:
        """Return when the provider may be asked again.

        Raises:
            Unavailable: The run has ended meanwhile.
        """
        while (left_s := self._resume_s - time.monotonic()) > 0 and not self._stopped.wait(min(left_s, _TICK_S)):
            pass
        if self._stopped.is_set():
            raise Unavailable("the caption run has ended")

    def went_well(self) -> None:
        """The provider answers."""
        with self._lock:
            self._failures = 0

    def slow_down(self, error: AppError, tries: int) -> None:
        """Pause all texts for as long as the provider wants.

        Raises:
            Unavailable: The pause is so long that the run gives its worker back meanwhile.
        """
        with self._lock:
            self._failures += 1
            grown_s = min(_PATIENCE_S, 0.5 * 2 ** min(tries, 8)) * random.uniform(0.8, 1.2)  # noqa: S311
            pause_s = error.retry_after_s if error.retry_after_s is not None else grown_s
            self._resume_s = max(self._resume_s, time.monotonic() + pause_s)
            self._reason = error.reason
            is_long = pause_s > _PATIENCE_S or self._failures > _TRIES * AT_ONCE
        if is_long:
            raise Unavailable(f"texts cannot be written at the moment: {error.message}", retry_after_s=pause_s)

    def words(self, done: int, count: int) -> str:
        """What to tell of the run now."""
        left_s = self._resume_s - time.monotonic()
        if left_s > 0:
            return f"waiting {left_s:.0f} s: {self._reason}"[:64]
        return f"writing {done:,} of {count:,}"


def _besides(siblings: Sequence[str], own: str) -> tuple[str, ...]:
    return tuple(text for text in list(siblings) if text != own)
