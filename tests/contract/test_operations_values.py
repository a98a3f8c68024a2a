"""The chart takes each example of docs/operations.md together with the production file there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.material.pages import blocks
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
