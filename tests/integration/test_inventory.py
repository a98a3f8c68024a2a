"""What alerts and dashboards ask for is what running processes expose."""

from __future__ import annotations

import re

import httpx2
import pytest

from services.launcher.settings import PROCESSES
from tests.house import House
from tools.metrics import FOREIGN, alert_queries, dashboard_queries, names, scaling_queries

pytestmark = pytest.mark.target("embedded")


@pytest.fixture(scope="module")
def families(house: House) -> set[str]:
    """The metrics of all processes, also those that nothing was counted in yet."""
    found = set[str]()
    for spec in PROCESSES:
        word = spec.name.upper().replace("-", "_")
        variable = "TONEWRIGHT_GATEWAY_PORT" if spec.name == "gateway" else f"TONEWRIGHT_{word}_OPS_PORT"
        text = httpx2.get(f"http://127.0.0.1:{house.ports[variable]}/metrics", timeout=10, trust_env=False).text
        found |= set(re.findall(r"^# TYPE (\S+) ", text, flags=re.MULTILINE))
    return found


def _family(series: str) -> str:
    return re.sub(r"_(bucket|sum|count)$", "", series)


def test_running_processes_expose_what_is_asked_for(families: set[str]) -> None:
    known = names()
    queries = [*alert_queries(), *dashboard_queries(), *scaling_queries()]
    asked = {word for query in queries for word in re.findall(r"\w+", query.expression)} & known

    assert len(asked) > 20
    assert {series for series in asked if _family(series) not in families} - set(FOREIGN) == set()


def test_the_inventory_misses_no_metric_of_a_running_process(families: set[str]) -> None:
    known = {_family(series) for series in names()}

    assert {family for family in families if family.startswith(("tonewright_", "grpc_"))} - known == {
        family for family in families if family.endswith("_created")
    }
