"""Caption runs: captions written for many items, one by one, without touching what a person wrote."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chassis.errors import FailedPrecondition, NotFound
from chassis.ids import format_name
from chassis.paging import Page
from services.datasets.domain.captions import CaptionSource
from services.datasets.domain.exports import JobState
from services.datasets.domain.items import ItemState, TrainingItem
from services.datasets.domain.ports import RequestKey

NAME = "artists/{artist}/caption-runs/{caption_run}"
COLLECTION = "caption-runs"
MAX_ITEMS = 10_000
MAX_HINT = 300


class CaptionRunNotFound(NotFound):
    """There is no such caption run."""

    REASON = "CAPTION_RUN_NOT_FOUND"


class NothingToCaption(FailedPrecondition):
    """No item wants a caption."""

    REASON = "NOTHING_TO_CAPTION"


class Outcome(enum.StrEnum):
    """What became of one item."""

    OPEN = ""  # it has not been its turn
    ACCEPTED = "ACCEPTED"
    PROPOSED = "PROPOSED"  # the best text breaks rules and waits
    SKIPPED = "SKIPPED"  # left alone
    FAILED = "FAILED"  # no text came of it


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a run."""

    position: int  # 1 for the first
    item_uid: str
    outcome: Outcome = Outcome.OPEN
    caption: str = ""  # the caption resource
    error_code: str = ""  # name of a gRPC code
    error_reason: str = ""
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class CaptionRun:
    """Captions being written for many items."""

    artist: str
    uid: str
    principal: str
    create_time: datetime
    update_time: datetime
    item_count: int
    prompt_version: str = ""
    hint: str = ""
    rewrite_generated: bool = False
    accepted_count: int = 0
    proposed_count: int = 0
    skipped_count: int = 0
    failed_count: int = 0
    cost_usd_micros: int = 0
    state: JobState = JobState.QUEUED
    progress_percent: float = 0.0
    stage: str = ""
    attempt: int = 0
    eta_s: float | None = None
    error_reason: str = ""
    error_message: str = ""
    end_time: datetime | None = None

    @property
    def name(self) -> str:
        """Its resource name."""
        return format_name(NAME, artist=self.artist, caption_run=self.uid)

    @property
    def etag(self) -> str:
        """Changes with every change that a reader sees; progress is not one."""
        done = self.accepted_count + self.proposed_count + self.skipped_count + self.failed_count
        return f"{self.state.value.lower()}-{done}-{self.uid[-12:]}"


class CaptionRunStore(Protocol):
    """Caption runs of all artists."""

    def add(self, run: CaptionRun, item_uids: Sequence[str], key: RequestKey) -> CaptionRun:
        """The stored run, queued; a repeat gives what the first one made."""
        ...

    def replayed(self, artist: str, key: RequestKey) -> CaptionRun | None:
        """What an earlier request of this key made."""
        ...

    def get(self, artist: str, uid: str) -> CaptionRun:
        """The run, or CaptionRunNotFound."""
        ...

    def page(self, artist: str, *, size: int, token: str) -> Page[CaptionRun]:
        """Runs, newest first."""
        ...

    def entries(self, artist: str, uid: str, *, only_open: bool = False) -> list[Entry]:
        """Its items in order."""
        ...

    def settle(
        self,
        run: CaptionRun,
        fence: int,
        entry: Entry,
        *,
        cost_usd_micros: int = 0,
        change: tuple[TrainingItem, TrainingItem] | None = None,
    ) -> None:
        """Commit what became of an item together with the item itself.

        Args:
            run: The run.
            fence: Of the worker's claim.
            entry: With its outcome.
            cost_usd_micros: What the text cost.
            change: The item as it was read and as it is to be; None leaves it.

        Raises:
            LeaseLost: Another worker has the run, or it has ended.
            EtagMismatch: The item is not as it was read.
        """
        ...

    def finish(self, run: CaptionRun, fence: int) -> None:
        """Commit that every item was looked at; LeaseLost if another worker has the run."""
        ...

    def cancel(self, artist: str, uid: str) -> CaptionRun:
        """The run after the wish to stop it."""
        ...


def may_write(item: TrainingItem, run: CaptionRun) -> bool:
    """Whether a run may give the item a caption: never over a person's text, and not over a failed item."""
    if item.state is ItemState.FAILED:
        return False
    return not item.caption or (run.rewrite_generated and item.caption_source is CaptionSource.GENERATED)


def request_of(run: CaptionRun, entry: Entry, item: TrainingItem) -> str:
    """The id under which the item's caption is asked for: the same as long as what it is written from is."""
    audio = item.audio.asset if item.audio else ""
    facts = (run.uid, str(entry.position), item.live_set, audio, f"{item.tempo_bpm:g}", item.key, item.time_signature)
    return f"run-{hashlib.sha256(chr(0).join(facts).encode()).hexdigest()[:40]}"


def same_ground(one: TrainingItem, other: TrainingItem) -> bool:
    """Whether a text for the one is a text for the other: nothing that it is written from or stands in has changed."""
    return one.content_revision == other.content_revision and one.caption_revision == other.caption_revision
