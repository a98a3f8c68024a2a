"""A performance as the process that holds it has it in memory, and what its listeners are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from services.realtime.domain.graph import Graph
from services.realtime.domain.painter import Painter, Slice
from services.realtime.domain.performance import Checkpoint, Performance
from services.realtime.domain.ports import Canvas, Region


@dataclass(frozen=True, slots=True)
class StemsReady:
    """The stems can be blended in."""

    stems: Mapping[str, str]
    separation: str


@dataclass(frozen=True, slots=True)
class StemsFailed:
    """There are no stems; the performance goes on."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Swapped:
    """The loop was replaced; `of` is the message that asked for it, 0 for other listeners."""

    of: int


@dataclass(frozen=True, slots=True)
class SwapFailed:
    """The loop stays as it was."""

    of: int
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The performance has ended: by a `client` or by the `api`."""

    by: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Another process has taken the performance over."""


@dataclass(frozen=True, slots=True)
class Draining:
    """This process goes away soon and serves on until then; connect anew after so many milliseconds."""

    after_ms: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """This process is going away; connect again."""


Event = StemsReady | StemsFailed | Swapped | SwapFailed | Stopped | Moved | Draining | Leaving


class Listener(Protocol):
    """Somebody connected; neither call waits or raises."""

    def hear(self, region: Region, knobs_seq: int, render_s: float) -> None:
        """A region of the loop sounds different now."""
        ...

    def tell(self, event: Event) -> None:
        """Something happened."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """Who turned knobs last, by which message, when, and which repaint it caused."""

    listener: Listener | None
    seq: int
    at_s: float
    revision: int
    is_audible: bool = False


class Live:
    """Everything of one performance; touched by the event loop alone."""

    def __init__(self, performance: Performance, canvas: Canvas, painter: Painter, now_s: float) -> None:
        self.performance = performance
        self.canvas = canvas
        self.painter = painter
        self.listeners: set[Listener] = set()
        self.painting: Slice | None = None
        self.turn: Turn | None = None
        self.swap_count = 0
        self.idle_since_s = now_s
        self.is_held = True

    @property
    def graph(self) -> Graph:
        """What is turned now."""
        return self.performance.graph

    @property
    def epoch(self) -> int:
        """Counts the sources."""
        return self.performance.epoch

    def tell(self, event: Event) -> None:
        """Tell all listeners."""
        for listener in list(self.listeners):
            listener.tell(event)

    def hear(self, region: Region, render_s: float, revision: int) -> None:
        """Let all listeners have a region."""
        turn = self.turn if self.turn is not None and revision >= self.turn.revision else None
        for listener in list(self.listeners):
            listener.hear(region, turn.seq if turn is not None and turn.listener is listener else 0, render_s)

    def checkpoint(self, now_s: float) -> Checkpoint:
        """What another process needs to go on."""
        return Checkpoint(
            uid=self.performance.uid,
            artist=self.performance.artist,
            fence=self.performance.fence,
            revision=self.performance.revision,
            graph=self.graph,
            playhead_frames=self.painter.playhead.in_loop(now_s),
            is_live=bool(self.listeners),
        )
