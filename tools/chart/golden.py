"""Renderings kept for review: a change of the chart shows as a change of tests/golden/chart.

What is drawn anew at each rendering (passwords, keys, and checksums over them) and what is a copy of a file of the
chart (dashboards, alerts) is replaced by a short word.

`minimal.yaml` is whole. Another scenario names the objects that are as in one of the bases and holds the others, so
that its file shows what its values change. All strictly checked versions of Kubernetes get the same, but where
`<scenario>-<version>.yaml` says what that version gets instead.
"""

from __future__ import annotations

import copy
import functools
import json
import re
from pathlib import Path
from typing import Any

import yaml

from tools.chart.render import ROOT, Manifest

FOLDER = ROOT / "tests/golden/chart"
BASES = ("minimal", "dev-backends")
Parts = dict[str, str]
_HEAD = "# What `helm template` gives; made by `python -m tools.chart golden`.\n"
_PEM = re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Texts of several lines are kept as such."""


def _word(dumper: Any, value: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _word)


def parts(manifests: list[Manifest]) -> Parts:
    """The objects as they are kept, by kind and name: sorted, nothing random."""
    order = sorted(manifests, key=lambda item: (item["kind"], item["metadata"]["name"]))
    return {f"{item['kind']}/{item['metadata']['name']}": _dumped(item) for item in order}


def files(rendered: dict[tuple[str, str], Parts], latest: str) -> dict[Path, str]:
    """What each golden file must hold, from the objects of each (scenario, version)."""
    wanted = {}
    for (scenario, version), own in rendered.items():
        if version == latest:
            base = max(
                _bases(scenario, rendered, latest), key=lambda name: _shared(own, rendered[name, latest]), default=""
            )
            wanted[FOLDER / f"{scenario}.yaml"] = _text(own, base, rendered.get((base, latest), {}))
        elif own != rendered[scenario, latest]:
            wanted[FOLDER / f"{scenario}-{version}.yaml"] = _text(own, scenario, rendered[scenario, latest])
    return wanted


def _bases(scenario: str, rendered: dict[tuple[str, str], Parts], latest: str) -> list[str]:
    before = BASES[: BASES.index(scenario)] if scenario in BASES else BASES
    return [base for base in before if (base, latest) in rendered]


def _shared(own: Parts, base: Parts) -> int:
    return len(own.items() & base.items())


def _text(own: Parts, base_name: str, base: Parts) -> str:
    same = [f"# as in {base_name}: {name}\n" for name, text in own.items() if base.get(name) == text]
    return "".join([_HEAD, *same]) + "---\n".join(text for name, text in own.items() if base.get(name) != text)


def _dumped(item: Manifest) -> str:
    return _as_yaml(json.dumps(_still(item), sort_keys=True))


@functools.cache  # most objects are the same in every version and many scenarios
def _as_yaml(kept: str) -> str:
    return str(yaml.dump(json.loads(kept), Dumper=_Dumper, width=1000, allow_unicode=True))


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
