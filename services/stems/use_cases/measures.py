"""What separations and their segments cost, as Prometheus shows it; class is `interactive` or `batch`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from chassis.metrics import counter, gauge, histogram
from services.stems.domain import Priority, Separation

_LABELS = ("engine", "class")
_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
_RATIOS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

_WAITS = histogram(
    "tonewright_stems_separation_wait_seconds", "Time from the request to the first run", _LABELS, _SECONDS
)
_RUNS = histogram(
    "tonewright_stems_separation_run_seconds", "Time of runs that made stems, fetch to store", _LABELS, _SECONDS
)
_RATIO = histogram(
    "tonewright_stems_separation_realtime_ratio",
    "Seconds of separating and encoding per second of audio",
    _LABELS,
    _RATIOS,
)
_FIRST = histogram(
    "tonewright_stems_first_chunk_seconds",
    "Time from the start of separating to the first stretch of stems",
    _LABELS,
    _SECONDS,
)
_BATCH = histogram(
    "tonewright_stems_segment_batch_items",
    "Segments that the device ran at once",
    _LABELS,
    buckets=(1, 2, 4, 8, 16, 32),
)
_SEGMENTS = counter("tonewright_stems_segments_total", "Segments that the device ran", _LABELS)
_WAIT = histogram("tonewright_stems_segment_wait_seconds", "Time of a segment before the device took it", ("class",))
_MEMORY = gauge("tonewright_stems_device_memory_bytes", "Memory that the networks take on their device", ("device",))


def observe_wait(separation: Separation, seconds: float) -> None:
    """Count the start of a first run."""
    _WAITS.labels(*_labels(separation)).observe(max(0.0, seconds))


def observe_run(separation: Separation, seconds: float, real_time_factor: float) -> None:
    """Count a run that made stems."""
    _RUNS.labels(*_labels(separation)).observe(seconds)
    _RATIO.labels(*_labels(separation)).observe(real_time_factor)


def observe_first_stretch(separation: Separation, seconds: float) -> None:
    """Count the first stretch that a run gave."""
    _FIRST.labels(*_labels(separation)).observe(seconds)


class SegmentMetrics:
    """Counts an engine's batches and segments by class; a batch belongs to the highest class in it."""

    def __init__(self, engine: str) -> None:
        self._engine = engine

    def batch_done(self, waits_s: Sequence[tuple[Priority, float]]) -> None:
        """A batch has run; by segment, whose it was and how long it had waited."""
        _BATCH.labels(self._engine, _class(max(priority for priority, _ in waits_s))).observe(len(waits_s))
        for priority, count in Counter(priority for priority, _ in waits_s).items():
            _SEGMENTS.labels(self._engine, _class(priority)).inc(count)
        for priority, wait_s in waits_s:
            _WAIT.labels(_class(priority)).observe(wait_s)

    def memory_held(self, device: str, size_bytes: int) -> None:
        """What the networks hold on the device now."""
        _MEMORY.labels(device).set(size_bytes)


def _labels(separation: Separation) -> tuple[str, str]:
    return separation.engine, _class(separation.order.priority)


def _class(priority: Priority) -> str:
    return priority.name.lower()
