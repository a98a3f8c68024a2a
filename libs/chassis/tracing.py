"""W3C trace context through gateway, RPCs and jobs; OpenTelemetry spans when an endpoint is set."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Trace:
    """One place in a trace."""

    trace_id: str  # 32 hex digits
    span_id: str  # 16 hex digits
    flags: str = "01"

    @property
    def traceparent(self) -> str:
        """The header that carries it."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)
_tracer: Any = None


def parse(traceparent: str | None) -> Trace | None:
    """The trace a header names; None for a missing or malformed one, as the W3C rules ask."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    if match is None or set(match[1]) == {"0"} or set(match[2]) == {"0"}:
        return None
    return Trace(match[1], match[2], match[3])


def current() -> Trace | None:
    """Where we are, if anywhere."""
    return _trace.get()


def traceparent() -> str:
    """The header for the next hop; starts a trace where there is none."""
    here = _trace.get()
    return (here or Trace(secrets.token_hex(16), secrets.token_hex(8))).traceparent


@contextmanager
def span(name: str, parent: str | None = None, **attributes: str) -> Iterator[Trace]:
    """Run inside a new span below `parent` (a traceparent), below the current span, or of a new trace."""
    above = parse(parent) or _trace.get()
    if _tracer is None:
        here = Trace(above.trace_id if above else secrets.token_hex(16), secrets.token_hex(8))
        token = _trace.set(here)
        try:
            yield here
        finally:
            _trace.reset(token)
        return
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {"traceparent": above.traceparent} if above else {}
    context = TraceContextTextMapPropagator().extract(carrier)
    with _tracer.start_as_current_span(name, context=context, attributes=attributes) as made:
        ids = made.get_span_context()
        token = _trace.set(Trace(f"{ids.trace_id:032x}", f"{ids.span_id:016x}", f"{int(ids.trace_flags):02x}"))
        try:
            yield _trace.get() or Trace("", "")
        finally:
            _trace.reset(token)


def configure(service: str, otlp_endpoint: str | None) -> None:
    """Send spans to the endpoint from now on; without one, only the trace context travels."""
    global _tracer
    if not otlp_endpoint:
        return
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"tonewright-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=otlp_endpoint, timeout=2)))
    _tracer = provider.get_tracer("chassis")
