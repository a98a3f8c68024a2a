from __future__ import annotations

import pytest

from services.launcher.settings import SERVICES
from tools.metrics import (
    ALERT_TESTS,
    ALERTS,
    FILES,
    Query,
    alert_queries,
    names,
    query_faults,
    scaling_queries,
    series,
)

KNOWN = {
    "tonewright_drums_hits_total": frozenset({"pad"}),
    "tonewright_drums_delay_seconds_bucket": frozenset({"le"}),
}


@pytest.mark.parametrize(
    "expression",
    [
        'sum by (pad, component) (rate(tonewright_drums_hits_total{app="tonewright", pad=~"a|b"}[5m]))',
        "histogram_quantile(0.99, sum by (le) (rate(tonewright_drums_delay_seconds_bucket[$__rate_interval]))) > 2.5",
        'up{component="stems-worker"} == 0 unless on (release) tonewright_drums_hits_total offset 5m',
        'label_replace(up, "component", "made_up", "", "")',
        'label_values(tonewright_drums_hits_total{namespace="$namespace"}, pad)',
        "label_values(namespace)",
    ],
)
def test_what_exists_may_be_asked_for(expression: str) -> None:
    assert list(query_faults(Query("here", expression), KNOWN)) == []


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("rate(tonewright_drums_misses_total[5m])", "here: nothing exposes tonewright_drums_misses_total"),
        ("tonewright_drums_hits_total or kube_pod_info", "here: nothing exposes kube_pod_info"),
        ('tonewright_drums_hits_total{stick="l"}', "here: tonewright_drums_hits_total has no label stick"),
        ("sum by (stick) (tonewright_drums_hits_total)", "here: no series there has the label stick"),
        ('up{component="stems_worker"}', "here: there is no component stems_worker"),
        ("label_values(up, stick)", "here: no series there has the label stick"),
    ],
)
def test_what_does_not_exist_is_named(expression: str, fault: str) -> None:
    assert list(query_faults(Query("here", expression), KNOWN)) == [fault]


def test_the_inventory_has_the_series_of_every_kind_of_metric() -> None:
    known = names()

    assert known >= {f"grpc_server_handling_seconds_{part}" for part in ("bucket", "sum", "count")}
    assert known >= {"tonewright_gateway_open_requests", "process_open_fds", "tonewright_queue_announcements_total"}
    assert known >= {f"tonewright_{service}_job_wait_seconds_bucket" for service in ("stems", "datasets")}
    assert series()["tonewright_realtime_tick_seconds_count"] == frozenset()


def test_alerts_ask_for_what_exists() -> None:
    known = series()

    assert [fault for query in alert_queries() for fault in query_faults(query, known)] == []


def test_workers_are_started_by_what_exists() -> None:
    known, queries = series(), list(scaling_queries())

    assert len(queries) == 1
    assert [fault for query in queries for fault in query_faults(query, known)] == []


def test_alerts_know_every_service() -> None:
    text = ALERTS.read_text()

    assert [service for service in SERVICES if f'component="{service}"' not in text] == []


def test_every_alert_is_seen_firing() -> None:
    tested = ALERT_TESTS.read_text()

    assert [alert.place for alert in alert_queries() if f'"{alert.place.removeprefix("alert ")}"' not in tested] == []


def test_the_files_are_ones_that_helm_reads() -> None:
    assert ALERTS.is_relative_to(FILES)
    assert not ALERT_TESTS.is_relative_to(FILES.parent)
