"""The chart's copy of the table of callers: services/callers.toml as files/callers.yaml, which any Helm can read."""

from __future__ import annotations

import tomllib

from tools.chart.render import CHART, ROOT

SOURCE = ROOT / "services/callers.toml"
COPY = CHART / "files/callers.yaml"
_HEAD = (
    "# Made from services/callers.toml by `python -m tools.chart golden`; a change here is refused by `make check`.\n"
)


def wanted() -> str:
    """What the copy must hold."""
    table: dict[str, list[str]] = tomllib.loads(SOURCE.read_text())
    return _HEAD + "".join(f"{service}: [{', '.join(callers)}]\n" for service, callers in table.items())


def faults() -> list[str]:
    """Nothing, or that the copy is stale."""
    if COPY.read_text() == wanted():
        return []
    return [f"{COPY.relative_to(ROOT)} differs from {SOURCE.relative_to(ROOT)}; run python -m tools.chart golden"]
