"""Makes the Grafana dashboards of the chart: tools/boards says what each panel shows, Grafana imports JSON.

python -m tools.dashboards          write deploy/helm/tonewright/files/dashboards/*.json
python -m tools.dashboards check    fail when one of them is stale

A panel has a title, what it tells (`about`), Grafana's unit, its width in 24ths (8), the value above which it is red
(`limit`), and `queries` by legend or `quantiles` of a histogram. HERE in a query selects the release that was chosen.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

_ROOT = Path(__file__).resolve().parent
SOURCES = _ROOT / "boards"
FOLDER = _ROOT.parent / "deploy" / "helm" / "tonewright" / "files" / "dashboards"
_DATA = {"type": "prometheus", "uid": "${datasource}"}
_HERE = 'app="tonewright", namespace=~"$namespace", release=~"$release"'
_COLUMNS, _HIGH = 24, 8


def main(arguments: Sequence[str]) -> int:
    if list(arguments) == ["check"]:
        found = stale()
        print("\n".join(found) or "dashboards are fresh", file=sys.stderr if found else sys.stdout)
        return 1 if found else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for source in sorted(SOURCES.glob("*.yaml")):
        _made_of(source).write_text(text(source))
    return 0


def stale() -> list[str]:
    """Dashboards that are not what this program makes."""
    sources = sorted(SOURCES.glob("*.yaml"))
    fresh = [source for source in sources if _made_of(source).exists() and _made_of(source).read_text() == text(source)]
    left = {path.stem for path in FOLDER.glob("*.json")} - {source.stem for source in sources}
    names = sorted({source.stem for source in sources} - {source.stem for source in fresh} | left)
    return [f"dashboard {name}.json is stale; run `python -m tools.dashboards`" for name in names]


def text(source: Path) -> str:
    """The dashboard as JSON."""
    told = yaml.safe_load(source.read_text())
    board = {
        "uid": f"tonewright-{source.stem}",
        "title": told["title"],
        "tags": ["tonewright"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "links": [{"type": "dashboards", "title": "tonewright", "tags": ["tonewright"], "asDropdown": True}],
        "annotations": {"list": []},
        "templating": {"list": list(_variables())},
        "panels": list(_placed(told["rows"])),
    }
    return json.dumps(board, indent=1, ensure_ascii=False) + "\n"


def _made_of(source: Path) -> Path:
    return FOLDER / f"{source.stem}.json"


def _variables() -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0}
    for name, where in (("namespace", ""), ("release", ', namespace=~"$namespace"')):
        asked = f'label_values(up{{app="tonewright"{where}}}, {name})'
        yield {
            "name": name,
            "label": name.capitalize(),
            "type": "query",
            "datasource": _DATA,
            "query": {"query": asked, "refId": name},
            "definition": asked,
            "refresh": 2,
            "sort": 1,
            "multi": False,
            "includeAll": True,
            "allValue": ".+",
            "current": {"text": "All", "value": "$__all"},
        }


def _placed(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows and their panels from top left to bottom right."""
    number = top = 0
    for row in rows:
        number += 1
        spot = {"h": 1, "w": _COLUMNS, "x": 0, "y": top}
        yield {"id": number, "type": "row", "title": row["title"], "collapsed": False, "gridPos": spot, "panels": []}
        top, left = top + 1, 0
        for panel in row["panels"]:
            number, wide = number + 1, panel.get("wide", 8)
            if left + wide > _COLUMNS:
                top, left = top + _HIGH, 0
            yield {"id": number, "gridPos": {"h": _HIGH, "w": wide, "x": left, "y": top}, **_panel(panel)}
            left += wide
        top += _HIGH


def _panel(panel: Mapping[str, Any]) -> dict[str, Any]:
    kind, limit = panel.get("kind", "timeseries"), panel.get("limit")
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if limit is not None:
        steps.append({"color": "red", "value": limit})
    defaults: dict[str, Any] = {"unit": panel["unit"], "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}
    if kind == "timeseries":
        style = {"mode": "off" if limit is None else "line"}
        defaults["custom"] = {"lineWidth": 1, "fillOpacity": 8, "showPoints": "never", "thresholdsStyle": style}
    return {
        "type": kind,
        "title": panel["title"],
        "description": panel["about"],
        "datasource": _DATA,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(kind, panel["unit"]),
        "targets": [
            {
                "refId": chr(65 + index),
                "datasource": _DATA,
                "expr": expression.replace("HERE", _HERE),
                "legendFormat": legend,
                "format": "heatmap" if kind == "heatmap" else "time_series",
            }
            for index, (legend, expression) in enumerate(_queries(panel))
        ],
    }


def _queries(panel: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from panel.get("queries", {}).items()
    if histogram := panel.get("quantiles"):
        by, where = histogram.get("by"), histogram.get("where")
        groups, legend = (f"le, {by}", f" {{{{{by}}}}}") if by else ("le", "")
        bucket = f"{histogram['of']}_bucket{{HERE{f', {where}' if where else ''}}}"
        for share in histogram.get("at", (0.5, 0.95, 0.99)):
            rate = f"sum by ({groups}) (rate({bucket}[$__rate_interval]))"
            yield f"p{share * 100:g}{legend}", f"histogram_quantile({share:g}, {rate})"


def _options(kind: str, unit: str) -> dict[str, Any]:
    if kind == "heatmap":
        return {"calculate": False, "yAxis": {"unit": unit}, "color": {"mode": "scheme", "scheme": "Oranges"}}
    if kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "value_and_name", "colorMode": "value"}
    return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
