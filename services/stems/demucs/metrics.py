"""What the device does, as metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from chassis.metrics import counter, gauge, histogram
from services.stems.demucs.mounted import ENGINE
from services.stems.domain import Priority

_BATCH = histogram(
    "tonewright_stems_segment_batch_items",
    "Segments that the device ran at once",
    ("engine", "class"),
    buckets=(1, 2, 4, 8, 16, 32),
)
_SEGMENTS = counter("tonewright_stems_segments_total", "Segments that the device ran", ("engine", "class"))
_WAIT = histogram("tonewright_stems_segment_wait_seconds", "Time of a segment before the device took it", ("class",))
_MEMORY = gauge("tonewright_stems_device_memory_bytes", "Memory that the networks take on their device", ("device",))


class SegmentMetrics:
    """Counts batches and segments by class; a batch belongs to the highest class in it."""

    def batch_done(self, waits_s: Sequence[tuple[Priority, float]]) -> None:
        """A batch has run; by segment, whose it was and how long it had waited."""
        _BATCH.labels(ENGINE, _class(max(priority for priority, _ in waits_s))).observe(len(waits_s))
        for priority, count in Counter(priority for priority, _ in waits_s).items():
            _SEGMENTS.labels(ENGINE, _class(priority)).inc(count)
        for priority, wait_s in waits_s:
            _WAIT.labels(_class(priority)).observe(wait_s)

    def memory_held(self, device: str, size_bytes: int) -> None:
        """What the networks hold on the device now."""
        _MEMORY.labels(device).set(size_bytes)


def _class(priority: Priority) -> str:
    return priority.name.lower()
