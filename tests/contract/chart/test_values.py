"""values.schema.json against values.yaml: every key is known, and nothing else is, at any depth."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import yaml

from tools.chart.render import CHART, scenarios

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = jsonschema.Draft7Validator(json.loads((CHART / "values.schema.json").read_text()))
# Maps that hold what Kubernetes or the operator names.
OPEN = {
    "affinity",
    "annotations",
    "commonLabels",
    "labels",
    "limits",
    "matchLabels",
    "nodeSelector",
    "podAnnotations",
    "podLabels",
    "requests",
    "serviceAccountAnnotations",
}


def maps(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of all maps whose keys the chart names."""
    if isinstance(node, dict) and (not path or path[-1] not in OPEN):
        yield path
        for key, value in node.items():
            yield from maps(value, (*path, key))


def with_typo(path: tuple[str, ...]) -> dict[str, Any]:
    values = copy.deepcopy(VALUES)
    node = values
    for key in path:
        node = node[key]
    node["typo"] = 1
    return values


def test_defaults_keep_their_own_schema() -> None:
    assert [error.message for error in SCHEMA.iter_errors(VALUES)] == []


def test_scenarios_set_only_what_there_is() -> None:
    for name, path in scenarios().items():
        assert [error.message for error in SCHEMA.iter_errors(yaml.safe_load(path.read_text()))] == [], name


def test_typo_is_refused_at_every_depth() -> None:
    let_pass = [".".join(path) for path in maps(VALUES) if SCHEMA.is_valid(with_typo(path))]

    assert let_pass == []


def test_typo_is_refused_with_its_path_at_every_depth() -> None:
    for path in maps(VALUES):
        errors = list(SCHEMA.iter_errors(with_typo(path)))
        assert path in [tuple(error.absolute_path) for error in errors], path
        assert all("typo" in error.message for error in errors)


def test_no_key_is_declared_twice() -> None:
    class Strict(yaml.SafeLoader):  # type: ignore[misc]
        pass

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, Any]:
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), keys
        return dict(loader.construct_pairs(node))

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)

    yaml.load((CHART / "values.yaml").read_text(), Strict)


def test_default_that_takes_no_value_is_given_no_secret() -> None:
    """Secrets are named, never written: no key of the values may take one."""

    def leaves(node: Any, path: str = "") -> Iterator[str]:
        if isinstance(node, dict):
            for key, value in node.items():
                yield from leaves(value, f"{path}.{key}")
        else:
            yield path

    words = ("password", "secretaccesskey", "token", "privatekey")
    suspect = [path for path in leaves(VALUES) if path.lower().rsplit(".", 1)[-1].endswith(words)]

    assert suspect == []
