"""What separations cost, as Prometheus shows it; class is `interactive` or `batch`."""

from __future__ import annotations

from chassis.metrics import histogram
from services.stems.domain import Separation

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


def _labels(separation: Separation) -> tuple[str, str]:
    return separation.engine, separation.order.priority.name.lower()
