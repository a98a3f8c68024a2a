from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import promtool
from tools.dashboards import FOLDER, stale
from tools.metrics import ALERT_TESTS, dashboard_queries, panels, query_faults, series

BOARDS = sorted(FOLDER.glob("*.json"))


@pytest.fixture(params=BOARDS, ids=[path.stem for path in BOARDS])
def board(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(json.loads(request.param.read_text()))


def test_dashboards_are_what_their_sources_say() -> None:
    assert [path.stem for path in BOARDS] == ["jobs", "performances", "platform"]
    assert stale() == []


def test_panels_ask_for_what_exists() -> None:
    known = series()

    assert [fault for query in dashboard_queries() for fault in query_faults(query, known)] == []


def test_every_panel_says_what_it_shows(board: dict[str, Any]) -> None:
    drawn = [panel for panel in panels(board) if panel["type"] != "row"]

    assert [panel["title"] for panel in drawn if not panel["description"]] == []
    assert [panel["title"] for panel in drawn if not panel["fieldConfig"]["defaults"]["unit"]] == []
    assert [panel["title"] for panel in drawn if not panel["targets"]] == []


def test_the_data_source_and_the_release_are_chosen_by_the_reader(board: dict[str, Any]) -> None:
    drawn = [panel for panel in panels(board) if panel["type"] != "row"]

    assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource", "namespace", "release"]
    assert {panel["datasource"]["uid"] for panel in drawn} == {"${datasource}"}
    queries = [target["expr"] for panel in drawn for target in panel["targets"]]
    assert [query for query in queries if 'release=~"$release"' not in query or "HERE" in query] == []


def test_panels_lie_beside_each_other(board: dict[str, Any]) -> None:
    spots = [panel["gridPos"] for panel in panels(board)]

    assert max(Counter(panel["id"] for panel in panels(board)).values()) == 1
    cells = Counter(
        (x, y)
        for spot in spots
        for x in range(spot["x"], spot["x"] + spot["w"])
        for y in range(spot["y"], spot["y"] + spot["h"])
    )
    assert max(cells.values()) == 1
    assert max(x for x, _ in cells) < 24


@pytest.fixture
def _with_promtool() -> None:
    try:
        promtool.path()
    except promtool.PromtoolMissing as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("_with_promtool")
def test_every_panel_can_be_drawn_where_services_have_two_pods(tmp_path: Path) -> None:
    asked = [query.expression for query in dashboard_queries() if not query.expression.startswith("label_values")]
    replaced = [re.sub(r"\$(namespace|release)", ".+", query.replace("$__rate_interval", "5m")) for query in asked]
    healthy = yaml.safe_load(ALERT_TESTS.read_text())["tests"][0]["input_series"]
    tests = [{"expr": query, "eval_time": "30m", "exp_samples": []} for query in replaced]
    path = tmp_path / "panels.yaml"
    case = {"interval": "1m", "input_series": healthy, "promql_expr_test": tests}
    path.write_text(yaml.safe_dump({"rule_files": [], "tests": [case]}))

    told = promtool.run("test", "rules", path)

    assert "got:" in told, "panels have values, which nobody expected here"
    assert [line for line in told.splitlines() if "err:" in line] == []


@pytest.mark.usefixtures("_with_promtool")
def test_promtool_says_what_it_cannot_read(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("groups: [{name: a, rules: [{record: b, expr: 'sum by (c) rate(d[5m])'}]}]")

    assert "could not parse expression" in promtool.run("check", "rules", rules)
