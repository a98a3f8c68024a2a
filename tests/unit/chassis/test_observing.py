"""Logs, metrics and traces."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from chassis import context, logs, metrics, tracing


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_carries_service_request_and_trace() -> None:
    stream = io.StringIO()
    logs.configure("drums", "info", "json", to=stream)

    with context.in_request("r1"), tracing.span("test") as here:
        logs.get_logger("kit").info("hit", pad=3)
        logging.getLogger("library").warning("old %s", "style")

    first, second = lines(stream)
    assert (first["event"], first["pad"], first["logger"], first["level"]) == ("hit", 3, "kit", "info")
    assert (first["service"], first["request_id"], first["trace_id"]) == ("drums", "r1", here.trace_id)
    assert (second["event"], second["request_id"]) == ("old style", "r1")


@pytest.mark.parametrize("kept", [True, False])
def test_personal_facts_are_dropped_unless_asked_for(kept: bool) -> None:
    stream = io.StringIO()
    logs.configure("drums", "info", "json", pii=kept, to=stream)

    logs.get_logger("kit").info("caption_made", **{"pii.lyric": "la la"})

    assert ("pii.lyric" in lines(stream)[0]) is kept


def test_the_console_shows_no_values_of_variables() -> None:
    stream = io.StringIO()
    logs.configure("drums", to=stream)
    password = "".join(["sword", "fish"])

    try:
        raise ValueError(len(password))
    except ValueError:
        logs.get_logger("kit").exception("broken")

    assert "ValueError: 9" in stream.getvalue()
    assert "swordfish" not in stream.getvalue()


def test_bound_facts_are_on_every_line_until_forgotten() -> None:
    stream = io.StringIO()
    logs.configure("drums", "info", "json", to=stream)

    logs.bind(job="j1")
    logs.get_logger("kit").info("one")
    logs.unbind_all()
    logs.get_logger("kit").info("two")

    assert [line.get("job") for line in lines(stream)] == ["j1", None]


def test_a_metric_is_made_once() -> None:
    first = metrics.counter("tonewright_drums_hits_total", "Hits", ("pad",))

    assert metrics.counter("tonewright_drums_hits_total", "Hits", ("pad",)) is first
    with pytest.raises(ValueError, match="exists already"):
        metrics.gauge("tonewright_drums_hits_total", "Hits")


def test_metric_names_are_checked() -> None:
    with pytest.raises(ValueError, match="_total"):
        metrics.counter("tonewright_drums_hits", "Hits")
    with pytest.raises(ValueError, match="must end in one of"):
        metrics.histogram("tonewright_drums_hit_ms", "Time")
    with pytest.raises(ValueError, match="have the form"):
        metrics.gauge("drums_loudness_ratio", "Loudness")


HEADER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_span_continues_the_trace_it_is_given() -> None:
    with tracing.span("test", HEADER) as here:
        inside = tracing.traceparent()

    assert here.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert here.span_id != "b7ad6b7169203331"
    assert tracing.parse(inside) == here
    assert tracing.current() is None


@pytest.mark.parametrize(
    "header",
    [None, "", "00-abc", HEADER.upper(), HEADER.replace("00-", "zz-", 1), f"00-{'0' * 32}-b7ad6b7169203331-01",
     f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01"],
)  # fmt: skip
def test_a_malformed_header_starts_a_new_trace(header: str | None) -> None:
    assert tracing.parse(header) is None
    with tracing.span("test", header) as here:
        assert len(here.trace_id) == 32


def test_spans_are_opentelemetrys_when_an_exporter_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    monkeypatch.setattr(tracing, "_tracer", sdk.TracerProvider().get_tracer("test"))

    with tracing.span("outer", HEADER) as outer, tracing.span("inner") as inner:
        pass

    assert outer.trace_id == inner.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert outer.span_id != inner.span_id
