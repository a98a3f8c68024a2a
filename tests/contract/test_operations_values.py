"""The chart takes each example of docs/operations.md, and its objects have the names that commands there use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.material.pages import OPERATIONS, blocks
from tools.chart.render import HelmFailed, helm, render

_BASE, *_TASKS = blocks("yaml", "values")


def _merged(base: object, more: object) -> object:
    if isinstance(base, dict) and isinstance(more, dict):
        return {**base, **{key: _merged(base.get(key), value) for key, value in more.items()}}
    return more


@pytest.fixture(scope="module", autouse=True)
def _with_helm() -> None:
    try:
        helm()
    except HelmFailed as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("example", ["{}", *_TASKS], ids=range(len(_TASKS) + 1))
def test_an_example_is_taken(example: str, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(_merged(yaml.safe_load(_BASE), yaml.safe_load(example))))

    made = render(values, "1.30")

    assert {"Deployment", "Service", "Job", "NetworkPolicy"} <= {manifest["kind"] for manifest in made}


_OBJECT = re.compile(r"\b(deploy|job|svc|secret|scaledjob)[/ ](tonewright[\w-]*)")
_KINDS = {"deploy": "Deployment", "job": "Job", "svc": "Service", "secret": "Secret", "scaledjob": "ScaledJob"}


@pytest.mark.parametrize("quick", [True, False], ids=["devBackends", "production"])
def test_commands_name_objects_of_the_release(quick: bool, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    production = _merged(yaml.safe_load(_BASE), {"stemsWorker": {"keda": {"enabled": True}}})
    values.write_text(yaml.safe_dump({"devBackends": {"enabled": True}} if quick else production))
    page = re.sub(r"kubectl create secret.*", "", OPERATIONS.read_text())

    made = render(values, "1.30")

    there = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in made}
    asked = {(_KINDS[kind], name) for kind, name in _OBJECT.findall(page)}
    assert len(asked) >= 6
    assert asked - there <= _ABSENT[quick]
    labels = re.findall(r"app\.kubernetes\.io/component=([\w-]+)", page)
    assert set(labels) <= {manifest["metadata"]["labels"]["app.kubernetes.io/component"] for manifest in made}


# With development backends the first Job carries a hash and there is no KEDA; with KEDA the worker is no Deployment.
_ABSENT = {
    True: {("Job", "tonewright-migrations"), ("ScaledJob", "tonewright-stems-worker")},
    False: {("Deployment", "tonewright-stems-worker")},
}
