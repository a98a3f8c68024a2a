"""Whether an object is one that Kubernetes takes: known fields only, of the right types.

Built-in kinds are held to the schemas of the package kubernetes-validate, the strict ones, which know no field that
the API does not name. Kinds of other projects are held to crds.yaml beside this module.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import yaml
from kubernetes_validate import utils as packaged
from referencing import Registry, Resource

from tools.chart.render import Manifest

# Kubernetes 1.20 has no schemas in the package; what it serves of the groups that the chart uses is this.
SERVED_BY_1_20 = frozenset(
    (
        "v1",
        "apps/v1",
        "autoscaling/v2beta2",
        "batch/v1",
        "networking.k8s.io/v1",
        "policy/v1beta1",
        "rbac.authorization.k8s.io/v1",
    )
)
_CUSTOM: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("crds.yaml").read_text())


def faults(manifest: Manifest, version: str) -> list[str]:
    """What is wrong with the object in that version of Kubernetes, each with its path."""
    kind, api = manifest["kind"], manifest["apiVersion"]
    if f"{api}/{kind}" in _CUSTOM["kinds"]:
        found = _errors(_custom_validator(f"{api}/{kind}"), manifest)
        if kind == "ScaledJob" and not found:
            job = {"apiVersion": "batch/v1", "kind": "Job", "spec": manifest["spec"]["jobTargetRef"]}
            found = [fault.replace("spec.", "spec.jobTargetRef.", 1) for fault in faults(job, version)]
        return found
    if version == "1.20":
        return [] if api in SERVED_BY_1_20 else [f"apiVersion: {version} serves no {api}"]
    validator = _builtin_validator(kind, api, version)
    return [f"apiVersion: {version} has no {kind} of {api}"] if validator is None else _errors(validator, manifest)


def _errors(validator: Any, manifest: Manifest) -> list[str]:
    found = sorted(validator.iter_errors(manifest), key=lambda error: str(error.json_path))
    return [f"{error.json_path.removeprefix('$.')}: {error.message[:200]}" for error in found]


@functools.cache
def _custom_validator(name: str) -> Any:
    schema = {**_CUSTOM["kinds"][name], "$defs": _CUSTOM["$defs"]}
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@functools.cache
def _builtin_validator(kind: str, api: str, version: str) -> Any:
    # File names drop the domain of a group: rbac.authorization.k8s.io/v1 is rbac-v1.
    name = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api)
    folder = f"kubernetes-json-schema/v{version}.0-local-strict"
    try:
        schema = packaged.schema_contents(f"{folder}/{kind.lower()}-{name}.json", version)
    except FileNotFoundError:
        return None
    registry = Resource.from_contents(schema) @ _definitions(folder, version)
    return jsonschema.Draft202012Validator(schema, registry=registry)


@functools.cache
def _definitions(folder: str, version: str) -> Registry[Any]:
    definitions = packaged.schema_contents(f"{folder}/_definitions.json", version)
    registry: Registry[Any] = Resource.from_contents(definitions) @ Registry()
    return registry
