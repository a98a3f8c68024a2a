"""What the platform measures, and whether alerts and dashboards ask for nothing else.

python -m tools.metrics          print every series with its labels
python -m tools.metrics check    fail when an alert or a dashboard names what does not exist, or promtool objects
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from services.launcher.settings import PROCESSES
from tools import dashboards, promtool

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "deploy" / "helm" / "tonewright" / "files"
ALERTS = FILES / "alerts.yaml"
SCALED_BY = FILES.parent / "templates" / "stems-worker" / "scaledjob.yaml"
ALERT_TESTS = ROOT / "tests" / "golden" / "alerts" / "alerts_test.yaml"
COMPONENTS = tuple(spec.name for spec in PROCESSES)
# What Prometheus, its operator and the chart's monitors put on every series.
TARGET_LABELS = {"app", "component", "release", "namespace", "pod", "instance", "job"}
# What Prometheus itself makes of every target.
FOREIGN = {"up": frozenset[str]()}

_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",), "info": ("_info",)}
_WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}
_STRING = re.compile(r'"((?:\\.|[^"\\])*)"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_LABEL_VALUES = re.compile(r"^label_values\((?:(.*),)?\s*(\w+)\s*\)$")
_NAMED = re.compile(r"(?<![\w.:$])([a-zA-Z_:][\w:]*)\s*(\{[^{}]*\})?(\s*\()?")
_MATCHER = re.compile(r"(\w+)\s*(=~|!~|!=|=)\s*@(\d+)@")


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression and where it stands."""

    place: str
    expression: str


def main(arguments: Sequence[str]) -> int:
    if list(arguments) == ["check"]:
        found = faults()
        print("\n".join(found) or "alerts and dashboards are true", file=sys.stderr if found else sys.stdout)
        return 1 if found else 0
    for name, labels in sorted(series().items()):
        print(f"{name}{{{', '.join(sorted(labels))}}}")
    return 0


def names() -> set[str]:
    """Every series name that some process of the platform exposes."""
    return set(series())


def series() -> dict[str, frozenset[str]]:
    """Every series name with the labels that the platform itself puts on it."""
    from prometheus_client import REGISTRY

    _import_all()
    found: dict[str, frozenset[str]] = {}
    for collector in list(REGISTRY._collector_to_names):
        labels = frozenset(getattr(collector, "_labelnames", ()))
        for family in collector.collect():
            for suffix in _SUFFIXES.get(family.type, ("",)):
                name = family.name + suffix
                own = {label for sample in family.samples if sample.name == name for label in sample.labels}
                found[name] = labels | own | ({"le"} if suffix == "_bucket" else set())
    return found


def faults() -> list[str]:
    """What is wrong with the alerts and dashboards, one line each."""
    known = series()
    queries = [*alert_queries(), *dashboard_queries()]
    return [
        *dashboards.stale(),
        *(fault for query in queries for fault in query_faults(query, known)),
        *_promtool_faults(),
    ]


def alert_queries() -> Iterator[Query]:
    """The expression of each alert."""
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        for rule in group["rules"]:
            yield Query(f"alert {rule['alert']}", rule["expr"])


def dashboard_queries() -> Iterator[Query]:
    """The expressions of each dashboard: those of its variables and those of its panels."""
    for path in sorted((FILES / "dashboards").glob("*.json")):
        board = json.loads(path.read_text())
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield Query(f"{path.name}, variable {variable['name']}", variable["query"]["query"])
        for panel in panels(board):
            for target in panel.get("targets", ()):
                yield Query(f"{path.name}, panel {panel['title']}", target["expr"])


def scaling_queries() -> Iterator[Query]:
    """The series that workers are started by."""
    for found in re.findall(r"^ *valueLocation: *'?([^'\n]+?)'?$", SCALED_BY.read_text(), flags=re.MULTILINE):
        yield Query(SCALED_BY.name, found)


def panels(board: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Each panel of a dashboard, also those inside of rows."""
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", ())


def query_faults(query: Query, known: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Names and labels of the expression that nothing exposes."""
    everything = {**known, **FOREIGN}
    expression, asked = query.expression.strip(), set[str]()
    if values := _LABEL_VALUES.match(expression):
        expression, asked = values[1] or "", {values[2]}
    strings = _STRING.findall(expression)
    numbers = iter(range(len(strings)))
    text = _STRING.sub(lambda _: f"@{next(numbers)}@", expression)
    for grouping in _GROUPING.findall(text):
        asked |= {label.strip() for label in grouping.split(",") if label.strip()}
    text = re.sub(r"\[[^]]*\]", "", _GROUPING.sub("", text))
    used = set(TARGET_LABELS)
    for name, matchers, call in _NAMED.findall(text):
        if call or name in _WORDS:
            continue
        if name not in everything:
            yield f"{query.place}: nothing exposes {name}"
            continue
        used |= everything[name]
        for label, operator, number in _MATCHER.findall(matchers):
            if label not in everything[name] | TARGET_LABELS:
                yield f"{query.place}: {name} has no label {label}"
            if label == "component" and operator == "=" and strings[int(number)] not in COMPONENTS:
                yield f"{query.place}: there is no component {strings[int(number)]}"
    yield from (f"{query.place}: no series there has the label {label}" for label in sorted(asked - used))


def _promtool_faults() -> Iterator[str]:
    try:
        promtool.path()
    except promtool.PromtoolMissing as error:
        if os.environ.get("CI"):
            yield str(error)
        else:
            print(f"not checked by promtool: {error}", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        recorded = Path(folder) / "dashboards.yaml"
        recorded.write_text(yaml.safe_dump(_as_rules()))
        asked = [("check", "rules", ALERTS), ("check", "rules", recorded), ("test", "rules", ALERT_TESTS)]
        yield from filter(None, (promtool.run(*words) for words in asked))


def _as_rules() -> dict[str, Any]:
    """The panels' expressions as recording rules, which promtool can parse."""
    queries = [query for query in dashboard_queries() if not _LABEL_VALUES.match(query.expression)]
    rules = [
        {"record": f"panel:{number}", "expr": re.sub(r"\$__(rate_interval|range|interval)", "5m", query.expression)}
        for number, query in enumerate(queries)
    ]
    return {"groups": [{"name": "panels", "rules": rules}]}


def _import_all() -> None:
    """Import every module that measures something, and make the metrics of each table of jobs."""
    jobs = importlib.import_module("chassis.jobs").Jobs
    for path in [*(ROOT / "libs").rglob("*.py"), *(ROOT / "services").rglob("*.py")]:
        source = path.read_text()
        inside = path.relative_to(ROOT / "libs" if path.is_relative_to(ROOT / "libs") else ROOT)
        if "from chassis.metrics import" in source:
            importlib.import_module(".".join(inside.with_suffix("").parts))
        if inside.name == "main.py" and re.search(r"\bJobs\(", source):
            jobs(SimpleNamespace(schema=inside.parts[1]), object, None)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
