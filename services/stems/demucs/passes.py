"""Which networks run over a mix, how often, and how their windows become the sources that are wanted."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.stems.demucs.mixes import MixReader, not_finite
from services.stems.demucs.mounted import MountedModel
from services.stems.demucs.ports import Network
from services.stems.demucs.queues import Segment
from services.stems.demucs.scheduler import Job
from services.stems.demucs.windows import Lane, Merge, OverlapAdd, Window
from services.stems.domain import Float32, ModelUnusable, Parameters


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of one network of a model over the mix."""

    place: int  # of the network in the model
    start: int  # frame at which its first window begins, 0 or before
    factors: Mapping[str, float]  # its share in each source that it counts in


def plan(mounted: MountedModel, sources: Sequence[str], parameters: Parameters) -> tuple[Pass, ...]:
    """The passes that the sources are made of: each network that has a share in them, once per shift.

    Shifts are drawn from the job's own seed, for networks that are left out as well: a source does not depend on
    what else is wanted.

    Raises:
        ModelUnusable: The model has no network for a source.
    """
    names = mounted.model.sources
    shares = mounted.shares or [[1.0] * len(names)] * len(mounted.networks)
    totals = [sum(column) for column in zip(*shares, strict=True)]
    draw = random.Random(parameters.seed)  # noqa: S311  # no secret
    furthest = int(0.5 * mounted.model.rate_hz)
    passes = []
    for place, row in enumerate(shares):
        starts = [draw.randint(0, furthest) - furthest for _ in range(parameters.shifts)] or [0]
        factors = {
            name: share / total / len(starts)
            for name, share, total in zip(names, row, totals, strict=True)
            if name in sources and share
        }
        passes += [Pass(place, start, factors) for start in starts if factors]
    unmade = set(sources) - {name for each in passes for name in each.factors}
    if unmade:
        raise ModelUnusable(f"no network of model {mounted.model.id!r} has a share in {', '.join(sorted(unmade))}")
    return tuple(passes)


def windows_ahead(batch: int) -> int:
    """How many windows a job hands in before it takes the first back: two batches, so that the device never waits."""
    return batch + max(2, batch)


def bytes_for(passes: Sequence[Pass], networks: Mapping[int, Network], overlap: float, batch: int) -> int:
    """Memory of a job's windows and sums at a batch size."""
    window = {place: 4 * network.channels * network.segment_frames for place, network in networks.items()}
    handed_in = max(window[place] * (1 + len(network.sources)) for place, network in networks.items())
    tails = sum(overlap * window[each.place] * len(each.factors) for each in passes)
    sources = {name for each in passes for name in each.factors}
    # Sums, the stretch that is given out and its copy at the mix's rate.
    sums = 4 * len(sources) * max(window.values())
    return int(windows_ahead(batch) * handed_in + tails + sums)


class Run:
    """One job's windows on their way through the scheduler.

    Args:
        passes: From `plan`.
        networks: By place in the model.
        sources: The wanted ones.
        frame_count: Of the prepared mix.
        overlap: Share of a window that it has in common with the next.
        scale: What the sources are multiplied by.
    """

    def __init__(
        self,
        passes: Sequence[Pass],
        networks: Mapping[int, Network],
        sources: tuple[str, ...],
        *,
        frame_count: int,
        overlap: float,
        scale: float,
    ) -> None:
        self._lanes = [Lane(networks[each.place], each.start, frame_count, overlap) for each in passes]
        self._wanted = [_places(lane.network, each) for lane, each in zip(self._lanes, passes, strict=True)]
        self._sums = [OverlapAdd(lane) for lane in self._lanes]
        factors = [{name: share * scale for name, share in each.factors.items()} for each in passes]
        self._merge = Merge(sources, self._lanes[0].network.channels, factors)
        self._early: list[dict[int, tuple[Window, Float32]]] = [{} for _ in passes]
        self._next = [lane.start for lane in self._lanes]

    def stretches(self, job: Job, reader: MixReader, ahead: int, pause_s: float) -> Iterator[dict[str, Float32]]:
        """The sources as far as they come, in order; nothing at least at every pause.

        Args:
            job: Takes the windows; those that wait are dropped when it is closed.
            reader: Of the prepared mix.
            ahead: How many windows are handed in before the first one is taken back.
            pause_s: In seconds.

        Raises:
            SeparationInputNotFinite: The mix, or what the model makes of it, is not finite.
        """
        rest = [lane.windows() for lane in self._lanes]
        # The lane that is least far goes first, so that none holds much that the others have not come to.
        turn = [(lane.start, index) for index, lane in enumerate(self._lanes)]
        handed_in = 0
        while turn or handed_in:
            while turn and handed_in < ahead:
                _, lane = heapq.heappop(turn)
                handed_in += self._hand_in(lane, next(rest[lane], None), job, reader, turn)
            if not handed_in:
                return
            result = job.collect(pause_s)
            if result is None:
                yield {}
                continue
            handed_in -= 1
            (lane, window), made = result
            stretch = self._add(lane, window, made)
            if stretch:
                job.tell_emitted()
            yield stretch

    def _hand_in(
        self, lane: int, window: Window | None, job: Job, reader: MixReader, turn: list[tuple[int, int]]
    ) -> int:
        if window is None:
            return 0
        frames = reader.read(window.read_start, window.read_count)
        job.submit(Segment(self._lanes[lane].network, frames, self._wanted[lane], (lane, window)))
        heapq.heappush(turn, (window.start + self._lanes[lane].stride, lane))
        return 1

    def _add(self, lane: int, window: Window, made: Float32) -> dict[str, Float32]:
        """What is done now that this window is; it waits for those before it."""
        if not np.isfinite(made[0, 0, 0]):
            raise not_finite()
        early = self._early[lane]
        early[window.start] = window, made
        while self._next[lane] in early:
            window, made = early.pop(self._next[lane])
            self._merge.add(lane, self._sums[lane].add(window, made))
            self._next[lane] += self._lanes[lane].stride
        return self._merge.take()


def _places(network: Network, each: Pass) -> tuple[int, ...]:
    return tuple(network.sources.index(name) for name in each.factors)
