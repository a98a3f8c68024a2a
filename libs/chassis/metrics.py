"""Counters, gauges and histograms with checked names, and those of every RPC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

_NAME = re.compile(r"tonewright_[a-z]+(_[a-z0-9]+)+")
_UNITS = ("seconds", "bytes", "frames", "items", "ratio", "percent", "ticks", "total")
_LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_Metric = TypeVar("_Metric", Counter, Gauge, Histogram)
_made: dict[str, Any] = {}


def counter(name: str, doc: str, labels: Sequence[str] = ()) -> Counter:
    """A number that only grows; its name ends in `_total`."""
    if not name.endswith("_total"):
        raise ValueError(f"counter {name}: the name must end in _total")
    return _once(Counter, name, doc, labels)


def gauge(name: str, doc: str, labels: Sequence[str] = ()) -> Gauge:
    """A number that goes up and down."""
    return _once(Gauge, name, doc, labels)


def histogram(name: str, doc: str, labels: Sequence[str] = (), buckets: Sequence[float] = _LATENCY) -> Histogram:
    """A distribution; its name ends in its unit."""
    if not name.endswith(_UNITS):
        raise ValueError(f"histogram {name}: the name must end in one of {', '.join(_UNITS)}")
    return _once(Histogram, name, doc, labels, buckets=tuple(buckets))


def _once(kind: type[_Metric], name: str, doc: str, labels: Sequence[str], **options: Any) -> _Metric:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"metric {name!r}: names have the form tonewright_<service>_<noun>_<unit>")
    if name not in _made:
        _made[name] = kind(name, doc, tuple(labels), registry=REGISTRY, **options)
    found = _made[name]
    if not isinstance(found, kind):
        raise ValueError(f"metric {name} exists already as a {type(found).__name__}")
    return found


# The names every gRPC dashboard knows.
_RPC_LABELS = ("grpc_service", "grpc_method", "grpc_code")
RPC_SERVED = Histogram("grpc_server_handling_seconds", "Time to serve an RPC", _RPC_LABELS, buckets=_LATENCY)
RPC_CALLED = Histogram("grpc_client_handling_seconds", "Time of an RPC to a peer", _RPC_LABELS, buckets=_LATENCY)
LOOP_FAILURES = counter("tonewright_chassis_loop_failures_total", "Background loops that raised", ("loop",))
