"""Who may run within the declared memory, and which networks are loaded for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path

from chassis.clock import Clock
from chassis.errors import ResourceExhausted, Unavailable
from chassis.logs import get_logger
from services.stems.demucs.ports import DeviceMemoryExhausted, Network
from services.stems.domain import ModelUnusable, Priority

log = get_logger(__name__)

# A network and where it comes from: model id and place in the model's bag.
Key = tuple[str, int]

_MIB = 1 << 20
# Decoding, encoding and resampling of one job.
_JOB_BYTES = 64 * _MIB
# With networks of the published size the account was 8 MiB below what a worker held.
_KEPT_BYTES = 64 * _MIB
_AGEING_S = 30.0


@dataclass(frozen=True, slots=True)
class Needs:
    """What a job wants to run with.

    Args:
        keys: Its networks, at least one.
        bytes_for: Memory of the job's own windows and stretches with these networks at a batch size.
    """

    keys: tuple[Key, ...]
    priority: Priority
    bytes_for: Callable[[Sequence[Network], int], int]


@dataclass(slots=True, eq=False)
class Seat:
    """A job that runs, or waits to."""

    needs: Needs
    since_s: float
    bytes: int = 0
    networks: tuple[Network, ...] = ()
    batch: int = 1  # how many of its windows may run at once


@dataclass(slots=True)
class _Loaded:
    network: Network
    used_s: float


@dataclass(slots=True)
class Admission:
    """Lets jobs in while they, the loaded networks and the largest forward stay within a budget together.

    The budget is of the process's own memory. Networks on another device count there only with their pinned copies
    of a batch; the device itself says when it is full.

    Args:
        budget_bytes: What all of it may take.
        resident: Tells what the process has of it by now.
        slots: How many jobs share it, if it is large enough for that.
        load: Loads a network.
        size: An estimate of what a network takes, before it is loaded.
        limit: Is told how many windows of a network may run at once; 0 when the network is let go.
    """

    budget_bytes: int
    resident: Callable[[], int]
    slots: int
    load: Callable[[Key], Network]
    size: Callable[[Key], int]
    clock: Clock
    limit: Callable[[Network, int], None]
    _lock: threading.Condition = field(default_factory=threading.Condition)
    _loaded: dict[Key, _Loaded] = field(default_factory=dict)
    _active: list[Seat] = field(default_factory=list)
    _waiting: list[Seat] = field(default_factory=list)
    _base_bytes: int = 0  # what is taken by neither networks nor jobs
    _is_closed: bool = False
    _loader: futures.ThreadPoolExecutor = field(default_factory=lambda: futures.ThreadPoolExecutor(1, "stems-load"))

    def __post_init__(self) -> None:
        self._base_bytes = self.resident()

    @property
    def memory_bytes(self) -> int:
        """What the loaded networks hold on their device."""
        with self._lock:
            return sum(loaded.network.memory_bytes for loaded in self._loaded.values())

    def ask(self, needs: Needs) -> Seat:
        """A place in the line; `leave` it in the end, whether it was let in or not."""
        seat = Seat(needs, self.clock.monotonic())
        with self._lock:
            self._waiting.append(seat)
        return seat

    def wait(self, seat: Seat, pause_s: float) -> Iterator[None]:
        """Go on until the job is let in, with its networks loaded; gives a sign at least at every pause.

        Raises:
            ModelUnusable: A network does not load, or the job does not fit even by itself.
            ResourceExhausted: The device has no memory for a network.
            Unavailable: The same while other jobs use it, or the worker is stopping.
        """
        keys = seat.needs.keys
        while not seat.networks:
            missing: Key | None = None
            with self._lock:
                if self._is_closed:
                    raise stopping()
                if self._first() is seat:
                    missing = next((key for key in keys if key not in self._loaded), None)
                    if missing is None and self._admit(seat):
                        return
                    # With nothing running, the estimate must not stand in the way of the truth.
                    if missing and not self._make_room(self.size(missing), keys) and self._active:
                        missing = None
                if missing is None:
                    self._lock.wait(pause_s)
            if missing is not None:
                yield from self._fetch(missing, keys, pause_s)
            yield

    def leave(self, seat: Seat) -> None:
        """The job is over; a repeat does nothing."""
        with self._lock:
            for seats in (self._active, self._waiting):
                if seat in seats:
                    seats.remove(seat)
            self._tell_limits(seat.networks)
            self._lock.notify_all()

    def close(self) -> None:
        """End the thread that loads, and the waiting of those who wait."""
        with self._lock:
            self._is_closed = True
            self._lock.notify_all()
        self._loader.shutdown()

    def _fetch(self, key: Key, keep: Sequence[Key], pause_s: float) -> Iterator[None]:
        with self._lock:
            if self._is_closed:
                raise stopping()
            loading = self._loader.submit(self.load, key)
        while not futures.wait([loading], pause_s).done:
            yield
        try:
            network = loading.result()
        except DeviceMemoryExhausted as error:
            self._without_memory(key, keep, error)
            return
        with self._lock:
            self._loaded.setdefault(key, _Loaded(network, self.clock.monotonic()))
            if not self._active:
                # Libraries come with the first network, and what loading took does not all go back.
                self._base_bytes = max(self._base_bytes, self.resident() - self._networks_bytes())

    def _without_memory(self, key: Key, keep: Sequence[Key], error: DeviceMemoryExhausted) -> None:
        """Let an unused network go so that it can be tried again, or give up."""
        text = f"the device has no memory for model {key[0]!r}"
        with self._lock:
            if idle := self._idle(keep):
                self._drop(idle[0])
            elif self._active:
                raise Unavailable(f"{text} beside what runs; it is tried again", retry_after_s=30) from error
            else:
                raise ResourceExhausted(f"{text}; stop what else uses it, or choose another device") from error

    def _first(self) -> Seat:
        """Whose turn it is: interactive jobs, and those that have waited long, in the order in which they came."""
        now_s = self.clock.monotonic()

        def rank(seat: Seat) -> tuple[bool, float]:
            goes_first = seat.needs.priority is Priority.INTERACTIVE or now_s - seat.since_s >= _AGEING_S
            return not goes_first, seat.since_s

        return min(self._waiting, key=rank)

    def _admit(self, seat: Seat) -> bool:
        networks = tuple(self._loaded[key].network for key in seat.needs.keys)
        seat.batch, seat.bytes = self._share(seat.needs, networks)
        if not self._make_room(0, seat.needs.keys, seat):
            if self._active:
                return False
            taken = self._sum(seat)
            raise ModelUnusable(
                f"model {seat.needs.keys[0][0]!r} needs {taken / _MIB:.0f} MiB for one separation and the worker may "
                f"have {self.budget_bytes / _MIB:.0f} MiB; raise memory_budget_bytes or mount a smaller model"
            )
        now_s = self.clock.monotonic()
        for key in seat.needs.keys:
            self._loaded[key].used_s = now_s
        self._waiting.remove(seat)
        self._active.append(seat)
        seat.networks = networks
        self._tell_limits(networks)
        self._lock.notify_all()
        return True

    def _share(self, needs: Needs, networks: Sequence[Network]) -> tuple[int, int]:
        """The largest batch at which every slot could have such a job, else the smallest; and a job's bytes then."""
        held = self._base_bytes + self._networks_bytes()
        for batch in sorted(networks[0].batch_sizes, reverse=True):
            job_bytes = _JOB_BYTES + needs.bytes_for(networks, batch)
            if held + _peak_bytes(networks, batch) + self.slots * job_bytes <= self.budget_bytes:
                break
        return batch, job_bytes

    def _make_room(self, extra: int, keep: Sequence[Key], seat: Seat | None = None) -> bool:
        """Let unused networks go, the longest unused first, until it fits."""
        idle = self._idle(keep)
        while self._sum(seat) + extra > self.budget_bytes:
            if not idle:
                return False
            self._drop(idle.pop(0))
        return True

    def _idle(self, keep: Sequence[Key]) -> list[Key]:
        used = {key for active in self._active for key in active.needs.keys} | set(keep)
        return sorted(self._loaded.keys() - used, key=lambda key: self._loaded[key].used_s)

    def _drop(self, key: Key) -> None:
        log.info("network_dropped", model=key[0], place=key[1])
        self.limit(self._loaded.pop(key).network, 0)

    def _sum(self, seat: Seat | None) -> int:
        seats = [*self._active, *([seat] if seat else [])]
        peaks = [_peak_bytes([self._loaded[key].network for key in one.needs.keys], one.batch) for one in seats]
        return self._base_bytes + self._networks_bytes() + max(peaks, default=0) + sum(one.bytes for one in seats)

    def _networks_bytes(self) -> int:
        return sum(_held_bytes(loaded.network) for loaded in self._loaded.values())

    def _tell_limits(self, networks: Sequence[Network]) -> None:
        """Another device bounds its batches itself; on the CPU they are what jobs were let in with."""
        for network in networks:
            batches = [seat.batch for seat in self._active if network in seat.networks]
            if batches and network.device == "cpu":
                self.limit(network, max(batches))


def stopping() -> Unavailable:
    """What work that is not done meets when the engine is closed."""
    return Unavailable("the worker is stopping; the separation goes on in another one")


def _held_bytes(network: Network) -> int:
    """What a network takes of the process's memory."""
    if network.device == "cpu":
        return network.memory_bytes
    window = 4 * network.channels * network.segment_frames
    return network.batch_sizes[-1] * window * (1 + len(network.sources))


def _peak_bytes(networks: Sequence[Network], batch: int) -> int:
    return max((network.peak_bytes(batch) for network in networks if network.device == "cpu"), default=0)


def resident_bytes() -> int:
    """What this process holds in memory, and what its allocators may keep beyond any account."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not Linux
        pages = 0
    return pages * os.sysconf("SC_PAGE_SIZE") + _KEPT_BYTES
