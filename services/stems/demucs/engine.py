"""Takes recordings apart with mounted Demucs models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing

from chassis.clock import Clock, SystemClock
from services.stems.demucs.admission import Admission, Key, Needs, resident_bytes
from services.stems.demucs.mixes import Fitting, MixReader, Preparation
from services.stems.demucs.mounted import ENGINE, MountedModel, Weights
from services.stems.demucs.network import best_device, load_network
from services.stems.demucs.passes import Pass, Run, bytes_for, plan, windows_ahead
from services.stems.demucs.ports import Network
from services.stems.demucs.scheduler import Scheduler
from services.stems.domain import Block, ModelNotFound, Parameters, Priority, Task
from services.stems.use_cases.measures import SegmentMetrics

Load = Callable[[Weights, float | None, str, str], Network]

# How long anything waits before an empty block says that it does.
_PAUSE_S = 0.25
_DEFAULT_BUDGET_BYTES = 4 << 30


class DemucsEngine:
    """Takes recordings apart with the mounted models; several at once share the device window by window.

    Args:
        mounted: The models by id.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        precision: `auto`, `float32` or `mixed`.
        memory_budget_bytes: What the process may take, with all that it holds already; jobs beyond it wait.
        slots: How many jobs run at once when the budget allows.
        load: Loads a network.
        clock: For waiting times.
    """

    def __init__(
        self,
        mounted: Mapping[str, MountedModel],
        device: str = "auto",
        precision: str = "auto",
        memory_budget_bytes: int = _DEFAULT_BUDGET_BYTES,
        slots: int = 2,
        *,
        load: Load = load_network,
        clock: Clock | None = None,
    ) -> None:
        self._mounted, self._precision, self._load = mounted, precision, load
        self.device = best_device() if device == "auto" else device
        self._clock = clock or SystemClock()
        self._metrics = SegmentMetrics(ENGINE)
        self._scheduler = Scheduler(self._metrics, self._clock)
        self._admission = Admission(
            memory_budget_bytes,
            resident_bytes,
            slots,
            self._load_network,
            self._weights_bytes,
            self._clock,
            self._limit,
        )

    def load(self, model_id: str) -> None:
        """Make the model ready to run; a second call does nothing.

        Raises:
            ModelNotFound: It is not mounted.
            ModelUnusable: Its weights do not fit its network, or one separation does not fit the memory budget.
        """
        mounted = self._find(model_id)
        passes = plan(mounted, mounted.model.sources, Parameters())
        seat = self._admission.ask(_needs(mounted, passes, Parameters(), Priority.INTERACTIVE))
        try:
            for _ in self._admission.wait(seat, _PAUSE_S):
                pass
        finally:
            self._admission.leave(seat)

    @property
    def is_broken(self) -> bool:
        """Whether the device failed on silence and has done nothing since; only a new process helps."""
        return self._scheduler.is_broken

    def close(self) -> None:
        """End the threads; separations that still run fail with `Unavailable`."""
        self._scheduler.close()
        self._admission.close()

    def separate(self, task: Task) -> Iterator[Block]:
        """The wanted sources of the mix, stretch by stretch; see `domain.Engine`.

        Demucs wants the mix with mean 0 and deviation 1 over the whole track. Its own tool adds the mean back to
        every source, so that their sum has it once per source; here one source, `other` where there is one, gets it.

        Raises:
            ModelNotFound: It is not mounted.
            ModelUnusable: Its weights do not fit its network, or one separation does not fit the memory budget.
            SeparationInputNotFinite: A sample of the mix, or of what the model makes of it, is NaN or infinite.
            ResourceExhausted: The device had no memory left for a while.
            Unavailable: The engine was closed, or the device is broken.
        """
        mounted = self._find(task.model.id)
        model, parameters = mounted.model, task.parameters
        passes = plan(mounted, task.sources, parameters)
        prepared = Preparation(task.mix, model.rate_hz, task.folder)
        needs = _needs(mounted, passes, parameters, task.priority)
        with ExitStack() as stack:
            if prepared.is_copy:
                stack.callback(prepared.mix.path.unlink, missing_ok=True)
            yield from self._now_and_then(prepared.steps())
            mix, level = prepared.mix, prepared.level
            seat = self._admission.ask(needs)
            stack.callback(self._admission.leave, seat)
            for _ in self._admission.wait(seat, _PAUSE_S):
                yield {}
            reader = stack.enter_context(closing(MixReader(mix, level, model.channels)))
            job = stack.enter_context(self._scheduler.open(task.priority, is_pinned=parameters.deterministic))
            run = Run(
                passes,
                _by_place(needs.keys, seat.networks),
                task.sources,
                frame_count=mix.frame_count,
                overlap=parameters.overlap,
                scale=level.deviation,
            )
            fitting = Fitting(task.mix, mix.rate_hz, {_holder_of_mean(model.sources): level.mean})
            for stretch in run.stretches(job, reader, windows_ahead(seat.batch), _PAUSE_S):
                yield fitting.add(stretch) if stretch else {}
            yield fitting.finish(task.sources)

    def _find(self, model_id: str) -> MountedModel:
        if model_id not in self._mounted:
            raise ModelNotFound(model_id, self._mounted)
        return self._mounted[model_id]

    def _now_and_then(self, steps: Iterator[None]) -> Iterator[Block]:
        """Take the steps, with a sign at every pause."""
        told_s = self._clock.monotonic()
        for _ in steps:
            if self._clock.monotonic() - told_s >= _PAUSE_S:
                yield {}
                told_s = self._clock.monotonic()

    def _limit(self, network: Network, batch: int) -> None:
        self._scheduler.limit(network, batch)
        self._metrics.memory_held(self.device, self._admission.memory_bytes)

    def _load_network(self, key: Key) -> Network:
        mounted = self._mounted[key[0]]
        return self._load(mounted.networks[key[1]], mounted.segment_s, self.device, self._precision)

    def _weights_bytes(self, key: Key) -> int:
        # Published files have values half as wide as in memory, and a network is there three times while it is made.
        return 6 * self._mounted[key[0]].networks[key[1]].path.stat().st_size


def _needs(mounted: MountedModel, passes: Sequence[Pass], parameters: Parameters, priority: Priority) -> Needs:
    keys = tuple((mounted.model.id, place) for place in sorted({each.place for each in passes}))

    def own_bytes(networks: Sequence[Network], batch: int) -> int:
        return bytes_for(passes, _by_place(keys, networks), parameters.overlap, batch)

    return Needs(keys, priority, own_bytes)


def _by_place(keys: Sequence[Key], networks: Sequence[Network]) -> dict[int, Network]:
    return {place: network for (_, place), network in zip(keys, networks, strict=True)}


def _holder_of_mean(sources: Sequence[str]) -> str:
    return "other" if "other" in sources else sources[-1]
