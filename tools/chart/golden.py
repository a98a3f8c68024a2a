"""Renderings kept for review: a change of the chart shows as a change of tests/golden/chart.

What is drawn anew at each rendering (passwords, keys, and checksums over them) and what is a copy of a file of the
chart (dashboards, alerts) is replaced by a short word. A file `<scenario>.yaml` is what all strictly checked versions
of Kubernetes get; a version that gets something else has `<scenario>-<version>.yaml`.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import yaml

from tools.chart.render import ROOT, Manifest

FOLDER = ROOT / "tests/golden/chart"
_HEAD = "# What `helm template` gives; made by `python -m tools.chart golden`.\n"
_PEM = re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Texts of several lines are kept as such."""


def _text(dumper: Any, value: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def text(manifests: list[Manifest]) -> str:
    """The rendering as it is kept: sorted by kind and name, sorted keys, nothing random."""
    order = sorted(manifests, key=lambda item: (item["kind"], item["metadata"]["name"]))
    parts = [yaml.dump(_still(item), Dumper=_Dumper, width=1000, allow_unicode=True) for item in order]
    return _HEAD + "---\n".join(parts)


def files(texts: dict[tuple[str, str], str], latest: str) -> dict[Path, str]:
    """What each golden file must hold, from the text of each (scenario, version)."""
    wanted = {FOLDER / f"{scenario}.yaml": own for (scenario, version), own in texts.items() if version == latest}
    for (scenario, version), own in texts.items():
        if own != texts[scenario, latest]:
            wanted[FOLDER / f"{scenario}-{version}.yaml"] = own
    return wanted


def _still(item: Manifest) -> Manifest:
    kept = copy.deepcopy(item)
    if kept["kind"] == "Secret":
        for field in ("data", "stringData"):
            if field in kept:
                kept[field] = dict.fromkeys(kept[field], "<secret>")
    if kept["kind"] == "ConfigMap":
        kept["data"] = {name: _elided(name, value) for name, value in (kept.get("data") or {}).items()}
    if kept["kind"] == "PrometheusRule":
        kept["spec"]["groups"] = "<files/alerts.yaml>"
    _quiet(kept)
    return kept


def _elided(name: str, value: str) -> str:
    return f"<files/dashboards/{name}>" if name.endswith(".json") else _PEM.sub("<pem>", value)


def _quiet(node: Any) -> None:
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(key, str) and key.startswith("checksum/"):
                node[key] = "<checksum>"
            else:
                _quiet(value)
    elif isinstance(node, list):
        for value in node:
            _quiet(value)
